"""Whether exported files compute what was trained, of every family, and whether faults are seen."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from proofs import harness

LIMITS = {"F32": 0.02, "F16": 0.1, "adapter": 0.1}
DEVIATION = 1.3  # Of the logits of random weights; those of what was taught are further apart.
PROMPTS = 40  # As the exporter has.
EQUAL = 38
_SMALL = ("llama", "qwen2")
_KINDS = ("adapter", "F32", "F16")


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    harness.need("llama_cpp", "torch")
    from citewell_llamacpp.export.comparing import CONTINUED
    from citewell_llamacpp.export.samples import TEXTS
    from proofs import _parity_files
    from scripts import random_models

    families = list(random_models.FAMILIES) if size == "full" else list(_SMALL)
    with tempfile.TemporaryDirectory() as place:
        rows = [
            row
            for taught in (False, True)
            for family in (families[:1] if taught and size == "small" else families)
            for tied in ((False, True) if size == "full" else (False,))
            for row in _parity_files.proven(
                Path(place) / f"{family}-{tied}-{taught}",
                family,
                tied=tied,
                taught=taught,
                seed=seed,
            )
        ]
        controls = _parity_files.controls(Path(place) / "controls", seed)
        compared = _parity_files.compared_adapters(Path(place) / "adapters", families, seed)
    return {
        "texts": len(TEXTS),
        "prompts": PROMPTS,
        "tokens_written": CONTINUED,
        "files": rows,
        "controls": controls,
        "adapter_tensors": compared,
    }


def check(result: dict[str, object]) -> Sequence[str]:
    broken = []
    for row in cast("list[dict[str, Any]]", result["files"]):
        name = f"{row['family']} {'tied' if row['tied'] else 'untied'} {row['kind']}"
        spread = max(1.0, row["deviation"] / DEVIATION) if row["taught"] else 1.0
        if row["largest"] > LIMITS[row["kind"]] * spread:
            broken.append(f"{name}: a logit differs by {row['largest']}")
        # Of random weights the likeliest token is often a draw, which half precision decides.
        draws = not row["taught"] and row["kind"] != "F32"
        if row["taught"] and row["learnt"] < EQUAL:
            broken.append(f"{name}: it learnt {row['learnt']} of {PROMPTS} answers")
        if row["equal"] + (row["tied_continuations"] if draws else 0) < EQUAL:
            broken.append(f"{name}: {row['equal']} of {PROMPTS} prompts are written on alike")
    for name, seen in cast("dict[str, str]", result["controls"]).items():
        if not seen:
            broken.append(f"{name} was not noticed")
    for family, largest in cast("dict[str, float]", result["adapter_tensors"]).items():
        if largest != 0:
            broken.append(f"adapter of {family}: a weight differs by {largest}")
    return broken


def table(result: dict[str, object]) -> str:
    rows = cast("list[dict[str, Any]]", result["files"])
    lines = [
        *("With random weights:", "", *_files([row for row in rows if not row["taught"]])),
        *("", "Taught to answer:", "", *_files([row for row in rows if row["taught"]])),
    ]
    lines += ["", "| what was done to a file | what is said |", "|---|---|"]
    for name, seen in sorted(cast("dict[str, str]", result["controls"]).items()):
        lines.append(f"| {name} | {seen} |")
    compared = dict(sorted(cast("dict[str, float]", result["adapter_tensors"]).items()))
    if compared:
        said = (
            f"The matrices of the adapters of {', '.join(compared)} differ from those that "
            f"llama.cpp's own script makes by {max(compared.values()):g}."
        )
        lines += ["", said]
    return "\n".join(lines)


def _files(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| family | head | adapter: largest difference, equal | F32 | F16 |",
        "|---|---|---|---|---|",
    ]
    cells: dict[tuple[str, bool], dict[str, str]] = {}
    for row in rows:
        ties = f" and {row['tied_continuations']} ties" if row["tied_continuations"] else ""
        cell = f"{row['largest']:.2g}, {row['equal']}{ties} of {PROMPTS}"
        cells.setdefault((row["family"], row["tied"]), {})[row["kind"]] = cell
    for (family, tied), by_kind in cells.items():
        shown = " | ".join(by_kind[kind] for kind in _KINDS)
        lines.append(f"| {family} | {'tied' if tied else 'own'} | {shown} |")
    return lines
