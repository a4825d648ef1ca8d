"""What decides about an adapter: where it is the same, so is the adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from citewell_trl.wire import Order

_PACKAGES = ("accelerate", "datasets", "peft", "tokenizers", "torch", "transformers", "trl")
_DECIDING = (".json", ".jinja", ".model", ".safetensors", ".txt")


def made_of(order: Order) -> dict[str, str]:
    """Return a hash of each thing that decides, by what people call it."""
    task = order.task
    return {
        "the base": _hash(_base(task.base)),
        "the examples": _hash([task.kind.value, *_content(task.examples)]),
        "the validation examples": _hash(_content(task.validation)),
        "the settings": _hash([order.settings, *_content(order.chat_template)]),
        "the installed packages": _hash(version(name) for name in _PACKAGES),
    }


def differing(now: Mapping[str, str], then: Mapping[str, str]) -> str:
    """Name what is not what it was; empty where nothing is."""
    return " and ".join(name for name, found in now.items() if then.get(name) != found)


def _base(folder: Path) -> Iterable[str]:
    """Yield what tells a model from others, however it was copied."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _DECIDING:
            yield from (path.name, *_content(path))


def _content(path: Path | None) -> Iterable[str]:
    if path is not None:
        with path.open("rb") as file:
            yield hashlib.file_digest(file, "sha256").hexdigest()


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
