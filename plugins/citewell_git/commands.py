"""Git, run so that a clone from a stranger can neither run code nor reach the network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

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
        """Open a process that hands out contents by hash."""
        with subprocess.Popen(
            self._command("cat-file", "--batch"),
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                yield Blobs(cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout))
            finally:
                process.kill()

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
    """Contents by hash, from one `git cat-file --batch`."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies

    def write(self, blob: str, path: Path) -> None:
        """Write the content of `blob` to `path`.

        Raises:
            GitError: the clone does not hold it.
        """
        try:
            self._requests.write(f"{blob}\n".encode())
            self._requests.flush()
        except BrokenPipeError as error:
            raise GitError("git ended while it read the clone; run: git fsck") from error
        head = self._replies.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            raise GitError(f"the clone does not hold the object {blob}; run: git fetch --refetch")
        left = int(head[2])
        with path.open("wb") as file:
            while left:
                chunk = self._replies.read(min(left, 2**20))
                if not chunk:
                    raise GitError("git ended while it read the clone; run: git fsck")
                file.write(chunk)
                left -= len(chunk)
        self._replies.read(1)
