"""Git, run so that a clone from a stranger can neither run code nor reach the network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

_Process: TypeAlias = "subprocess.Popen[bytes]"

_TIMEOUT_S = 120.0
_KEPT_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "USERPROFILE", "TMPDIR")
_VARIABLES = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    # Known as a list of protocols; none is called this.
    "GIT_ALLOW_PROTOCOL": "none",
}
_OPTIONS = (
    "--no-pager",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.sshCommand=false"),
    *("-c", "core.alternateRefsCommand=false"),
)


class GitError(Exception):
    """Git refused; says why, and how to mend it."""


class Git:
    """Reads one clone. Its own settings are obeyed only where they can do no harm."""

    def __init__(self, clone: Path) -> None:
        self._clone = clone
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # Without a ceiling, git would take the repository around a folder that is none.
        ceiling = os.path.realpath(clone.parent)
        self._environment = {**kept, **_VARIABLES, "GIT_CEILING_DIRECTORIES": ceiling}

    def run(self, *arguments: str) -> bytes:
        """Return what a git command prints.

        Raises:
            GitError: it failed.
        """
        try:
            done = subprocess.run(
                self._command(*arguments),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_TIMEOUT_S,
            )
        except FileNotFoundError as error:
            raise GitError("git is not installed, or not on PATH; install git") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GitError(f"git could not be run: {error}") from error
        if done.returncode:
            raise GitError(self._explained(done.stderr.decode("utf-8", "replace")))
        return done.stdout

    @contextmanager
    def blobs(self) -> Iterator[Blobs]:
        """Yield what hands out contents by hash."""
        blobs = Blobs(self._batch)
        try:
            yield blobs
        finally:
            blobs.close()

    def _batch(self) -> _Process:
        return subprocess.Popen(
            self._command("cat-file", "--batch"),
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _command(self, *arguments: str) -> list[str]:
        return ["git", "-C", os.fspath(self._clone), *_OPTIONS, *arguments]

    def _explained(self, message: str) -> str:
        said = " ".join(message.split())
        if "dubious ownership" in said:
            return (
                "the clone belongs to another user, so git refuses it; if you trust it, run: "
                f'git config --global --add safe.directory "{os.path.realpath(self._clone)}"'
            )
        if "not a git repository" in said:
            return "it is not a git clone; name the folder that holds .git"
        return said.removeprefix("fatal: ")


class Blobs:
    """Contents by hash, from `git cat-file --batch`.

    A damaged object ends that process; the next content comes from another one.
    """

    def __init__(self, start: Callable[[], _Process]) -> None:
        self._start = start
        self._process: _Process | None = None

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            # What it did not read any more cannot be flushed.
            with suppress(BrokenPipeError), process:
                process.kill()

    def write(self, blob: str, path: Path) -> None:
        """Write the content of `blob` to `path`.

        Raises:
            GitError: the clone does not hold it, or not whole.
        """
        self._process = self._process or self._start()
        try:
            replies = self._asked(self._process, blob)
            head = replies.readline()
            if head.endswith(b" missing\n"):
                raise GitError(
                    f"the clone does not hold the object {blob}; run: git fetch --refetch"
                )
            _copy(replies, int(head.split()[-1]), path)
        except (BrokenPipeError, EOFError, IndexError) as error:
            self.close()
            raise GitError(f"the object {blob} is damaged in the clone; run: git fsck") from error

    @staticmethod
    def _asked(process: _Process, blob: str) -> BinaryIO:
        requests = cast("BinaryIO", process.stdin)
        requests.write(f"{blob}\n".encode())
        requests.flush()
        return cast("BinaryIO", process.stdout)


def _copy(replies: BinaryIO, size: int, path: Path) -> None:
    """Copy so many bytes and the newline behind them.

    Raises:
        EOFError: there are fewer.
    """
    with path.open("wb") as file:
        while size:
            chunk = replies.read(min(size, 2**20))
            if not chunk:
                raise EOFError
            file.write(chunk)
            size -= len(chunk)
    replies.read(1)
