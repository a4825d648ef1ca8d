"""Which files were proven equal to what was trained, and which have to be asked again."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import msgspec

from citewell import ModelError
from citewell_llamacpp.header import Header, read_header
from citewell_llamacpp.proof import KEY, Proof, decoded
from citewell_llamacpp.wire import File

_NAME = "proven.json"
_MOST = 256


def proof_of(header: Header) -> Proof | None:
    """Return what a file carries to be proven by; None where it carries nothing of the kind."""
    text = header.values.get(KEY)
    return decoded(text) if isinstance(text, str) else None


def told(paths: tuple[Path, ...]) -> str:
    """Return in a few words whether the model that these files make was proven.

    Where there is an adapter it is what was trained; the base below it need not be.
    """
    found = [_kind(File.at(path)) for path in paths if path.is_file()]
    models = [one for one in found if one is not None]
    adapters = [proof for is_adapter, proof in models if is_adapter]
    proofs = adapters or [proof for _, proof in models]
    if not proofs:
        return "not proven"
    if all(proofs):
        return f"proven ({', '.join(dict.fromkeys(proofs))})"
    return "not proven equal to what was trained"


@lru_cache(maxsize=64)
def _kind(file: File) -> tuple[bool, str] | None:
    """Return whether a file is an adapter, and the kind that it was proven as; None for no GGUF."""
    try:
        header = read_header(Path(file.path))
    except ModelError:
        return None
    proof = proof_of(header)
    return header.is_adapter, "" if proof is None else proof.kind


class Memory:
    """Remembers which files did what they were proven by, with which version of llama.cpp.

    Args:
        folder: that the component may keep files in.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._found = self._read()

    def _read(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError, RecursionError):
            return {}

    def hash_of(self, file: File) -> str:
        """Return the SHA-256 of a file, which is read once for each of its states."""
        state = f"{file.path} {file.stamp}"
        if state not in self._found:
            with Path(file.path).open("rb") as content:
                self._keep(state, hashlib.file_digest(content, "sha256").hexdigest())
        return self._found[state]

    def has(self, *parts: str) -> bool:
        """Tell whether the model of these hashes and settings did what it was proven by."""
        return _key(parts) in self._found

    def note(self, *parts: str) -> None:
        """Remember that the model of these hashes and settings did."""
        self._keep(_key(parts), "proven")

    def _keep(self, key: str, value: str) -> None:
        # Another process may have found out something meanwhile.
        known = self._found | self._read()
        known.pop(key, None)
        self._found = dict([*known.items(), (key, value)][-_MOST:])
        part = self._path.with_suffix(f".{os.getpid()}.part")
        # What cannot be kept is found out again.
        with suppress(OSError):
            part.write_bytes(msgspec.json.encode(self._found))
            part.replace(self._path)


def _key(parts: tuple[str, ...]) -> str:
    versions = [metadata.version(one) for one in ("llama-cpp-python", "citewell")]
    return hashlib.sha256(msgspec.json.encode([*versions, *parts])).hexdigest()
