"""How positions are rotated: the keys and tensors of a file that say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import gguf
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from citewell.children import ChildFailed
from citewell_llamacpp.export.families import Base

_YARN_DEFAULTS: Mapping[str, tuple[object, ...]] = {
    "beta_fast": (32, None),
    "beta_slow": (1, None),
    "mscale": (None,),
    "mscale_all_dim": (None,),
    "truncate": (True, None),
    "attention_factor": (None,),
}


class Rope(Struct, frozen=True, kw_only=True):
    """The rotation of a model.

    Attributes:
        theta: base of the frequencies.
        kind: "default", "linear", "llama3" or "yarn".
        values: of the settings for that kind.
        dimensions: numbers of a head that are rotated.
    """

    theta: float
    kind: str
    values: Mapping[str, Any]
    dimensions: int


def rope_of(base: Base) -> Rope:
    """Return the rotation of a model, as transformers 4 or 5 write it down.

    Raises:
        ChildFailed: it is of a kind that is not proven.
    """
    settings = base.settings
    given: dict[str, Any] = settings.get("rope_parameters") or {}
    given = given.get("full_attention", given)
    values: dict[str, Any] = {**given, **(settings.get("rope_scaling") or {})}
    kind = values.get("rope_type") or values.get("type") or "default"
    usual = 1_000_000.0 if base.family.name == "gemma3" else 10_000.0
    part = values.get("partial_rotary_factor") or settings.get("partial_rotary_factor") or 1.0
    # llama.cpp chooses between the two factors of longrope by the room it has, transformers by the
    # length of the text: no file does both alike.
    if kind not in {"default", "linear", "llama3", "yarn"} or (
        base.family.name == "phi3" and kind != "default"
    ):
        raise ChildFailed(
            f"config.json scales positions by {kind!r}, with which no file of {base.family.name} "
            "was proven; expected default, linear, llama3 or yarn, and default of phi3"
        )
    if kind == "yarn":
        _check_yarn(values)
    if part != 1 and base.family.name != "phi3":
        raise ChildFailed(
            f"config.json has partial_rotary_factor = {part}, with which no file was proven; "
            "expected 1"
        )
    return Rope(
        theta=float(values.get("rope_theta") or settings.get("rope_theta") or usual),
        kind=kind,
        values=values,
        dimensions=int(base.head_width * part),
    )


def _check_yarn(values: Mapping[str, Any]) -> None:
    for key, allowed in _YARN_DEFAULTS.items():
        if values.get(key) not in allowed:
            raise ChildFailed(
                f"config.json has {key} = {values[key]} for yarn, with which no file was proven; "
                "expected its usual value"
            )


def write_rope(writer: gguf.GGUFWriter, base: Base, rope: Rope) -> None:
    """Write the keys that say how positions are rotated."""
    writer.add_rope_freq_base(rope.theta)
    writer.add_rope_dimension_count(rope.dimensions)
    if rope.kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(rope.values["factor"]))
    elif rope.kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(float(rope.values["factor"]))
        writer.add_rope_scaling_orig_ctx_len(_original(base, rope))
    elif base.family.name == "phi3":
        writer.add_rope_scaling_orig_ctx_len(int(base.settings["max_position_embeddings"]))


def rope_tensors(rope: Rope) -> dict[str, NDArray[np.float32]]:
    """Return the tensors that say how single frequencies are changed, by name."""
    if rope.kind == "llama3":
        return {"rope_freqs.weight": _llama3(rope)}
    return {}


def _original(base: Base, rope: Rope) -> int:
    settings = base.settings
    found = rope.values.get("original_max_position_embeddings")
    found = found or settings.get("original_max_position_embeddings")
    return int(found or settings["max_position_embeddings"])


def _llama3(rope: Rope) -> NDArray[np.float32]:
    """Return by what each frequency is divided. Source: transformers, `rope_type` llama3."""
    values = rope.values
    factor, original = values["factor"], values["original_max_position_embeddings"]
    low, high = values["low_freq_factor"], values["high_freq_factor"]
    steps = np.arange(0, rope.dimensions, 2, dtype=np.float64) / rope.dimensions
    turns = original * rope.theta**-steps / (2 * math.pi)
    smooth = (turns - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    found = np.where(turns > high, 1.0, np.where(turns < low, float(factor), between))
    return found.astype(np.float32)
