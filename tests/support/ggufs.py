"""Small real GGUF files for tests, made once a run."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import pytest

# It is not imported here: it leaves files open, and models run in processes of their own.
if find_spec("llama_cpp") is None:
    pytest.skip("llama.cpp is not compiled on this machine", allow_module_level=True)

from random_gguf import TEMPLATE, Shape, write_adapter, write_model

__all__ = ["TEMPLATE", "Shape", "adapter", "model", "write_adapter", "write_model"]


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="citewell-gguf-"))


@cache
def model(seed: int = 0) -> Path:
    """Return a tiny model with random weights."""
    path = _folder() / f"model-{seed}.gguf"
    write_model(path, seed=seed)
    return path


@cache
def adapter(seed: int = 1) -> Path:
    """Return a LoRA adapter for the tiny model."""
    path = _folder() / f"lora-{seed}.gguf"
    write_adapter(path, seed=seed)
    return path
