"""Small real ONNX models with real tokenizers for tests, made once a run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_WORDS = (
    "a", "an", "at", "canteen", "closed", "day", "days", "does", "employee", "every", "have",
    "has", "how", "in", "is", "leave", "lunch", "many", "may", "noon", "of", "office", "on",
    "passage", "query", "served", "sick", "sunday", "sundays", "the", "when", "year",
)  # fmt: skip
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_OPSET = 18
_IR = 9
WIDTH = 48


@cache
def embedder(seed: int = 0) -> Path:
    """Return a folder with a model that gives each token its own vector."""
    return write_embedder(Path(mkdtemp(prefix="citewell-onnx-")) / "model", seed=seed)


@cache
def cross_encoder() -> Path:
    """Return a folder with a model that scores a pair by the tokens that both have."""
    return write_cross_encoder(Path(mkdtemp(prefix="citewell-onnx-")) / "model")


def write_embedder(
    folder: Path,
    *,
    seed: int = 0,
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
    outside: str | None = None,
    pooled: bool = False,
    scale: float = 1.0,
) -> Path:
    """Write a model: a table of vectors, mixed by a matrix.

    Args:
        folder: is made.
        seed: of its weights.
        inputs: that it wants.
        outside: name of a file that holds its weights, as large models have one.
        pooled: it has a further output `sentence_embedding`, the sum of the vectors.
        scale: of its weights.
    """
    random, size = np.random.default_rng(seed), len(_vocabulary())
    table = (random.normal(0, 1, (size, WIDTH)) * scale).astype(np.float32)
    matrix = random.normal(0, WIDTH**-0.5, (WIDTH, WIDTH)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("MatMul", ["rows", "matrix"], ["last_hidden_state"]),
    ]
    outputs = [_tensor("last_hidden_state", ["batch", "tokens", WIDTH])]
    if pooled:
        nodes.append(
            helper.make_node(
                "ReduceSum", ["last_hidden_state", "one"], ["sentence_embedding"], keepdims=0
            )
        )
        outputs.append(_tensor("sentence_embedding", ["batch", WIDTH]))
    arrays = {"table": table, "matrix": matrix, "one": np.array([1], np.int64)}
    _write(folder, nodes, inputs, outputs, arrays, outside=outside)
    return folder


def write_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Write a model that looks for each token of the question the likest one of the passage."""
    table = np.random.default_rng(0).normal(0, 1, (len(_vocabulary()), WIDTH)).astype(np.float32)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    steps = (
        ("Gather", ["table", "input_ids"], "rows", {}),
        ("Transpose", ["rows"], "turned", {"perm": [0, 2, 1]}),
        ("MatMul", ["rows", "turned"], "likeness", {}),
        ("Cast", ["token_type_ids"], "second", {"to": TensorProto.FLOAT}),
        ("Sub", ["one", "second"], "first", {}),
        ("Unsqueeze", ["first", "axis"], "barred", {}),
        ("Mul", ["barred", "far"], "bar", {}),
        ("Add", ["likeness", "bar"], "seen", {}),
        ("ReduceMax", ["seen", "last"], "best", {"keepdims": 0}),
        ("Mul", ["best", "first"], "asked", {}),
        ("ReduceSum", ["asked", "last"], "sum", {"keepdims": 1}),
        ("Tile", ["sum", "labels"], "logits", {}),
    )
    nodes = [helper.make_node(kind, given, [made], **more) for kind, given, made, more in steps]
    arrays = {
        "table": table,
        "one": np.array(1, np.float32),
        "far": np.array(-1e3, np.float32),
        "axis": np.array([1], np.int64),
        "last": np.array([-1], np.int64),
        "labels": np.array([1, labels], np.int64),
    }
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    _write(folder, nodes, inputs, [_tensor("logits", ["batch", labels])], arrays)
    return folder


def tokenizer() -> Tokenizer:
    """Return a tokenizer as BERT has one; like many that are published, it cuts and pads."""
    vocabulary = _vocabulary()
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    made.enable_truncation(16)
    made.enable_padding(length=16)
    return made


def _vocabulary() -> dict[str, int]:
    letters = [chr(at) for at in (*range(33, 65), *range(97, 123))]
    pieces = (*_SPECIAL, *_WORDS, *letters, *(f"##{letter}" for letter in letters))
    return {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}


def _tensor(name: str, shape: list[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _write(
    folder: Path,
    nodes: list[onnx.NodeProto],
    inputs: Sequence[str],
    outputs: list[onnx.ValueInfoProto],
    arrays: dict[str, np.ndarray[Any, Any]],
    *,
    outside: str | None = None,
) -> None:
    folder.mkdir(parents=True)
    given = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in inputs
    ]
    known = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "test", given, outputs, known)
    opsets = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
    onnx.checker.check_model(model, full_check=True)
    if outside is None:
        onnx.save_model(model, folder / "model.onnx")
    else:
        settings = {"all_tensors_to_one_file": True, "location": outside, "size_threshold": 0}
        onnx.save_model(model, folder / "model.onnx", save_as_external_data=True, **settings)
    tokenizer().save(str(folder / "tokenizer.json"))
