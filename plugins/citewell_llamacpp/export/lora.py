"""A LoRA adapter in the form of PEFT: what it changes, and by how much."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from citewell.children import ChildFailed
from citewell_llamacpp.export.reading import read_tensors

_NAME = re.compile(r"(?:base_model\.model\.)(.+)\.lora_([AB])(?:\.default)?\.weight")
_REFUSED: Mapping[str, tuple[object, ...]] = {
    "use_dora": (False, None),
    "use_qalora": (False, None),
    "bias": ("none", None),
    "lora_bias": (False, None),
    "fan_in_fan_out": (False, None),
    "modules_to_save": (None, []),
    "rank_pattern": (None, {}),
    "alpha_pattern": (None, {}),
    "layer_replication": (None, []),
    "trainable_token_indices": (None, []),
    "target_parameters": (None, []),
    "alora_invocation_tokens": (None, []),
}


class Lora(Struct, frozen=True, kw_only=True):
    """What an adapter holds.

    Attributes:
        rank: of its matrices.
        scale: that their product is multiplied by.
        parts: by the name of the weight that changes: A, float32[rank, in], and B,
            float32[out, rank].
    """

    rank: int
    scale: float
    parts: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]

    def change(self, name: str) -> NDArray[np.float32] | None:
        """Return what is added to the weight `name`, float32[out, in]; None for nothing."""
        if name not in self.parts:
            return None
        a, b = self.parts[name]
        return np.float32(self.scale) * (b @ a)


def read_lora(folder: Path) -> Lora:
    """Return the adapter in a folder that PEFT wrote.

    Raises:
        ChildFailed: there is none, or it does what no file can say.
    """
    settings = _settings(folder / "adapter_config.json")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise ChildFailed(
            f"{folder}: has no adapter_model.safetensors; expected a folder that PEFT saved with "
            "safe_serialization"
        )
    rank = int(settings["r"])
    scale = settings["lora_alpha"] / (math.sqrt(rank) if settings.get("use_rslora") else rank)
    halves: dict[str, dict[str, NDArray[np.float32]]] = {}
    for name, array in read_tensors([weights]):
        found = _NAME.fullmatch(name)
        if found is None:
            raise ChildFailed(
                f"{weights}: holds {name}, which is no LoRA matrix; expected an adapter without "
                "trained embeddings or heads (modules_to_save)"
            )
        halves.setdefault(f"{found[1]}.weight", {})[found[2]] = array
    parts = {name: _whole(weights, name, both, rank) for name, both in halves.items()}
    if not parts:
        raise ChildFailed(f"{weights}: is empty; expected the matrices of an adapter")
    return Lora(rank=rank, scale=scale, parts=parts)


def _settings(path: Path) -> Mapping[str, Any]:
    try:
        settings: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no JSON"
        raise ChildFailed(f"{path}: {reason}; expected a folder that PEFT saved") from error
    if settings.get("peft_type") != "LORA":
        raise ChildFailed(f"{path}: peft_type is {settings.get('peft_type')!r}; expected LORA")
    for key, allowed in _REFUSED.items():
        if settings.get(key) not in allowed:
            raise ChildFailed(
                f"{path}: {key} is {settings[key]!r:.80}, which no GGUF adapter can say; train "
                "without it, or export the merged model elsewhere"
            )
    return settings


def _whole(
    path: Path, name: str, halves: Mapping[str, NDArray[np.float32]], rank: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    a, b = halves.get("A"), halves.get("B")
    if a is None or b is None or a.ndim != 2 or b.ndim != 2 or not a.shape[0] == b.shape[1] == rank:
        raise ChildFailed(f"{path}: {name} lacks a matrix of rank {rank}; is the file whole?")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ChildFailed(f"{path}: {name} holds what is no number; the training diverged")
    return a, b
