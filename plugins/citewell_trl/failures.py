"""Says in one line what went wrong while training, and what mends it."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from citewell.children import ChildFailed
from citewell_trl.settings import TrlConfig

# Of the allocators of PyTorch, on GPUs and elsewhere.
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Of safetensors, and of what PyTorch writes zip files with.
_NO_SPACE_SAID = (
    *(f"(os error {number})" for number in _NO_SPACE),
    "] . unexpected pos ",
    "pytorchstreamwriter failed writing",
)


@contextmanager
def explained(config: TrlConfig, *, base: Path, out: Path) -> Iterator[None]:
    """Turn the failures that users meet into `ChildFailed`.

    Raises:
        ChildFailed: what went wrong, and the fix.
    """
    try:
        yield
    except ChildFailed:
        raise
    except Exception as error:
        told = _told(error, config, base=base, out=out)
        if told is None:
            raise
        raise ChildFailed(told) from error


def _told(error: Exception, config: TrlConfig, *, base: Path, out: Path) -> str | None:
    """Say what went wrong; None where that is nothing that a user could mend."""
    if isinstance(error, ImportError):
        return (
            f"the training needs {error.name or 'a package'}, which cannot be imported: {error}; "
            'run: pip install "citewell[train]"'
        )
    if _is_about_memory(error):
        return f"memory ran out with batch_size = {config.batch_size}; {_smaller(config)}"
    if _is_about_space(error):
        return (
            f"{out}: there is no space left for it; free some, and run it again: it goes on from "
            "its last checkpoint"
        )
    # Of a module that is written in Rust, where it cannot be told apart otherwise.
    if type(error).__name__ != "SafetensorError":
        return None
    if "while serializing" in str(error):
        return f"{out}: cannot be written: {error}; check who may write it"
    return f"{base}: its weights cannot be read: {error}; fetch them anew"


def lost(config: TrlConfig, how: str) -> str:
    """Say that the process of a training ended."""
    return (
        f"the process that trains {how}; run it again, and it goes on from its last checkpoint; if "
        f"memory ran out, {_smaller(config)}"
    )


def diverged(config: TrlConfig, *, step: int, loss: float, what: str) -> ChildFailed:
    """Say that a loss is no number any more."""
    return ChildFailed(
        f"the {what} of step {step} is {loss}; expected a number: lower learning_rate = "
        f'{config.rate:g}, or set precision = "float32"'
    )


def _is_about_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and _says(error, _NO_MEMORY)


def _is_about_space(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_SPACE
    return _says(error, _NO_SPACE_SAID)


def _says(error: Exception, words: Iterable[str]) -> bool:
    return any(one in str(error).lower() for one in words)


def _smaller(config: TrlConfig) -> str:
    """Say what takes less memory."""
    least = 2 if config.method == "kto" else 1
    if config.batch_size > least:
        half = max(least, config.batch_size // 2)
        doubled = config.accumulate * config.batch_size // half
        return f"set batch_size = {half} and accumulate = {doubled}, which learn the same"
    if not config.gradient_checkpointing:
        return "set gradient_checkpointing = true"
    return "lower max_tokens, or take a smaller base"
