"""Whether a folder holds a model, or an adapter, in the form that can be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "chat_template*",
)
BASE_FILES = (
    "config.json",
    "generation_config.json",
    *TOKENIZER_FILES,
    "additional_chat_templates/*",
    "*.safetensors",
    "*.safetensors.index.json",
)
"""Patterns of what makes a folder what it is; a note that somebody puts beside it does not."""

_PICKLED = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


def base_problems(folder: Path) -> Iterator[str]:
    """Yield what keeps a folder from being a model in the form of Hugging Face."""
    if not folder.is_dir():
        yield _no_folder(folder, "the folder of a model, with config.json", "base")
        return
    yield from _json_problem(folder, "config.json", "the folder of a model in Hugging Face form")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        yield (
            f"{folder} holds no tokenizer; expected {' or '.join(_TOKENIZERS)}: save the "
            "tokenizer of the model there"
        )
    if not any(folder.glob("*.safetensors")):
        yield _no_weights(folder, "*.safetensors")


def adapter_problems(folder: Path) -> Iterator[str]:
    """Yield what keeps a folder from being an adapter in the form of PEFT."""
    if not folder.is_dir():
        yield _no_folder(folder, "the folder of an adapter, with adapter_config.json", "adapter")
        return
    yield from _json_problem(folder, "adapter_config.json", "what PEFT saves")
    if not (folder / "adapter_model.safetensors").is_file():
        yield _no_weights(folder, "adapter_model.safetensors")


def context_of(base: Path) -> int | None:
    """Return how many tokens a model can read at most; None where its config does not say."""
    try:
        config = json.loads((base / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    found = config.get("max_position_embeddings") if isinstance(config, dict) else None
    return found if isinstance(found, int) and found > 0 else None


def _no_folder(folder: Path, expected: str, setting: str) -> str:
    what = "is no folder" if folder.exists() else "is not there"
    return f"{folder} {what}; expected {expected}: put one there, or name another in {setting}"


def _json_problem(folder: Path, name: str, expected: str) -> Iterator[str]:
    path = folder / name
    if not path.is_file():
        yield f"{folder} holds no {name}; expected {expected}: save it there, or name another"
        return
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        yield f"{path} cannot be read as JSON: {str(error)[:80]}; save it again"
        return
    if not isinstance(value, dict):
        yield f"{path} holds no JSON object; expected one: save it again"


def _no_weights(folder: Path, expected: str) -> str:
    pickled = next((one.name for form in _PICKLED for one in folder.glob(form)), None)
    there = f" but {pickled}, which could run code" if pickled else ""
    return (
        f"{folder} holds no {expected}{there}; expected weights as safetensors: save them with "
        "safe_serialization=True"
    )
