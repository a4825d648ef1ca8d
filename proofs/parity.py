"""Whether exported files compute what was trained, of every family, and whether faults are seen."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from citewell import Context
from citewell.training import Exported, ExportTask
from citewell_llamacpp.export import tensors
from citewell_llamacpp.export.comparing import CONTINUED, Trial, expected, measured
from citewell_llamacpp.export.families import read_base
from citewell_llamacpp.export.reference import Reference
from citewell_llamacpp.export.samples import TEXTS, conversations
from citewell_llamacpp.export.settings import GgufConfig, build
from citewell_llamacpp.export.vocabulary import read_vocabulary
from citewell_llamacpp.export.writing import Described, write_model
from proofs import harness
from scripts import random_models

LIMITS = {"F32": 0.02, "F16": 0.1, "adapter": 0.1}
PROMPTS = 40
EQUAL = 38
_SMALL = ("llama", "qwen2")
_KINDS = ("adapter", "F32", "F16")
# The folder of llama.cpp's own scripts, as the source distribution of llama-cpp-python has it.
_SOURCES = "LLAMA_CPP_SOURCES"


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    families = list(random_models.FAMILIES) if size == "full" else list(_SMALL)
    with tempfile.TemporaryDirectory() as place:
        rows = [
            row
            for family in families
            for tied in ((False, True) if size == "full" else (False,))
            for row in _proven(Path(place) / f"{family}-{tied}", family, tied=tied, seed=seed)
        ]
        controls = _controls(Path(place) / "controls", seed)
        compared = _compared_adapters(Path(place) / "adapters", families, seed)
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
        if row["largest"] > LIMITS[row["kind"]]:
            broken.append(f"{name}: a logit differs by {row['largest']}")
        if row["equal"] < EQUAL:
            broken.append(f"{name}: {row['equal']} of {PROMPTS} prompts are written on alike")
    for name, seen in cast("dict[str, str]", result["controls"]).items():
        if not seen:
            broken.append(f"{name} was not noticed")
    for family, largest in cast("dict[str, float]", result["adapter_tensors"]).items():
        if largest != 0:
            broken.append(f"adapter of {family}: a weight differs by {largest}")
    return broken


def table(result: dict[str, object]) -> str:
    lines = [
        "| family | head | adapter: largest difference, equal | F32 | F16 |",
        "|---|---|---|---|---|",
    ]
    cells: dict[tuple[str, bool], dict[str, str]] = {}
    for row in cast("list[dict[str, Any]]", result["files"]):
        cell = f"{row['largest']:.2g}, {row['equal']} of {result['prompts']}"
        cells.setdefault((row["family"], row["tied"]), {})[row["kind"]] = cell
    for (family, tied), by_kind in cells.items():
        shown = " | ".join(by_kind[kind] for kind in _KINDS)
        lines.append(f"| {family} | {'tied' if tied else 'own'} | {shown} |")
    lines += ["", "| what was done to a file | what is said |", "|---|---|"]
    for name, seen in cast("dict[str, str]", result["controls"]).items():
        lines.append(f"| {name} | {seen} |")
    compared = cast("dict[str, float]", result["adapter_tensors"])
    if compared:
        said = (
            f"The matrices of the adapters of {', '.join(compared)} differ from those that "
            f"llama.cpp's own script makes by {max(compared.values()):g}."
        )
        lines += ["", said]
    return "\n".join(lines)


def _proven(folder: Path, family: str, *, tied: bool, seed: int) -> Iterator[dict[str, object]]:
    base = random_models.make(folder / "base", family, tied=tied, seed=seed)
    adapter = random_models.adapt(base, folder / "adapter")
    (folder / "out").mkdir()
    for made in asyncio.run(_exported(base, adapter, folder / "out")):
        figures = made.figures
        yield {
            "family": family,
            "tied": tied,
            "kind": made.kind,
            "largest": float(f"{figures['logits_max_difference']:.2g}"),
            "deviation": round(figures["logits_deviation"], 2),
            "equal": int(figures["continuations_equal"]),
            "tied_continuations": int(figures["continuations_tied"]),
        }


async def _exported(base: Path, adapter: Path, out: Path) -> list[Exported]:
    context = Context(name="gguf", log=logging.getLogger(), data_dir=out, base_dir=out)
    config = GgufConfig(files=list(_KINDS), threads=1)
    task = ExportTask(base=base, adapter=adapter, out=out)
    async with build(config, context) as exporter:
        return [one async for one in exporter.export(task) if isinstance(one, Exported)]


# --- files with faults ----------------------------------------------------------------------


def _controls(folder: Path, seed: int) -> Mapping[str, str]:
    """Return what is said of files that were made wrongly, by what was done."""
    model = random_models.make(folder, "llama", seed=seed)
    base, reference = read_base(model), Reference(model, None, threads=1)
    asked = [reference.fitted(one) for one in conversations(None, 8)]
    wanted = expected(reference, asked)
    wanted.logits = [reference.logits(one) for one in wanted.probes]
    tokens = read_vocabulary(model, base.settings["vocab_size"])
    specials = reference.specials
    bare = random_models.LLAMA3.removeprefix("{{ bos_token }}")
    wrong = {
        "another chat template": replace(specials, template=random_models.CHATML),
        "another end of text": replace(specials, eos=specials.eos - 1),
        "no beginning of text": replace(specials, template=bare, adds_bos=False),
    }
    said = {}
    for name, changed in wrong.items():
        file = folder / "wrong.gguf"
        described = Described(name="x", card={})
        write_model(file, base, None, kind="F16", tokens=(tokens, changed), described=described)
        trial = Trial(file, None, threads=1)
        words = trial.text_differences(wanted, asked)
        trial.close()
        beginning = [one for one in words if "begins a text" in one]
        said[name] = _cell((beginning or words or [""])[0])
    unpermuted = replace(base, family=replace(base.family, permutes=False))
    described = Described(name="x", card={})
    write_model(file, unpermuted, None, kind="F16", tokens=(tokens, specials), described=described)
    trial = Trial(file, None, threads=1)
    largest = measured(wanted, trial.logits(wanted.probes), [])["logits_max_difference"]
    trial.close()
    seen = f"a logit differs by {largest:.2g}" if largest > 1 else ""
    return {"rows of queries and keys not permuted": seen, **said}


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


# --- llama.cpp's own script -----------------------------------------------------------------


def _compared_adapters(folder: Path, families: Sequence[str], seed: int) -> dict[str, float]:
    """Return by how much weights differ from those of llama.cpp's script, where that is at hand."""
    sources = os.environ.get(_SOURCES)
    if not sources:
        return {}
    found = {}
    for family in families:
        base = random_models.make(folder / family, family, seed=seed)
        adapter = random_models.adapt(base, folder / f"{family}-adapter")
        theirs = folder / f"{family}.gguf"
        subprocess.run(
            [
                *(sys.executable, str(Path(sources) / "convert_lora_to_gguf.py")),
                *("--base", str(base), "--outfile", str(theirs), "--outtype", "f32", str(adapter)),
            ],
            check=True,
            capture_output=True,
        )
        found[family] = _largest(base, adapter, theirs)
    return found


def _largest(base: Path, adapter: Path, theirs: Path) -> float:
    import gguf
    import numpy as np

    from citewell_llamacpp.export.lora import read_lora

    mine = dict(tensors.adapter_tensors(read_base(base), read_lora(adapter)))
    other = {one.name: np.asarray(one.data) for one in gguf.GGUFReader(theirs).tensors}
    if mine.keys() != other.keys():
        return float("inf")
    return max(float(np.abs(mine[name] - other[name]).max()) for name in mine)
