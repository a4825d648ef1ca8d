"""Reads tensors from files of safetensors, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from citewell.children import ChildFailed


def weight_files(folder: Path) -> list[Path]:
    """Return the files with the weights of a model.

    Raises:
        ChildFailed: there are none in the form of safetensors.
    """
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if whole.is_file():
        return [whole]
    try:
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return [folder / name for name in sorted(set(named))]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ChildFailed(
            f"{folder}: has no model.safetensors; expected a model that was saved with safetensors"
        ) from error


def read_shapes(paths: Sequence[Path]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the shapes of the tensors of files by name, in the order of `read_tensors`.

    Raises:
        ChildFailed: a file is damaged.
    """
    from safetensors import safe_open

    for path in paths:
        with _explained(path), safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no dict
                yield name, tuple(file.get_slice(name).get_shape())


def read_tensors(paths: Sequence[Path]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the tensors of files by name, as float32; a file is mapped, not read whole.

    Raises:
        ChildFailed: a file is damaged.
    """
    import torch
    from safetensors import safe_open

    for path in paths:
        # Through PyTorch: NumPy has no bfloat16.
        with _explained(path), safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no dict
                yield name, file.get_tensor(name).to(torch.float32).numpy()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError) as error:
        raise ChildFailed(f"{path}: cannot be read: {error}; is it whole?") from error
