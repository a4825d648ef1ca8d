"""Runs heavy work in a process of its own, which may run out of memory, crash, or be stopped."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import BinaryIO, TypeAlias

_KEPT_VARIABLES = frozenset(
    ("APPDATA", "HOME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE",
     "PYTHONHOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ", "USERPROFILE")
)  # fmt: skip
_KEPT_FAMILIES = ("CUDA_", "CUBLAS_", "HIP_", "LC_", "MKL_", "NVIDIA_", "OMP_", "ROCR_", "TORCH")
# No library asks the network for anything, or tells anybody what is done.
_OFFLINE = {
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "disabled",
}
_MESSAGE, _FAILED, _DONE = b"+", b"!", b"."
_LONGEST_LINE = 64 * 1024 * 1024
_LONGEST_REASON = 400
_PARENT = "CITEWELL_PARENT"
_WATCH_S = 1.0
_SET_PARENT_DEATH_SIGNAL = 1

Tell: TypeAlias = Callable[[bytes], None]
"""Hands a message, which must hold no line break, to the parent."""


class ChildFailed(Exception):
    """The work failed; says why in one line."""


class ChildLost(Exception):
    """The process ended before its work was done; says how in one line."""


async def run(
    module: str, task: bytes, *, log: Path, variables: Mapping[str, str] | None = None
) -> AsyncGenerator[bytes, None]:
    """Run `module` in a new process and yield the messages that its work tells.

    The module calls `serve` when it is run by its name. Its process inherits no secrets, and
    libraries for models are told to stay offline; what it prints is appended to `log`. It ends,
    with all that it started, when the iterator is closed, and when this process does.

    Args:
        module: of an installed package.
        task: that `serve` hands to the work; without a line break.
        log: file for what is printed.
        variables: of the environment, beside those that every process needs.

    Raises:
        ChildFailed: the work raised an exception.
        ChildLost: the process ended otherwise.
    """
    process = await _spawned(module, log, variables or {})
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes
    try:
        with suppress(ConnectionError):
            process.stdin.write(task + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            kind, rest = line[:1], line[1:].rstrip(b"\n")
            if kind == _MESSAGE:
                yield rest
            elif kind == _FAILED:
                raise ChildFailed(_plain(rest.decode("utf-8", "replace")))
            elif kind == _DONE:
                return
        raise ChildLost(_ended(await process.wait()))
    except ValueError:
        raise ChildLost("sent a message that is too long") from None
    finally:
        _kill(process)
        await process.wait()


async def _spawned(
    module: str, log: Path, variables: Mapping[str, str]
) -> asyncio.subprocess.Process:
    with log.open("ab") as printed:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # Without the working folder on its path: a folder must not run code by being there.
            "-P",
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=printed,
            env=_environment(variables),
            # What is typed to stop this process ends that one with its pipe, not in the middle.
            start_new_session=True,
            limit=_LONGEST_LINE,
        )


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a process with all that it started, where that can be done: trainers have workers."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith(_KEPT_FAMILIES)
    }
    paths = [path for path in sys.path if path and Path(path).exists()]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        _PARENT: str(os.getpid()),
        **_OFFLINE,
        **variables,
    }


def _plain(reason: str) -> str:
    shown = "".join(one if one.isprintable() else " " for one in reason[: 4 * _LONGEST_REASON])
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def _ended(code: int) -> str:
    if code == -9:
        return "was killed; the machine may have run out of memory"
    if code < 0:
        return f"ended with {signal.Signals(-code).name}"
    return f"ended with exit status {code}"


# --- in the child ---------------------------------------------------------------------------


def serve(work: Callable[[bytes, Tell], None]) -> None:
    """Do `work(task, tell)` in the process that `run` started, and report how it ended.

    What the work prints goes to the log. Whatever it raises ends it; the message of an exception
    of the kind `ChildFailed` is reported as it is, that of another with its name.
    """
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _end_with_parent()
    task = requests.readline().rstrip(b"\n")

    def tell(message: bytes) -> None:
        _send(replies, _MESSAGE + message)

    try:
        work(task, tell)
    except ChildFailed as error:
        _send(replies, _FAILED + _plain(str(error)).encode())
    # Also what is no `Exception`: libraries end processes by `sys.exit`.
    except BaseException as error:  # noqa: BLE001 - the parent is told of it
        traceback.print_exc()
        reason = _plain(f"{type(error).__name__}: {error}")
        _send(replies, _FAILED + reason.encode("utf-8", "replace"))
    else:
        _send(replies, _DONE)
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries may have left threads behind that never end.
    os._exit(0)


def _send(replies: BinaryIO, line: bytes) -> None:
    try:
        replies.write(line.replace(b"\n", b" ") + b"\n")
    except BrokenPipeError:
        os._exit(0)


def _end_with_parent() -> None:
    """Have the kernel end this process with its parent, however busy it is; where Linux runs.

    Source: prctl(2), PR_SET_PDEATHSIG. A thread looks as well, for other systems.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    # As it was when this process was started: it may be gone by now.
    parent = int(os.environ.get(_PARENT, os.getppid()))
    threading.Thread(target=_outlive_nobody, args=(parent,), daemon=True).start()


def _outlive_nobody(parent: int) -> None:
    while os.getppid() == parent:
        sleep(_WATCH_S)
    os._exit(0)
