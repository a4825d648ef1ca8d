"""A file system of fsspec as a source of documents."""

from __future__ import annotations

import errno
import hashlib
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from posixpath import splitext
from urllib.parse import quote

from msgspec import Struct

from citewell import Changed, Context, Gone, RawDocument, SourceError, Unreadable, blocking
from citewell.globs import CLUTTER, Globs
from citewell_filesystems.copies import Copies
from citewell_filesystems.hashes import Hashes
from citewell_filesystems.listing import Found, listed, stamp
from citewell_filesystems.opening import STORES, FileSystem, explained, opened
from citewell_filesystems.plugin import FilesystemConfig

_MEBIBYTE = 2**20
_BLOCK_BYTES = 5 * _MEBIBYTE
_DOTS = re.compile(r"(?:^|/)\.\.?(?:/|$)")
_ODD = re.compile(r"[^\w.-]")
_SUFFIX_CHARS = 16
# s3fs takes what follows for the version of another object.
_VERSION_MARK = "?versionId="


class _Vanished(Exception):
    """The file is no longer there."""


class _Fetched(Struct, frozen=True):
    """A copy of a file.

    Attributes:
        stamp: of the very content that was fetched; None when nothing can tell.
    """

    digest: str
    stamp: str | None


class Objects:
    """The files below one URL. Remembers their hashes between syncs."""

    def __init__(self, config: FilesystemConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._include = Globs(config.include or ("*",))
        self._left_out = Globs((*CLUTTER, *config.exclude))
        self._copies = Copies(context.data_dir)

    def close(self) -> None:
        """Remove the copies."""
        self._copies.close()

    def changes(self, known: Mapping[str, str]) -> AsyncIterator[Changed | Gone | Unreadable]:
        """Compare what is there now with `known`."""
        return blocking.iterate(lambda: self._changes(known))

    def _changes(self, known: Mapping[str, str]) -> Iterator[Changed | Gone | Unreadable]:
        folder = self._copies.fresh()
        try:
            with opened(self._config) as (filesystem, root):
                found = self._listed(filesystem, root)
                yield from (Gone(id_) for id_ in known if id_ not in found)
                hashes = Hashes(self._context.data_dir / "hashes.sqlite")
                with closing(hashes):
                    hashes.keep_only(found.__contains__)
                    sync = _Sync(filesystem, folder, known, hashes)
                    yield from self._compared(sync, found.values())
        except SourceError:
            raise
        except Exception as error:
            raise self._unlisted(error) from error

    def _unlisted(self, error: Exception) -> SourceError:
        why = explained(error, self._config.secrets)
        return SourceError(
            f'library.{self._context.name}: "{self._config.url}" cannot be listed: {why}; '
            "check its url, options and secrets"
        )

    def _listed(self, filesystem: FileSystem, root: str) -> dict[str, Found]:
        if not root and self._config.protocols[0] in STORES:
            raise SourceError(
                f"library.{self._context.name}: url: expected a bucket behind "
                f"{self._config.protocols[0]}://"
            )
        found = {}
        for one in listed(filesystem, root, self._config.protocols[0]):
            if not _is_text(one.id):
                self._context.log.warning("file left out: its name is not UTF-8: %a", one.id)
            elif self._is_wanted(one.id):
                found[one.id] = one
        return dict(sorted(found.items()))

    def _is_wanted(self, id_: str) -> bool:
        # ".." is no hidden folder: whoever has such a name is told so.
        is_left_out = self._left_out.matches(id_) and not _DOTS.search(id_)
        return self._include.matches(id_) and not is_left_out

    # --- fetching ----------------------------------------------------------------------------

    def _compared(self, sync: _Sync, found: Iterable[Found]) -> Iterator[Changed | Unreadable]:
        """Yield what differs, a bounded number of files being fetched at once."""
        # Others have one connection, or one file position, for all threads.
        workers = self._config.at_once if sync.filesystem.async_impl else 1
        pool = ThreadPoolExecutor(workers, thread_name_prefix="citewell-fetch")
        pending: deque[tuple[Found, Path, Future[_Fetched]]] = deque()
        try:
            for number, one in enumerate(found):
                suffix = splitext(one.id)[1]
                path = sync.folder / f"{number}{_ODD.sub('', suffix)[:_SUFFIX_CHARS]}"
                if not self._is_read(suffix):
                    yield self._changed(one, path, version=one.stamp or "unread")
                elif (reason := self._refusal(sync.filesystem, one)) is not None:
                    yield Unreadable(one.id, reason)
                elif not sync.is_known(one):
                    job = pool.submit(self._fetch, sync.filesystem, one, path)
                    pending.append((one, path, job))
                if len(pending) > workers:
                    yield from self._settled(sync, *pending.popleft())
            while pending:
                yield from self._settled(sync, *pending.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _is_read(self, suffix: str) -> bool:
        return self._context.suffixes is None or suffix.lower() in self._context.suffixes

    def _refusal(self, filesystem: FileSystem, found: Found) -> str | None:
        """Return why a file is not fetched, or None."""
        if _DOTS.search(found.id):
            return 'has "." or ".." in its path, which leads elsewhere in a browser; rename it'
        means_another = filesystem._strip_protocol(found.name) != found.name  # noqa: SLF001 - as above
        if means_another or _VERSION_MARK in found.name:
            return "has a name that fsspec takes for another one; rename it"
        if found.size is not None and found.size > self._config.max_object_mb * _MEBIBYTE:
            return self._too_large(found.size)
        return None

    def _too_large(self, size: int) -> str:
        return (
            f"has {size / _MEBIBYTE:.1f} MB, more than the {self._config.max_object_mb:g} MB "
            "allowed; raise max_object_mb of its library to fetch it"
        )

    def _settled(
        self, sync: _Sync, found: Found, path: Path, job: Future[_Fetched]
    ) -> Iterator[Changed | Unreadable]:
        try:
            fetched = job.result()
        except _Vanished:
            return  # the next sync does not list it, and says so
        except Exception as error:  # noqa: BLE001 - whatever a library raises costs one file
            yield Unreadable(
                found.id, f"cannot be fetched: {explained(error, self._config.secrets)}"
            )
            return
        if fetched.stamp is not None:
            sync.hashes.remember(found.id, fetched.stamp, fetched.digest)
        if sync.known.get(found.id) == fetched.digest:
            path.unlink()
        else:
            yield self._changed(found, path, version=fetched.digest)

    def _changed(self, found: Found, path: Path, *, version: str) -> Changed:
        raw = RawDocument(id=found.id, path=path, uri=self._uri(found))
        return Changed(raw=raw, version=version)

    def _uri(self, found: Found) -> str | None:
        if self._config.uri_template is None:
            return None
        key = found.name.lstrip("/")
        if self._config.protocols[0] in STORES:
            key = key.partition("/")[2]
        filled = self._config.uri_template.replace("{path}", quote(found.id))
        return filled.replace("{key}", quote(key))

    def _fetch(self, filesystem: FileSystem, found: Found, path: Path) -> _Fetched:
        """Copy a file to `path`, whole or not at all."""
        part = path.with_name(f"{path.name}.part")
        try:
            try:
                fetched = self._copied(filesystem, found.name, part)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                # It was written while it was read; once more, then.
                fetched = self._copied(filesystem, found.name, part)
        except FileNotFoundError as error:
            part.unlink(missing_ok=True)
            raise _Vanished from error
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        part.replace(path)
        return fetched

    def _copied(self, filesystem: FileSystem, name: str, part: Path) -> _Fetched:
        digest = hashlib.sha256()
        size = 0
        most = int(self._config.max_object_mb * _MEBIBYTE)
        with filesystem.open(name, "rb", block_size=_BLOCK_BYTES) as file, part.open("wb") as copy:
            # Of S3, what is read has this stamp, or reading fails with EBUSY.
            details = getattr(file, "details", None)
            while chunk := file.read(_MEBIBYTE):
                size += len(chunk)
                if size > most:
                    raise OSError(self._too_large(size))
                digest.update(chunk)
                copy.write(chunk)
        info = details if isinstance(details, Mapping) else filesystem.info(name)
        if info.get("size") not in {None, size}:
            raise OSError(errno.EBUSY, f"{size} of {info['size']} bytes came")
        return _Fetched(digest.hexdigest(), stamp(info))


class _Sync(Struct, frozen=True):
    """What holds for one sync."""

    filesystem: FileSystem
    folder: Path
    known: Mapping[str, str]
    hashes: Hashes

    def is_known(self, found: Found) -> bool:
        """Tell, without fetching it, that the file holds what is known of it."""
        known = self.known.get(found.id)
        return (
            bool(known)
            and found.stamp is not None
            and known == self.hashes.of(found.id, found.stamp)
        )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
