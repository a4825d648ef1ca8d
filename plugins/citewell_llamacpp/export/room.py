"""Whether there is room for an export: memory for the trained model, disk for its files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from math import prod
from pathlib import Path

from citewell.children import ChildFailed
from citewell.memory import available_bytes
from citewell_llamacpp.export.comparing import LONGEST, PROBED, PROBES
from citewell_llamacpp.export.families import Base
from citewell_llamacpp.export.tensors import model_shapes

# Bits for each weight, of Llama 3.1 8B. Source: llama.cpp, tools/quantize/README.md.
_BITS = {"F32": 32.0, "F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.57, "Q5_K_M": 5.7, "Q4_K_M": 4.9}
_FULL_BYTES = 4
# Measured: the libraries that compute a model.
_PROGRAM_BYTES = 1_000_000_000
# What attention of a long text keeps at once, and logits of the model with and without what it
# learnt.
_ATTENTIONS = 3
_COMPARED = 2
_GB = 1e9


def check_room(base: Base, out: Path, kinds: Sequence[str], *, base_is_given: bool) -> None:
    """Check that the trained model can be computed, and its files be written.

    Args:
        base: the model that learnt.
        out: folder for the files.
        kinds: of the files.
        base_is_given: whether an adapter is used with a file that is there already.

    Raises:
        ChildFailed: there is too little memory or disk; says how much is needed.
    """
    memory, free = memory_bytes(base), available_bytes()
    if memory > free:
        raise ChildFailed(
            f"the trained model is computed in full precision, which needs about "
            f"{memory / _GB:.1f} GB of memory, and {free / _GB:.1f} GB are free; export it on a "
            "machine with more"
        )
    disk = disk_bytes(base, kinds, base_is_given=base_is_given)
    room = shutil.disk_usage(out).free
    if disk > room:
        raise ChildFailed(
            f"{out}: the files, and those in between, need about {disk / _GB:.1f} GB of disk, and "
            f"{room / _GB:.1f} GB are free; free some, or export fewer kinds at once"
        )


def memory_bytes(base: Base) -> int:
    """Return about how much memory it takes to compute the trained model."""
    longest = min(int(base.settings["max_position_embeddings"]), LONGEST)
    attention = _ATTENTIONS * base.heads * longest**2
    logits = _COMPARED * PROBES * PROBED * int(base.settings["vocab_size"])
    return _FULL_BYTES * (_weights(base) + attention + logits) + _PROGRAM_BYTES


def disk_bytes(base: Base, kinds: Sequence[str], *, base_is_given: bool) -> int:
    """Return about how much disk the files take, with those in between that are there at once."""
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
    bits = sum(kept) + sum(map(_BITS.__getitem__, [*made, *quantised]))
    return int(_weights(base) * bits / 8)


def _weights(base: Base) -> int:
    return sum(prod(shape) for _, shape in model_shapes(base))
