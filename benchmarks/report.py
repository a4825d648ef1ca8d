"""What the documentation shows of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from typing import TypedDict


class Measured(TypedDict):
    """What one system's process prints: milliseconds of each question, by round."""

    build_s: float
    query_ms: list[list[float]]


class Figures(TypedDict):
    """Of one system and one number of passages."""

    p50_ms: float
    p95_ms: float
    indexed_per_s: int


class Commands(TypedDict):
    """Of whole commands on the largest corpus."""

    sync_files: int
    sync_passages: int
    sync_per_s: int
    saved_rounds: int
    saved_to_found_s: float
    saved_slowest_s: float
    citewell_ask_s: float
    llm_help_s: float


class Run(TypedDict):
    """Everything that is kept of a run."""

    date: str
    commit: str
    machine: dict[str, object]
    load: float
    versions: dict[str, str]
    corpus: str
    retrieval: dict[str, dict[str, Figures]]
    commands: Commands


TITLES = {
    "citewell": "Citewell `lexical`, on disk, crash-safe",
    "citewell, 50 labels": "the same, each passage readable by one of 50 teams",
    "llamaindex": "LlamaIndex `BM25Retriever`, in memory",
    "langchain": "LangChain `BM25Retriever`, in memory",
    "haystack": "Haystack `InMemoryBM25Retriever`, in memory",
}


def summary(processes: Sequence[Measured], *, passages: int) -> Figures:
    """Return medians over all rounds of all processes."""
    rounds = [one for measured in processes for one in measured["query_ms"]]
    return {
        "p50_ms": round(median(_percentile(one, 50) for one in rounds), 3),
        "p95_ms": round(median(_percentile(one, 95) for one in rounds), 3),
        "indexed_per_s": round(passages / median(measured["build_s"] for measured in processes)),
    }


def _percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def tables(result: Run) -> str:
    """Return the tables of a run as Markdown."""
    parts = [_retrieval(int(size), systems) for size, systems in result["retrieval"].items()]
    return "\n\n".join([*parts, _commands(result["commands"]), _machine(result)])


def broken(result: Run) -> list[str]:
    """Name each promise that a run does not keep."""
    found = []
    for size, systems in result["retrieval"].items():
        own = systems["citewell"]
        for name, figures in systems.items():
            label = f"{name} at {int(size):,} passages"
            if name.startswith("citewell"):
                if figures["p95_ms"] >= 10:
                    found.append(f"{label}: p95 is {figures['p95_ms']} ms, promised below 10")
            elif figures["p50_ms"] <= own["p50_ms"] or figures["p95_ms"] <= own["p95_ms"]:
                found.append(f"{label} is not slower than citewell: {figures}, {own}")
    commands = result["commands"]
    if commands["citewell_ask_s"] >= min(0.5, commands["llm_help_s"]):
        found.append("citewell ask takes 0.5 s or more, or longer than llm --help")
    if commands["sync_per_s"] < 5000:
        found.append(f"sync brings {commands['sync_per_s']} passages a second, promised 5,000")
    if commands["saved_to_found_s"] >= 1:
        found.append(f"a saved file is found after {commands['saved_to_found_s']} s, promised 1")
    return found


def _retrieval(size: int, systems: Mapping[str, Figures]) -> str:
    own = systems["citewell"]
    lines = [
        f"| {size:,} passages | query p50, ms | p95, ms | p50 beside Citewell | indexed a second |",
        "|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        figures = systems[name]
        ratio = figures["p50_ms"] / own["p50_ms"]
        lines.append(
            f"| {title} | {figures['p50_ms']:.2f} | {figures['p95_ms']:.2f} | {ratio:,.1f} x "
            f"| {figures['indexed_per_s']:,} |"
        )
    return "\n".join(lines)


def _commands(commands: Commands) -> str:
    passages = f"{commands['sync_passages']:,} passages"
    rows = {
        f"`citewell sync` of {commands['sync_files']:,} text files ({passages}), start to end": (
            f"{commands['sync_per_s']:,} passages a second"
        ),
        f"a saved file can be asked for, in an index of {passages}": (
            f"{commands['saved_to_found_s']:.2f} s "
            f"(slowest of {commands['saved_rounds']}: {commands['saved_slowest_s']:.2f} s)"
        ),
        "`citewell ask` on that index, whole process": f"{commands['citewell_ask_s']:.2f} s",
        "`llm --help`, whole process": f"{commands['llm_help_s']:.2f} s",
    }
    lines = ["| Whole commands | median |", "|---|---|"]
    return "\n".join((*lines, *(f"| {name} | {value} |" for name, value in rows.items())))


def _machine(result: Run) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"One run on {machine['cores']} cores of an {machine['cpu']} with {machine['memory_gb']} "
        f"GB, Python {machine['python']}, load average {result['load']:.1f} at the start; corpus: "
        f"{result['corpus']}. Beside it: {versions}. The same questions for all, ten results each; "
        "medians over three rounds, of the fastest two over three processes with as many rounds "
        "each. The others keep their index in memory and lose it with the "
        "process."
    )
