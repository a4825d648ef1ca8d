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
}


class Rope(Struct, frozen=True, kw_only=True):
    """The rotation of a model.

    Attributes:
        theta: base of the frequencies.
        kind: "default", "linear", "llama3", "yarn" or "longrope".
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
    if base.family.name == "phi3" and kind in {"su", "yarn"}:
        kind = "longrope"
    if kind not in {"default", "linear", "llama3", "yarn", "longrope"}:
        raise ChildFailed(
            f"config.json scales positions by {kind!r}, with which no file was proven; expected "
            "default, linear, llama3, yarn or longrope"
        )
    if (kind == "longrope") and base.family.name != "phi3":
        raise ChildFailed("config.json scales positions by longrope, which is proven of phi3 alone")
    if kind == "yarn":
        _check_yarn(values)
    usual = 1_000_000.0 if base.family.name == "gemma3" else 10_000.0
    part = values.get("partial_rotary_factor", settings.get("partial_rotary_factor", 1.0)) or 1.0
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
    elif rope.kind == "longrope":
        writer.add_rope_scaling_orig_ctx_len(_original(base, rope))
        writer.add_rope_scaling_attn_factors(_long_attention(base, rope))
    elif base.family.name == "phi3":
        writer.add_rope_scaling_orig_ctx_len(int(base.settings["max_position_embeddings"]))


def rope_tensors(rope: Rope) -> dict[str, NDArray[np.float32]]:
    """Return the tensors that say how single frequencies are changed, by name."""
    if rope.kind == "llama3":
        return {"rope_freqs.weight": _llama3(rope)}
    if rope.kind == "longrope":
        return {
            f"rope_factors_{name}.weight": np.array(rope.values[f"{name}_factor"], np.float32)
            for name in ("long", "short")
        }
    return {}


def _original(base: Base, rope: Rope) -> int:
    settings = base.settings
    found = rope.values.get("original_max_position_embeddings")
    found = found or settings.get("original_max_position_embeddings")
    return int(found or settings["max_position_embeddings"])


def _long_attention(base: Base, rope: Rope) -> float:
    """Return the factor of the attention. Source: LongRoPE (Ding et al., 2024), as Phi-3 has it."""
    original = _original(base, rope)
    scale = int(base.settings["max_position_embeddings"]) / original
    return math.sqrt(1 + math.log(scale) / math.log(original)) if scale > 1 else 1.0


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
