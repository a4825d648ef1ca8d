"""Whether there is room for an export: memory for the trained model, disk for its files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from math import prod
from pathlib import Path

from citewell.children import ChildFailed
from citewell.memory import available_bytes
from citewell_llamacpp.export.reading import read_shapes, weight_files

# Bits for each weight, of Llama 3.1 8B. Source: llama.cpp, tools/quantize/README.md.
_BITS = {"F32": 32.0, "F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.57, "Q5_K_M": 5.7, "Q4_K_M": 4.9}
_FULL = 32
# Measured: the libraries that compute a model, and what they keep of the prompts.
_PROGRAM_BYTES = 1_000_000_000
_GB = 1e9


def check_room(base: Path, out: Path, kinds: Sequence[str], *, base_is_given: bool) -> None:
    """Check that the trained model can be computed, and its files be written.

    Args:
        base: folder of the model that learnt.
        out: folder for the files.
        kinds: of the files.
        base_is_given: whether an adapter is used with a file that is there already.

    Raises:
        ChildFailed: there is too little memory or disk; says how much is needed.
    """
    weights = sum(prod(shape) for _, shape in read_shapes(weight_files(base)))
    memory = weights * _FULL / 8 + _PROGRAM_BYTES
    free = available_bytes()
    if memory > free:
        raise ChildFailed(
            f"the trained model is computed in full precision, which needs about "
            f"{memory / _GB:.1f} GB of memory, and {free / _GB:.1f} GB are free; export it on a "
            "machine with more"
        )
    disk = weights / 8 * _bits_written(kinds, base_is_given=base_is_given)
    room = shutil.disk_usage(out).free
    if disk > room:
        raise ChildFailed(
            f"{out}: the files, and those in between, need about {disk / _GB:.1f} GB of disk, and "
            f"{room / _GB:.1f} GB are free; free some, or export fewer kinds at once"
        )


def _bits_written(kinds: Sequence[str], *, base_is_given: bool) -> float:
    """Return the bits for each weight that are on the disk at once: files, and their sources."""
    sources, made = {kind for kind in kinds if kind in {"F32", "F16"}}, list(kinds)
    if "adapter" in kinds:
        made.remove("adapter")
        sources.add("base")
        if not base_is_given:
            made.append("F16")
    quantised = [kind for kind in made if kind not in {"F32", "F16"}]
    if quantised:
        sources.add("F16")
    kept = [_BITS.get(kind, _BITS["F16"]) for kind in sources]
    # Each quantised file is there twice: until its proof is in it, and then with it.
    return sum(kept) + sum(map(_BITS.__getitem__, [*made, *quantised]))
