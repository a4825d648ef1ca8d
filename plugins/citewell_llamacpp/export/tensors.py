"""The weights of a model under the names, and in the order of rows, that llama.cpp wants."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from citewell.children import ChildFailed
from citewell_llamacpp.export.families import Base
from citewell_llamacpp.export.lora import Lora
from citewell_llamacpp.export.reading import read_shapes, read_tensors, weight_files

_SUFFIXES = (".weight", ".bias")
# Buffers of older files, which are computed anew.
_IGNORED = ("rotary_emb.inv_freq",)


def model_shapes(base: Base) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the shapes of what `model_tensors` yields.

    Raises:
        ChildFailed: a weight has no name in the file.
    """
    for name, shape in read_shapes(weight_files(base.folder)):
        if not _is_left_out(base, name):
            yield _named(base, name), shape


def model_tensors(base: Base, lora: Lora | None) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights of a model by their names in the file, with what it learnt merged in.

    Raises:
        ChildFailed: a weight has no name there, or the adapter changes one that is not there.
    """
    unchanged = set(lora.parts) if lora is not None else set()
    for name, array in read_tensors(weight_files(base.folder)):
        if _is_left_out(base, name):
            continue
        change = lora.change(name) if lora is not None else None
        whole = array
        if change is not None:
            _check_shape(name, change.shape, array.shape)
            whole = array + change
            unchanged.discard(name)
        yield _named(base, name), _arranged(base, name, whole)
    if unchanged:
        raise _no_weight(base, min(unchanged))


def adapter_tensors(base: Base, lora: Lora) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the matrices of an adapter by their names in the file.

    Raises:
        ChildFailed: it changes what is not in the model, or what a file cannot change.
    """
    for name, (a, b) in lora.parts.items():
        if name in {"model.embed_tokens.weight", "lm_head.weight"}:
            raise ChildFailed(
                f"the adapter changes {name}, which was not proven of adapters; expected one that "
                "changes projections alone (target_modules = all-linear)"
            )
        named = _named(base, name)
        yield f"{named}.lora_a", a
        # A stays: only the rows of the product change their order.
        yield f"{named}.lora_b", _permuted(base, name, b)


def _is_left_out(base: Base, name: str) -> bool:
    return name.endswith(_IGNORED) or (base.is_tied and name == "lm_head.weight")


def _named(base: Base, name: str) -> str:
    found = base.names.get_name(name, try_suffixes=_SUFFIXES)
    if found is None:
        raise _no_weight(base, name)
    return found


def _no_weight(base: Base, name: str) -> ChildFailed:
    return ChildFailed(
        f"{name} is no weight of the family {base.family.name} that was proven; is this the base "
        "that the adapter was trained on?"
    )


def _check_shape(name: str, changed: tuple[int, ...], given: tuple[int, ...]) -> None:
    if changed != given:
        raise ChildFailed(
            f"the adapter changes {name} in the shape {changed}, but it has {given}; is this the "
            "base that it was trained on?"
        )


def _arranged(base: Base, name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    if base.family.shifts_norms and name.endswith("norm.weight"):
        return array + np.float32(1)
    return _permuted(base, name, array)


def _permuted(base: Base, name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows so that neighbours rotate together. Source: llama.cpp, `LlamaModel.permute`."""
    heads = {"q_proj": base.heads, "k_proj": base.kv_heads}.get(name.split(".")[-2])
    if not base.family.permutes or heads is None:
        return array
    half = array.shape[0] // heads // 2
    halves = array.reshape(heads, 2, half, *array.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(array.shape))
