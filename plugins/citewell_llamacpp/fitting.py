"""Checks that the tensors of a model fit each other, and an adapter its model."""

from __future__ import annotations

from pathlib import Path

from citewell import ModelError
from citewell_llamacpp.header import Header

_KV_BYTES = 2
_COMPUTE_BYTES = 256 * 1024 * 1024


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
    if not header.architecture:
        raise ModelError(f'{path}: has no "general.architecture"; expected a language model')
    embedding = header.tensors.get("token_embd.weight")
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
    for name, tensor in adapter.tensors.items():
        target, _, half = name.rpartition(".")
        weight = base.tensors.get(target)
        # In GGUF the first dimension is the input of a weight, the second its output.
        wanted = {"lora_a": (0, 0), "lora_b": (1, 1)}.get(half)
        if wanted is None:
            continue
        ours, theirs = wanted
        if weight is None or tensor.shape[ours] != weight.shape[theirs]:
            found = "is not there" if weight is None else f"has the shape {weight.shape}"
            raise ModelError(
                f"{path}: changes {target}, which in {base_path} {found}; "
                "use the model that it was trained on"
            )


def memory_bytes(header: Header, *, context: int, conversations: int) -> int:
    """Estimate what a worker takes: the weights, the caches of conversations, and room to compute.

    Source: the cache holds a key and a value in 16 bits for each token, layer and key-value head.
    """
    layers = header.number("block_count") or 0
    heads = header.number("attention.head_count") or 1
    kv_heads = header.number("attention.head_count_kv") or heads
    head_width = (header.number("embedding_length") or 0) // max(heads, 1)
    keys = header.number("attention.key_length") or head_width
    values = header.number("attention.value_length") or head_width
    trained = header.number("context_length") or context
    cells = min(context, trained) * conversations
    return header.size + layers * kv_heads * (keys + values) * _KV_BYTES * cells + _COMPUTE_BYTES
