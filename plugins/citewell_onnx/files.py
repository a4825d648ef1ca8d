"""The files of a model: where they are, whether they belong together, and what names them."""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from citewell import Context, ModelError
from citewell_onnx.settings import OnnxConfig

# Of protocol buffers: the key "location", then its value, in an entry of `external_data`.
# Source: onnx.proto, StringStringEntryProto.
_LOCATION = re.compile(rb"\x0a\x08location\x12(.)", re.DOTALL)


class Files(Struct, frozen=True):
    """What a model consists of.

    Attributes:
        stamp: of the model; another one once the file is written or replaced.
        content: SHA-256 over all files.
    """

    model: Path
    tokenizer: Path
    stamp: tuple[int, int, int]
    content: str


def files_of(config: OnnxConfig, context: Context) -> Files:
    """Return the files that `config` names.

    Raises:
        ModelError: one is not there, cannot be read, is none, or is not the one that was pinned.
    """
    folder = context.resolve(config.path)
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise ModelError(
            f"{folder}: {what}; expected a folder with {config.model} and {config.tokenizer}: "
            "check the path"
        )
    model, tokenizer = folder / config.model, folder / config.tokenizer
    for path, what in ((model, "an ONNX file"), (tokenizer, "a tokenizer of Hugging Face")):
        if not path.is_file():
            raise ModelError(f"{path}: is not there; expected {what}: check path, model, tokenizer")
    try:
        stamp = stamp_of(model)
        found = _sha256(model)
        if config.sha256 is not None and found != config.sha256:
            raise ModelError(
                f"{model}: has the SHA-256 {found}; expected {config.sha256}: this is another "
                "file than the one that was pinned"
            )
        rest = [_sha256(path) for path in (tokenizer, *_weights(model))]
    except OSError as error:
        raise ModelError(f"{folder}: cannot be read: {error.strerror}; check the path") from error
    content = hashlib.sha256(" ".join([found, *rest]).encode()).hexdigest()
    return Files(model=model, tokenizer=tokenizer, stamp=stamp, content=content)


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Return what differs once a file is written or replaced.

    Raises:
        OSError: it cannot be looked at.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _weights(model: Path) -> list[Path]:
    """Return the files beside a model in which it keeps weights.

    Raises:
        ModelError: one is elsewhere, or is not there.
    """
    paths = []
    for name in sorted(set(_locations(model))):
        if Path(name).name != name or name in {"", ".", ".."}:
            raise ModelError(
                f"{model}: keeps weights in {name!r}; expected a file beside it: export it again"
            )
        path = model.parent / name
        if not path.is_file():
            raise ModelError(
                f"{path}: is not there; {model.name} keeps weights in it: fetch it too"
            )
        paths.append(path)
    return paths


def _locations(model: Path) -> Iterator[str]:
    if not model.stat().st_size:
        return
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for match in _LOCATION.finditer(data):
            yield data[match.end() : match.end() + match[1][0]].decode("utf-8", "replace")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
