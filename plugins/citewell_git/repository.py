"""A git clone as a source of documents."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from citewell import Changed, Context, Gone, RawDocument, SourceError, Unreadable, blocking
from citewell.globs import CLUTTER, Globs
from citewell_git.commands import Git, GitError
from citewell_git.permalinks import filled, template
from citewell_git.plugin import GitConfig

_FILE_MODES = frozenset({b"100644", b"100755"})
_COPIES = "copies-"
_LEFT_OVER_S = 86_400.0
_SUFFIX_CHARS = 16


class Repository:
    """The files of one commit."""

    def __init__(self, path: Path, config: GitConfig, context: Context) -> None:
        self._path = path
        self._config = config
        self._context = context
        self._git = Git(path)
        self._include = Globs(config.include or ("*",))
        self._left_out = Globs((*CLUTTER, *config.exclude))
        self._copies = ExitStack()

    def close(self) -> None:
        """Remove the copies."""
        self._copies.close()

    def changes(self, known: Mapping[str, str]) -> AsyncIterator[Changed | Gone | Unreadable]:
        """Compare the commit that the ref names now with `known`."""
        return blocking.iterate(lambda: self._changes(known), ahead=256)

    def _changes(self, known: Mapping[str, str]) -> Iterator[Changed | Gone | Unreadable]:
        try:
            commit = self._commit()
            blobs = dict(self._listed(commit))
            yield from (Gone(id_) for id_ in known if id_ not in blobs)
            changed = {id_: blob for id_, blob in blobs.items() if known.get(id_) != blob}
            if changed:
                yield from self._opened(changed, commit)
        except GitError as error:
            raise SourceError(f'library.{self._context.name}: "{self._path}": {error}') from error

    def _commit(self) -> str:
        ref = self._config.ref
        if not self._path.is_dir():
            raise GitError("does not exist; name the folder of a git clone")
        self._git.run("rev-parse", "--git-dir")
        try:
            return self._git.run("rev-parse", "--verify", f"{ref}^{{commit}}").decode().strip()
        except GitError as error:
            raise GitError(
                f'ref "{ref}" is not in the clone; name a branch, tag or commit'
            ) from error

    def _listed(self, commit: str) -> Iterator[tuple[str, str]]:
        """Yield id and blob of each wanted file."""
        for line in self._git.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
            entry, _, name = line.partition(b"\t")
            if entry[:6] not in _FILE_MODES:
                continue
            try:
                id_ = name.decode()
            except UnicodeDecodeError:
                self._context.log.warning("file left out: its name is not UTF-8: %a", name)
                continue
            if self._include.matches(id_) and not self._left_out.matches(id_):
                yield id_, entry.split()[2].decode()

    def _opened(self, changed: Mapping[str, str], commit: str) -> Iterator[Changed | Unreadable]:
        """Yield the changed files, each as a copy that lives until the next call."""
        folder = self._fresh_folder()
        address = self._config.permalink or self._template()
        with self._git.blobs() as blobs:
            for number, (id_, blob) in enumerate(changed.items()):
                suffix = PurePosixPath(id_).suffix[:_SUFFIX_CHARS]
                path = folder / f"{number}{suffix}"
                if self._context.suffixes is None or suffix.lower() in self._context.suffixes:
                    try:
                        blobs.write(blob, path)
                    except GitError as error:
                        yield Unreadable(id_, str(error))
                        continue
                uri = filled(address, commit=commit, path=id_) if address else None
                yield Changed(raw=RawDocument(id=id_, path=path, uri=uri), version=blob)

    def _template(self) -> str | None:
        """Return the permalink template of `origin`, or of the only remote."""
        try:
            listed = self._git.run("config", "--local", "-z", "--get-regexp", r"^remote\..*\.url$")
        except GitError:
            return None
        remotes = dict(
            line.split("\n", 1)
            for line in listed.decode(errors="replace").split("\0")
            if "\n" in line
        )
        remote = remotes.get("remote.origin.url") or next(iter(remotes.values()), "")
        return template(remote)

    def _fresh_folder(self) -> Path:
        """Return a folder for copies; the one before is gone, as are those of killed processes."""
        self.close()
        for left_over in self._context.data_dir.glob(f"{_COPIES}*"):
            with contextlib.suppress(OSError):
                if time.time() - left_over.stat().st_mtime > _LEFT_OVER_S:
                    shutil.rmtree(left_over)
        copies = tempfile.TemporaryDirectory(dir=self._context.data_dir, prefix=_COPIES)
        return Path(self._copies.enter_context(copies))
