"""Checks that the tensors of a model fit each other, and an adapter its model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from citewell import ModelError
from citewell_llamacpp.header import F32, Header, Tensor
from citewell_llamacpp.wire import CHUNK

_EMBEDDING = "token_embd.weight"
# F32, F16, Q8_0 and BF16: what the converter of adapters writes. Not all types can be multiplied.
_ADAPTER_TYPES = {0, 1, 8, 30}
_ALPHA = "adapter.lora.alpha"
_KV_BYTES = 2
# Measured: 50 MB for a model of nothing; on each token of a vocabulary of 150,000 come 250 bytes.
_PROCESS_BYTES = 96 * 1024 * 1024
_TOKEN_BYTES = 512


def check_model(path: Path, header: Header) -> None:
    """Check what a file that holds a model has to hold.

    Raises:
        ModelError: it holds something else, or its parts contradict each other.
    """
    if header.is_adapter:
        raise ModelError(
            f"{path}: is a LoRA adapter; expected a model: name it under `lora`, "
            "and its base model as `path`"
        )
    parts = header.values.get("split.count", 1)
    if parts != 1:
        raise ModelError(
            f"{path}: is one of {parts} parts, of which the others would be loaded unchecked; "
            "join them: llama-gguf-split --merge"
        )
    if not header.architecture:
        raise ModelError(f'{path}: has no "general.architecture"; expected a language model')
    embedding = header.tensors.get(_EMBEDDING)
    if embedding is None or len(embedding.shape) != 2:
        raise ModelError(f"{path}: has no token embeddings; expected a language model")
    tokens = header.counts.get("tokenizer.ggml.tokens")
    if tokens is None:
        raise ModelError(f"{path}: has no vocabulary; convert it again, with its tokenizer")
    width, rows = embedding.shape
    if tokens != rows:
        raise ModelError(
            f"{path}: has a vocabulary of {tokens:,} tokens and embeddings of {rows:,}; "
            "convert it again, with its own tokenizer"
        )
    if header.number("embedding_length") != width:
        raise ModelError(
            f"{path}: says that it is {header.number('embedding_length')} wide, "
            f"its embeddings are {width}; it is damaged: fetch it again"
        )


def check_adapter(path: Path, adapter: Header, base_path: Path, base: Header) -> None:
    """Check that a LoRA adapter was made for a model like `base`.

    Raises:
        ModelError: it was not, or is no adapter.
    """
    if not adapter.is_adapter or adapter.values.get("adapter.type") != "lora":
        raise ModelError(f"{path}: is no LoRA adapter; expected a GGUF file of type adapter")
    if adapter.architecture != base.architecture:
        raise ModelError(
            f'{path}: is for models of the family "{adapter.architecture}", '
            f'{base_path} is "{base.architecture}"; use the model that it was trained on'
        )
    if adapter.kinds.get(_ALPHA, F32) != F32:
        raise ModelError(f"{path}: gives {_ALPHA} as another type than F32: convert it again")
    for target, halves in _halves(adapter).items():
        weight = base.tensors.get(target)
        if weight is None or len(weight.shape) != 2:
            found = "is not there" if weight is None else f"has the shape {weight.shape}"
            raise ModelError(
                f"{path}: changes {target}, which in {base_path} {found}; expected a matrix: "
                "use the model that it was trained on"
            )
        if not _fit(target, weight, halves):
            parts = ", ".join(f"{half} {tensor.shape}" for half, tensor in halves.items())
            raise ModelError(
                f"{path}: changes {target} by {parts}, and in {base_path} it has the shape "
                f"{weight.shape}; use the model that it was trained on"
            )
        kinds = {tensor.type for tensor in halves.values()} - _ADAPTER_TYPES
        if kinds:
            raise ModelError(
                f"{path}: stores what changes {target} as type {min(kinds)}; expected F32, F16, "
                "BF16 or Q8_0: convert it again"
            )
    if _EMBEDDING in _halves(adapter) and "output.weight" not in base.tensors:
        raise ModelError(
            f"{path}: changes {_EMBEDDING}, which {base_path} also writes with; llama.cpp cannot "
            "do that: train one that leaves the embeddings as they are"
        )


def _halves(adapter: Header) -> dict[str, dict[str, Tensor]]:
    """Return the tensors of an adapter by the weight that they change, and then by their half.

    Norms that were trained as a whole are left out: llama.cpp passes over them.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in adapter.tensors.items():
        target, _, half = name.rpartition(".")
        if not name.endswith("_norm.weight"):
            found.setdefault(target, {})[half] = tensor
    return found


def _fit(target: str, weight: Tensor, halves: Mapping[str, Tensor]) -> bool:
    """Tell whether llama.cpp can multiply both halves of a change; it ends the process if not."""
    if halves.keys() != {"lora_a", "lora_b"}:
        return False
    first, second = halves["lora_a"], halves["lora_b"]
    if len(first.shape) != 2 or len(second.shape) != 2:
        return False
    # In GGUF the first dimension is the input of a weight, the second its output.
    if target == _EMBEDDING:
        # Its first half is looked up by token, so it stands the other way round.
        sizes = (second.shape[1], first.shape[1])
        return sizes == weight.shape and first.shape[0] == second.shape[0]
    return (first.shape[0], second.shape[1]) == weight.shape and first.shape[1] == second.shape[0]


def memory_bytes(header: Header, *, context: int, conversations: int) -> int:
    """Estimate what a worker takes that computes on processors.

    Source: what llama.cpp says that it allocates, and the memory of workers, measured. In the
    cache: a key and a value in 16 bits for each token, layer and key-value head. While it computes:
    for each token of a chunk and each token before it, a score of each head in 32 bits and again in
    16, and a mask in 32, of one conversation at a time; and for each token of a chunk the logits.
    """
    layers = header.number("block_count") or 0
    heads = header.number("attention.head_count") or 1
    kv_heads = header.number("attention.head_count_kv") or heads
    head_width = (header.number("embedding_length") or 0) // max(heads, 1)
    keys = header.number("attention.key_length") or head_width
    values = header.number("attention.value_length") or head_width
    length = min(context, header.number("context_length") or context)
    vocabulary = header.counts.get("tokenizer.ggml.tokens", 0)
    cache = layers * kv_heads * (keys + values) * _KV_BYTES * length * conversations
    scores = CHUNK * length * ((4 + 2) * heads + 4)
    words = vocabulary * (_TOKEN_BYTES + 4 * CHUNK)
    return header.size + cache + scores + words + _PROCESS_BYTES
