"""Writes GGUF files: a model, an adapter, a quantised copy, and a copy that carries its proof."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import llama_cpp.llama_cpp as c
import numpy as np
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata
from msgspec import Struct

from citewell.children import ChildFailed
from citewell_llamacpp.export.families import Base
from citewell_llamacpp.export.lora import Lora
from citewell_llamacpp.export.rope import rope_of, rope_tensors, write_rope
from citewell_llamacpp.export.tensors import adapter_tensors, model_shapes, model_tensors
from citewell_llamacpp.export.vocabulary import Vocabulary
from citewell_llamacpp.native import Journal
from citewell_llamacpp.normalizing import KEY as NORMALIZER

# Source: llama.cpp, `llama_ftype`.
QUANTISED: Mapping[str, int] = {"Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q4_K_M": 15}
_FLOATS = {"F32": gguf.LlamaFileType.ALL_F32, "F16": gguf.LlamaFileType.MOSTLY_F16}


class Specials(Struct, frozen=True, kw_only=True):
    """The tokens with a task, and the chat template, as the tokenizer of the base has them.

    Attributes:
        bos: begins a text; None where nothing does.
        eos: ends one.
        turn_end: ends an answer in the chat template, where that is not `eos`.
        pad: fills up batches.
        unknown: stands for what is no token.
        adds_bos: whether `bos` is put before a conversation that the template laid out.
        template: Jinja.
    """

    bos: int | None
    eos: int
    turn_end: int | None = None
    pad: int | None = None
    unknown: int | None = None
    adds_bos: bool = False
    template: str


class Described(Struct, frozen=True, kw_only=True):
    """What a file says about itself."""

    name: str
    card: Mapping[str, str]


def write_model(
    path: Path,
    base: Base,
    lora: Lora | None,
    *,
    kind: str,
    tokens: tuple[Vocabulary, Specials],
    described: Described,
) -> None:
    """Write a model in F32 or F16, with what it learnt merged in.

    Raises:
        ChildFailed: the model has something that is not proven.
    """
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[base.family.architecture])
    rope = rope_of(base)
    _describe(writer, described)
    _write_shape(writer, base)
    write_rope(writer, base, rope)
    writer.add_file_type(_FLOATS[kind])
    _write_tokens(writer, *tokens)
    extra = rope_tensors(rope)
    is_half = kind == "F16"
    for name, shape in model_shapes(base):
        dtype = np.dtype(np.float16 if is_half and len(shape) > 1 else np.float32)
        writer.add_tensor_info(name, shape, dtype, math.prod(shape) * dtype.itemsize)
    for name, array in extra.items():
        writer.add_tensor_info(name, array.shape, array.dtype, array.nbytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, array in model_tensors(base, lora):
        writer.write_tensor_data(_cast(array, half=is_half and array.ndim > 1))
    for array in extra.values():
        writer.write_tensor_data(array)
    writer.close()


def write_adapter(path: Path, base: Base, lora: Lora, *, form: str, described: Described) -> None:
    """Write an adapter in F32.

    Args:
        path: of the file.
        base: that it is used with.
        lora: what was learnt.
        form: Unicode form that text is brought into; the file of the base may not say it.
        described: what the file says about itself.

    Raises:
        ChildFailed: it changes what no file can change.
    """
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[base.family.architecture])
    writer.add_type(gguf.GGUFType.ADAPTER)
    _describe(writer, described)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    if form:
        writer.add_string(NORMALIZER, form)
    # llama.cpp divides it by the rank, whatever the adapter was trained with.
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(lora.scale * lora.rank))
    for name, array in adapter_tensors(base, lora):
        writer.add_tensor(name, np.ascontiguousarray(array))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantise(source: Path, path: Path, kind: str, *, threads: int) -> None:
    """Write a quantised copy of a file in F32 or F16.

    Raises:
        ChildFailed: llama.cpp refuses.
    """
    journal = Journal()
    settings = c.llama_model_quantize_default_params()
    settings.ftype = QUANTISED[kind]
    settings.nthread = threads
    status = c.llama_model_quantize(
        str(source).encode(), str(path).encode(), ctypes.byref(settings)
    )
    if status:
        raise ChildFailed(f"llama.cpp cannot quantise to {kind}: {journal.last()}")


def write_copy(source: Path, path: Path, values: Mapping[str, str]) -> None:
    """Write a copy of a file with further texts in its head."""
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field(gguf.Keys.General.ARCHITECTURE)
    assert architecture is not None  # noqa: S101 - we wrote it
    writer = gguf.GGUFWriter(path, architecture.contents())
    alignment = reader.get_field(gguf.Keys.General.ALIGNMENT)
    if alignment is not None:
        writer.data_alignment = alignment.contents()
    added = {
        key: MetadataDetails(gguf.GGUFValueType.STRING, value) for key, value in values.items()
    }
    copy_with_new_metadata(reader, writer, added, [])


def _cast(array: np.ndarray[Any, Any], *, half: bool) -> np.ndarray[Any, Any]:
    if not half:
        return np.ascontiguousarray(array, np.float32)
    with np.errstate(over="ignore"):
        cast = array.astype(np.float16)
    if not np.isfinite(cast).all():
        raise ChildFailed("a weight is too large for F16; export F32")
    return np.ascontiguousarray(cast)


def _describe(writer: gguf.GGUFWriter, described: Described) -> None:
    writer.add_name(described.name)
    for key, value in described.card.items():
        if key == "license":
            writer.add_license(value)
        else:
            writer.add_string(f"citewell.card.{key}", value)


def _write_shape(writer: gguf.GGUFWriter, base: Base) -> None:
    settings = base.settings
    writer.add_context_length(int(settings["max_position_embeddings"]))
    writer.add_embedding_length(int(settings["hidden_size"]))
    writer.add_block_count(base.layers)
    writer.add_feed_forward_length(int(settings["intermediate_size"]))
    writer.add_head_count(base.heads)
    writer.add_head_count_kv(base.kv_heads)
    writer.add_key_length(base.head_width)
    writer.add_value_length(base.head_width)
    writer.add_layer_norm_rms_eps(float(settings.get("rms_norm_eps", 1e-6)))
    writer.add_vocab_size(int(settings["vocab_size"]))
    window = settings.get("sliding_window")
    if base.family.name == "gemma3":
        writer.add_sliding_window(int(window or 4096))
    elif base.family.name == "phi3":
        # 0 tells Phi-4 from others: no window at all.
        writer.add_sliding_window(0)


def _write_tokens(writer: gguf.GGUFWriter, tokens: Vocabulary, specials: Specials) -> None:
    writer.add_tokenizer_model(tokens.model)
    writer.add_tokenizer_pre(tokens.pre)
    writer.add_token_list(list(tokens.tokens))
    writer.add_token_types(list(tokens.kinds))
    if tokens.scores:
        writer.add_token_scores(list(tokens.scores))
    if tokens.merges:
        writer.add_token_merges(list(tokens.merges))
    if tokens.adds_space is not None:
        writer.add_add_space_prefix(tokens.adds_space)
    if tokens.normalizer:
        writer.add_string(NORMALIZER, tokens.normalizer)
    for add, token in (
        (writer.add_bos_token_id, specials.bos),
        (writer.add_eos_token_id, specials.eos),
        (writer.add_eot_token_id, specials.turn_end),
        (writer.add_pad_token_id, specials.pad),
        (writer.add_unk_token_id, specials.unknown),
    ):
        if token is not None:
            add(token)
    writer.add_add_bos_token(value=specials.adds_bos)
    writer.add_add_eos_token(value=False)
    writer.add_chat_template(specials.template)
