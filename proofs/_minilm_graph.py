"""MiniLM as an ONNX graph: what a BERT model computes up to the vectors of its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_OPSET = 20
"""The first with `Gelu`; it is the exact one, as in the model."""
_IR = 9
_FAR = -1e9
"""Added to what a token that pads would attend to."""


def model(weights: Mapping[str, NDArray[np.float32]], config: Mapping[str, Any]) -> bytes:
    """Return the model, which takes what tokenizers give and returns `last_hidden_state`."""
    graph = _Graph(weights, config)
    hidden = graph.embedded()
    reach = graph.reach()
    for layer in range(config["num_hidden_layers"]):
        hidden = graph.layer(layer, hidden, reach)
    return graph.finished(hidden)


class _Graph:
    """Nodes so far. Each method adds some, and returns the name of what they give."""

    def __init__(
        self, weights: Mapping[str, NDArray[np.float32]], config: Mapping[str, Any]
    ) -> None:
        self._weights = weights
        self._config = config
        self._heads = config["num_attention_heads"]
        self._head_size = config["hidden_size"] // self._heads
        self._nodes: list[onnx.NodeProto] = []
        self._known: dict[str, onnx.TensorProto] = {}

    def embedded(self) -> str:
        """Sum the embeddings of pieces, of kinds and of places."""
        words = self._add("Gather", self._weight("word_embeddings.weight"), "input_ids")
        kinds = self._add("Gather", self._weight("token_type_embeddings.weight"), "token_type_ids")
        length = self._add("Shape", "input_ids", start=1)
        known = self._weight("position_embeddings.weight")
        places = self._add("Slice", known, self._constant("begin", np.array([0], np.int64)), length)
        summed = self._add("Add", self._add("Add", words, kinds), places)
        return self._normed(summed, "embeddings.LayerNorm")

    def reach(self) -> str:
        """Return what is added to attention: nothing, or for what pads, much below it."""
        axes = self._constant("reach axes", np.array([1, 2], np.int64))
        mask = self._add("Cast", "attention_mask", to=TensorProto.FLOAT)
        padded = self._add("Sub", self._number("1.0", 1.0), self._add("Unsqueeze", mask, axes))
        return self._add("Mul", padded, self._number("far", _FAR))

    def layer(self, layer: int, hidden: str, reach: str) -> str:
        """Attend, then compute for each token by itself."""
        name = f"encoder.layer.{layer}."
        attended = self._attention(f"{name}attention.self.", hidden, reach)
        mixed = self._linear(attended, f"{name}attention.output.dense")
        seen = self._normed(self._add("Add", mixed, hidden), f"{name}attention.output.LayerNorm")
        wide = self._add("Gelu", self._linear(seen, f"{name}intermediate.dense"))
        narrow = self._linear(wide, f"{name}output.dense")
        return self._normed(self._add("Add", narrow, seen), f"{name}output.LayerNorm")

    def finished(self, hidden: str) -> bytes:
        """Return the whole model."""
        self._nodes.append(helper.make_node("Identity", [hidden], ["last_hidden_state"]))
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ]
        shape = ["batch", "tokens", self._config["hidden_size"]]
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "bert", inputs, [output], list(self._known.values()))
        opsets = [helper.make_opsetid("", _OPSET)]
        finished = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
        onnx.checker.check_model(finished, full_check=True)
        return bytes(finished.SerializeToString())

    def _attention(self, name: str, hidden: str, reach: str) -> str:
        query, key, value = (
            self._heads_apart(self._linear(hidden, f"{name}{part}"), order)
            for part, order in (
                ("query", (0, 2, 1, 3)),
                ("key", (0, 2, 3, 1)),
                ("value", (0, 2, 1, 3)),
            )
        )
        scale = self._number("scale", self._head_size**-0.5)
        scores = self._add("Mul", self._add("MatMul", query, key), scale)
        shares = self._add("Softmax", self._add("Add", scores, reach), axis=-1)
        mixed = self._add("Transpose", self._add("MatMul", shares, value), perm=[0, 2, 1, 3])
        together = np.array([0, 0, self._heads * self._head_size], np.int64)
        return self._add("Reshape", mixed, self._constant("together", together))

    def _heads_apart(self, hidden: str, order: tuple[int, ...]) -> str:
        shape = np.array([0, 0, self._heads, self._head_size], np.int64)
        apart = self._add("Reshape", hidden, self._constant("apart", shape))
        return self._add("Transpose", apart, perm=list(order))

    def _linear(self, hidden: str, name: str) -> str:
        matrix = self._constant(f"{name}.turned", self._weights[f"{name}.weight"].T)
        product = self._add("MatMul", hidden, matrix)
        return self._add("Add", product, self._constant(f"{name}.bias"))

    def _normed(self, hidden: str, name: str) -> str:
        scale, bias = self._constant(f"{name}.weight"), self._constant(f"{name}.bias")
        epsilon = self._config["layer_norm_eps"]
        return self._add("LayerNormalization", hidden, scale, bias, epsilon=epsilon)

    def _weight(self, name: str) -> str:
        return self._constant(f"embeddings.{name}")

    def _number(self, name: str, value: float) -> str:
        return self._constant(name, np.array(value, np.float32))

    def _constant(self, name: str, array: NDArray[Any] | None = None) -> str:
        if name not in self._known:
            values = self._weights[name] if array is None else array
            self._known[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def _add(self, kind: str, *inputs: str, **settings: Any) -> str:
        name = f"{kind.lower()} {len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **settings))
        return name
