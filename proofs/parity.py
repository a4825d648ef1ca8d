"""Whether exported files compute what was trained, of every family, and whether faults are seen."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from proofs import harness

LIMITS = {"F32": 0.02, "F16": 0.1, "adapter": 0.1}
PROMPTS = 40
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
            for family in families
            for tied in ((False, True) if size == "full" else (False,))
            for row in _parity_files.proven(
                Path(place) / f"{family}-{tied}", family, tied=tied, seed=seed
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
        # Gemma 3 reads its activation function from a table in half precision in llama.cpp.
        limit = LIMITS[row["kind"]]
        if row["family"] == "gemma3":
            limit = 0.2 if row["kind"] == "F32" else 0.4
        if row["largest"] > limit:
            broken.append(f"{name}: a logit differs by {row['largest']}")
        if row["equal"] + row["tied_continuations"] < EQUAL:
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
        ties = f" and {row['tied_continuations']} ties" if row["tied_continuations"] else ""
        cell = f"{row['largest']:.2g}, {row['equal']}{ties} of {result['prompts']}"
        cells.setdefault((row["family"], row["tied"]), {})[row["kind"]] = cell
    for (family, tied), by_kind in cells.items():
        shown = " | ".join(by_kind[kind] for kind in _KINDS)
        lines.append(f"| {family} | {'tied' if tied else 'own'} | {shown} |")
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
