"""Whether a folder holds a model that can learn; told before anything heavy is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from citewell import TrainingError

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_HEADER_LENGTH = 8
_LONGEST_HEADER = 100_000_000


def check_base(folder: Path) -> None:
    """Look at the files of a model.

    Raises:
        TrainingError: it cannot learn; says why, and the fix.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise TrainingError(
            f"{folder}: {what}; expected a model in the form of Hugging Face, a folder with "
            "config.json: check the path of base"
        )
    try:
        _check_config(folder / "config.json")
        _check_tokenizer(folder)
        for path in _weights(folder):
            _check_weights(path)
    except OSError as error:
        raise TrainingError(
            f"{error.filename or folder}: cannot be read: {error.strerror}; check who may read it"
        ) from error


def context_of(folder: Path) -> int | None:
    """Return how many tokens a model can read at most; None where its config does not say."""
    found = _object(folder / "config.json").get("max_position_embeddings")
    return found if isinstance(found, int) and found > 0 else None


def _check_config(path: Path) -> None:
    if not path.is_file():
        raise TrainingError(
            f"{path}: is not there; expected a model in the form of Hugging Face: a GGUF file "
            "cannot learn, so fetch the model that it was made from"
        )
    config = _object(path)
    if "auto_map" in config:
        raise TrainingError(
            f"{path}: names code of its own (auto_map), which is never run; expected a model that "
            "Transformers knows: take another base"
        )
    if "quantization_config" in config:
        raise TrainingError(
            f"{path}: names quantised weights (quantization_config); expected whole ones: take the "
            "model that it was made from"
        )


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TrainingError(f"{path}: is no JSON: {error}; fetch the file again") from error
    if not isinstance(found, dict):
        raise TrainingError(f"{path}: holds no JSON object; expected one: fetch the file again")
    return found


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model")):
        raise TrainingError(
            f"{folder}: has no tokenizer.json and no tokenizer.model; expected the tokenizer "
            "beside the weights: fetch it too"
        )


def _weights(folder: Path) -> list[Path]:
    """Return the files of weights.

    Raises:
        TrainingError: there are none, some are missing, or they are pickles.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        return _named_in(index)
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    pickled = [path.name for glob in _PICKLED for path in sorted(folder.glob(glob))]
    if pickled:
        raise TrainingError(
            f"{folder / pickled[0]}: is a pickle, which could run code; expected weights as "
            "model.safetensors: fetch those, or convert it with save_pretrained of Transformers on "
            "a machine that may be lost"
        )
    raise TrainingError(f"{folder}: has no model.safetensors; expected the weights: fetch them too")


def _named_in(index: Path) -> list[Path]:
    """Return the files that an index names.

    Raises:
        TrainingError: it names none, or one that is not beside it.
    """
    named = _object(index).get("weight_map")
    if not isinstance(named, dict) or not named:
        raise TrainingError(f"{index}: names no files; expected a weight_map: fetch it again")
    paths = [index.with_name(Path(str(name)).name) for name in sorted(set(named.values()))]
    for path in paths:
        if not path.is_file():
            raise TrainingError(f"{path}: is not there, and {index.name} names it; fetch it too")
    return paths


def _check_weights(path: Path) -> None:
    """Compare what the header of a file of safetensors says with how long the file is.

    Source: https://github.com/huggingface/safetensors, "Format".
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_HEADER_LENGTH), "little")
        header = file.read(length) if length <= _LONGEST_HEADER else b""
    try:
        tensors = json.loads(header)
        ends = [one["data_offsets"][1] for name, one in tensors.items() if name != "__metadata__"]
        whole = _HEADER_LENGTH + length + max(ends)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TrainingError(f"{path}: is no file of safetensors; fetch it again") from error
    if size != whole:
        raise TrainingError(
            f"{path}: has {size:,} bytes; expected {whole:,}: fetch it again, it was not whole"
        )
