"""Which models can become GGUF files, and what of their settings llama.cpp computes alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
from msgspec import Struct

from citewell.children import ChildFailed

Settings = Mapping[str, Any]
_ABSENT = object()


class Family(Struct, frozen=True, kw_only=True):
    """One kind of model.

    Attributes:
        name: as people call it.
        architecture: of the file.
        permutes: whether rows of the query and key projections change their order, because
            llama.cpp rotates neighbours where transformers rotates halves.
        shifts_norms: whether norms multiply by one more than their weight.
        demands: settings, and the values that they may have; None stands for absent.
        check: raises for further settings that llama.cpp would not follow.
        tolerance: by how much a logit of an F32 file may differ, where the deviation of logits is
            that of random weights.
    """

    name: str
    architecture: gguf.MODEL_ARCH
    permutes: bool = False
    shifts_norms: bool = False
    demands: Mapping[str, tuple[object, ...]]
    check: Callable[[Settings], None] = lambda _settings: None
    tolerance: float = 0.02


def _mistral(settings: Settings) -> None:
    _whole(settings)


def _whole(settings: Settings) -> None:
    window = settings.get("sliding_window")
    if window is not None and window < settings["max_position_embeddings"]:
        raise _refusal("sliding_window", window, "null: llama.cpp attends to everything")


def _qwen2(settings: Settings) -> None:
    if settings.get("use_sliding_window"):
        raise _refusal("use_sliding_window", value=True, expected="false")


def _gemma3(settings: Settings) -> None:
    scalar, head = settings.get("query_pre_attn_scalar", 256), settings.get("head_dim", 256)
    if scalar != head:
        raise _refusal("query_pre_attn_scalar", scalar, f"{head}, as head_dim")
    count = settings["num_hidden_layers"]
    usual = ["full_attention" if (at + 1) % 6 == 0 else "sliding_attention" for at in range(count)]
    if settings.get("layer_types", usual) != usual:
        raise _refusal("layer_types", settings["layer_types"], "full attention in each sixth layer")
    local = settings.get("rope_local_base_freq", 10_000.0)
    rope = settings.get("rope_parameters") or {}
    local = rope.get("sliding_attention", {}).get("rope_theta", local)
    kind = rope.get("sliding_attention", {}).get("rope_type", "default")
    if local != 10_000 or kind != "default":
        raise _refusal("rope_parameters of sliding_attention", rope, "a rope_theta of 10000")


_SILU = {"hidden_act": ("silu", None), "pretraining_tp": (1, None)}
_LLAMA = _SILU | {"attention_bias": (False, None), "mlp_bias": (False, None)}
FAMILIES: Mapping[str, Family] = {
    "LlamaForCausalLM": Family(
        name="llama", architecture=gguf.MODEL_ARCH.LLAMA, permutes=True, demands=_LLAMA
    ),
    "MistralForCausalLM": Family(
        name="mistral",
        architecture=gguf.MODEL_ARCH.LLAMA,
        permutes=True,
        demands=_LLAMA,
        check=_mistral,
    ),
    "Qwen2ForCausalLM": Family(
        name="qwen2", architecture=gguf.MODEL_ARCH.QWEN2, demands=_SILU, check=_qwen2
    ),
    "Qwen3ForCausalLM": Family(
        name="qwen3",
        architecture=gguf.MODEL_ARCH.QWEN3,
        demands=_SILU | {"attention_bias": (False, None)},
        check=_qwen2,
    ),
    "Gemma3ForCausalLM": Family(
        name="gemma3",
        architecture=gguf.MODEL_ARCH.GEMMA3,
        shifts_norms=True,
        demands={
            "hidden_activation": ("gelu_pytorch_tanh",),
            "attention_bias": (False, None),
            "attn_logit_softcapping": (None,),
            "final_logit_softcapping": (None,),
            "use_bidirectional_attention": (False, None),
        },
        check=_gemma3,
        # llama.cpp reads GELU from a table in half precision: measured up to .023 with 18 layers.
        tolerance=0.05,
    ),
    "Phi3ForCausalLM": Family(
        name="phi3", architecture=gguf.MODEL_ARCH.PHI3, demands=_SILU, check=_whole
    ),
}
"""By the name of the class in transformers. A family stands here once its files are proven."""


class Base(Struct, frozen=True, kw_only=True):
    """The model that learnt."""

    folder: Path
    family: Family
    settings: Settings

    @property
    def layers(self) -> int:
        """How many blocks it has."""
        return int(self.settings["num_hidden_layers"])

    @property
    def heads(self) -> int:
        """How many attention heads it has."""
        return int(self.settings["num_attention_heads"])

    @property
    def kv_heads(self) -> int:
        """How many of them have keys and values of their own."""
        return int(self.settings.get("num_key_value_heads") or self.heads)

    @property
    def head_width(self) -> int:
        """How many numbers a head has."""
        return int(self.settings.get("head_dim") or self.settings["hidden_size"] // self.heads)

    @property
    def is_tied(self) -> bool:
        """Whether it writes with its embeddings."""
        usual = self.family.name == "gemma3"
        return bool(self.settings.get("tie_word_embeddings", usual))

    @property
    def names(self) -> gguf.TensorNameMap:
        """What its tensors are called in the file."""
        return gguf.get_tensor_name_map(self.family.architecture, self.layers)


def read_base(folder: Path) -> Base:
    """Return the model in a folder, if it is of a family that is proven.

    Raises:
        ChildFailed: it is not, or has a setting that llama.cpp does not follow; names it.
    """
    path = folder / "config.json"
    settings = _settings(path)
    named = (settings.get("architectures") or ["none"])[0]
    family = FAMILIES.get(named)
    if family is None:
        raise ChildFailed(
            f"{path}: the architecture {named} was not proven, so it is not exported; expected one "
            f"of {', '.join(FAMILIES)}"
        )
    for key, allowed in family.demands.items():
        value = settings.get(key, _ABSENT)
        if (None if value is _ABSENT else value) not in allowed:
            raise _refusal(key, value, " or ".join(_shown(one) for one in allowed))
    family.check(settings)
    if settings.get("quantization_config"):
        raise _refusal("quantization_config", "set", "a base with unquantised weights")
    return Base(folder=folder, family=family, settings=settings)


def _settings(path: Path) -> Settings:
    """Return what a config says, with what transformers takes where it says nothing."""
    from transformers import AutoConfig

    try:
        json.loads(path.read_text(encoding="utf-8"))
        found = AutoConfig.from_pretrained(
            path.parent, local_files_only=True, trust_remote_code=False
        )
    # A config is checked by code of its own, which raises what it likes.
    except Exception as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ChildFailed(
            f"{path}: {reason:.200}; expected the config.json of a model from transformers"
        ) from error
    settings: Settings = found.to_dict()
    return settings


def _refusal(key: str, value: object, expected: str) -> ChildFailed:
    return ChildFailed(
        f"config.json has {key} = {_shown(value)}, with which no file was proven; "
        f"expected {expected}"
    )


def _shown(value: object) -> str:
    return f"{json.dumps(None if value is _ABSENT else value):.60}"
