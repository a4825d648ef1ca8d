"""Says in one line what went wrong while training, and what mends it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citewell.children import ChildFailed
from citewell_trl.settings import TrlConfig

# Of the allocators of PyTorch, on GPUs and elsewhere.
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


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
    except ImportError as error:
        raise ChildFailed(
            f"the training needs {error.name or 'a package'}, which cannot be imported: {error}; "
            'run: pip install "citewell[train]"'
        ) from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_about_memory(error):
            raise
        raise ChildFailed(
            f"memory ran out with batch_size = {config.batch_size}; {_smaller(config)}"
        ) from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise ChildFailed(
            f"{out}: there is no space left for it; free some, and run it again: it goes on from "
            "its last checkpoint"
        ) from error
    except Exception as error:
        # Of a module that is written in Rust, where it cannot be told apart otherwise.
        if type(error).__name__ != "SafetensorError":
            raise
        raise ChildFailed(
            f"{base}: its weights cannot be read: {error}; fetch them anew"
        ) from error


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


def _is_about_memory(error: RuntimeError) -> bool:
    return any(one in str(error).lower() for one in _NO_MEMORY)


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
