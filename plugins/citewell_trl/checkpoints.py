"""What a training goes on from: checkpoints that are whole, of the same task and settings.

TRL writes a checkpoint file by file. It counts once its seal is written, which names each file with
its hash; whatever happens before, or to a file afterwards, leaves it without a seal that is true.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

FOLDER = "checkpoints"
ADAPTER = "adapter"
UNNAMED_ADAPTER = "adapter.part"
_ASIDE = "aside"
_SEALED = "seal.json"
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"


class Progress(Struct, frozen=True, kw_only=True):
    """How the training stands.

    Attributes:
        best_step: whose weights were the best on the validation examples.
        best_loss: of them there.
        waited: trials since then.
        stopped: why it ended early; else empty.
    """

    best_step: int | None = None
    best_loss: float | None = None
    waited: int = 0
    stopped: str = ""


class Seal(Struct, frozen=True, kw_only=True):
    """Says that a checkpoint is whole.

    Attributes:
        made_of: what decided about it, by name; see `made_of`.
        files: their SHA-256, by name.
    """

    step: int
    made_of: Mapping[str, str]
    progress: Progress
    files: Mapping[str, str]


def folder_of(out: Path, step: int) -> Path:
    """Return where TRL writes the checkpoint of a step."""
    return out / FOLDER / f"checkpoint-{step}"


def seal(out: Path, step: int, *, made_of: Mapping[str, str], progress: Progress) -> None:
    """Make the checkpoint of a step count, also after a power failure."""
    folder = folder_of(out, step)
    files = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            _to_disk(path)
            files[path.name] = _sha256(path)
    sealed = Seal(step=step, made_of=made_of, progress=progress, files=files)
    _write(folder / _SEALED, msgspec.json.encode(sealed))
    _to_disk(folder.parent)


def newest(out: Path) -> Seal | None:
    """Return the last checkpoint that is whole, as is the best one up to it; None without one."""
    seals = {one.step: one for one in map(_seal_of, _folders(out)) if one is not None}
    for step in sorted(seals, reverse=True):
        best = seals[step].progress.best_step
        if best is None or best in seals:
            return seals[step]
    return None


def turn_to(out: Path, made_of: Mapping[str, str]) -> Mapping[str, str] | None:
    """Have those checkpoints in place that were made of the same, and put others aside.

    What was learnt of other things is not lost to whoever turns back to them.

    Returns:
        what those were made of that were put aside; None where there were none.
    """
    found = newest(out)
    if found is not None and found.made_of == made_of:
        return None
    if found is not None:
        _move(out / FOLDER, _aside(out, found.made_of))
    if _aside(out, made_of).exists():
        _move(_aside(out, made_of), out / FOLDER)
    return None if found is None else found.made_of


def _aside(out: Path, made_of: Mapping[str, str]) -> Path:
    named = json.dumps(dict(made_of), sort_keys=True).encode()
    return out / _ASIDE / hashlib.sha256(named).hexdigest()[:12]


def _move(folder: Path, to: Path) -> None:
    discard(to)
    to.parent.mkdir(exist_ok=True)
    folder.replace(to)


def keep(out: Path, steps: Iterable[int]) -> None:
    """Remove all checkpoints but those of `steps`."""
    kept = {folder_of(out, step) for step in steps}
    for folder in _folders(out):
        if folder not in kept:
            # Without its seal it does not count, however far the removal gets.
            with suppress(FileNotFoundError):
                (folder / _SEALED).unlink()
            shutil.rmtree(folder)


def is_begun(out: Path) -> bool:
    """Tell whether there are checkpoints, whole or not."""
    return bool(_folders(out))


def make_adapter(out: Path, step: int, *, base: str) -> None:
    """Make an adapter of a checkpoint, which has its name only once `name_adapter` gives it one."""
    made = out / UNNAMED_ADAPTER
    discard(made)
    made.mkdir()
    folder = folder_of(out, step)
    shutil.copyfile(folder / _WEIGHTS, made / _WEIGHTS)
    _to_disk(made / _WEIGHTS)
    config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    # PEFT keeps sets, whose order changes, and where the base stood, which is nobody's business.
    settled = {
        name: sorted(value) if isinstance(value, list) else value for name, value in config.items()
    }
    settled["base_model_name_or_path"] = base
    text = json.dumps(settled, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    _write(made / _CONFIG, text.encode())


def name_adapter(out: Path) -> Path:
    """Give the adapter its name, and return the folder."""
    named = out / ADAPTER
    discard(named)
    (out / UNNAMED_ADAPTER).replace(named)
    _to_disk(out)
    return named


def discard(folder: Path) -> None:
    """Remove a folder, if it is there; its name is gone before its files are."""
    gone = folder.with_name(f"{folder.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(FileNotFoundError):
        folder.replace(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _folders(out: Path) -> list[Path]:
    return sorted((out / FOLDER).glob("checkpoint-*"))


def _seal_of(folder: Path) -> Seal | None:
    """Return the seal of a checkpoint, if it is true."""
    try:
        sealed = msgspec.json.decode((folder / _SEALED).read_bytes(), type=Seal)
        is_whole = all(_sha256(folder / name) == found for name, found in sealed.files.items())
    except (OSError, msgspec.DecodeError):
        return None
    return sealed if is_whole else None


def _write(path: Path, content: bytes) -> None:
    """Write a file that is either there and whole, or not there."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    _to_disk(part)
    part.replace(path)
    _to_disk(path.parent)


def _to_disk(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
