"""One library brought into one index."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from posixpath import splitext

from msgspec import Struct

from citewell import blocking
from citewell.errors import CitewellError, DocumentError
from citewell.library.batching import Batches
from citewell.library.failures import Failure, Failures
from citewell.library.plans import Library, Loading, Progress, ProgressListener, SyncReport
from citewell.library.reading import Reader
from citewell.library.splitting import SPLITTER_VERSION, Cut, passages
from citewell.types.documents import Changed, Document, Gone, IndexedDocument, Labels, Unreadable

_LONG_CHARS = 500_000
"""A longer text would hold up the event loop while its passages are made."""


class Run(Struct, frozen=True):
    """What all libraries of one sync share."""

    reader: Reader
    report: SyncReport
    progress: Progress
    listener: ProgressListener

    def step(self) -> None:
        """Tell the listener."""
        self.listener(self.progress)

    def finished(self, documents: int = 1, passages: int = 0) -> None:
        """Count documents that are indexed, or will not be."""
        self.report.passages += passages
        self.progress.passages += passages
        self.progress.done += documents
        self.step()


class Desk(Struct, frozen=True):
    """One library at one index.

    Attributes:
        indexed: what the index has of the library: id to version.
    """

    library: Library
    indexed: Mapping[str, str]
    batches: Batches
    failures: Failures


class Intake:
    """Reads and indexes what changed in a library, deletes what is gone."""

    def __init__(self, desk: Desk, run: Run) -> None:
        self._library = desk.library
        self._indexed = desk.indexed
        self._batches = desk.batches
        self._failures = desk.failures
        self._run = run
        self._found: set[str] = set()
        self._gone: set[str] = set()
        self._touched: set[str] = set()
        self._unloaded: set[str] = set()
        self._shapes: dict[tuple[str, Labels], str] = {}

    async def run(self) -> None:
        """Do it; what goes wrong is in the report.

        Raises:
            StoreError: the index cannot be written.
        """
        waiting: asyncio.Queue[Changed | None] = asyncio.Queue()
        name, report = self._library.name, self._run.report
        # A few of them are read at a time, the rest wait to be read or indexed.
        under_way = self._run.reader.under_way
        async with AsyncExitStack() as stack, together() as group:
            for _ in range(under_way):
                group.create_task(self._work(waiting))
            try:
                await self._list(waiting, stack)
            except CitewellError as error:
                report.errors[name] = str(error)
            except Exception as error:  # noqa: BLE001 - a broken plugin costs its library only
                report.errors[name] = f"its source failed: {type(error).__name__}: {error}"
            for _ in range(under_way):
                waiting.put_nowait(None)
        self._settle()
        if name not in report.errors:
            self._check_patterns()
        report.unchanged += len(self._indexed.keys() - self._touched)
        report.failed += self._failures.of(name)

    # --- listing ---------------------------------------------------------------------------

    async def _list(self, waiting: asyncio.Queue[Changed | None], stack: AsyncExitStack) -> None:
        source = await self._library.open()
        changes = source.changes(self._known())
        close = getattr(changes, "aclose", None)
        if close is not None:
            stack.push_async_callback(close)
        async for change in changes:
            if isinstance(change, Gone):
                self._gone.add(change.id)
                self._remove(change.id)
                continue
            self._run.progress.found += 1
            self._found.add(change.id if isinstance(change, Unreadable) else change.raw.id)
            if isinstance(change, Unreadable):
                self._miss(change)
            elif self._is_wanted(change):
                waiting.put_nowait(change)
                self._run.step()
            else:
                self._run.finished()

    def _known(self) -> dict[str, str]:
        """Return what the source need not name again; an empty version never matches."""
        known = {}
        for id_, version in self._indexed.items():
            content, _, shape = version.rpartition(".")
            same = shape.partition("+")[0] == self._shape(id_) and self._decides(id_, shape)
            known[id_] = content if same else ""
        known.update((failure.id, "") for failure in self._failures.of(self._library.name))
        for failure in self._failures.recent(self._library.name):
            content, _, shape = failure.version.rpartition(".")
            # An index that was restored may hold what it held before the failure.
            if shape == self._failed_shape(failure.id) and failure.id not in self._indexed:
                known[failure.id] = content
        return known

    def _is_wanted(self, change: Changed) -> bool:
        """Tell whether the document is to be read; drop it from the index when it may not stay."""
        id_, report = change.raw.id, self._run.report
        suffix = _suffix(id_)
        if suffix not in self._library.loadings:
            report.ignored[suffix] = report.ignored.get(suffix, 0) + 1
            if self._library.off and not self._is_relabelled(change):
                self._unloaded.add(id_)
                return False
        elif not self._library.labelling.given(id_, change.raw.labels):
            report.unlabelled.append((self._library.name, id_))
        elif self._indexed.get(id_) == self._version(change):
            self._failures.forget(self._library.name, id_)
            return False
        else:
            return True
        self._remove(id_)
        return False

    def _is_relabelled(self, change: Changed) -> bool:
        """Tell whether the source names other readers than those for whom it is indexed."""
        shape = self._indexed.get(change.raw.id, "").rpartition(".")[2]
        return shape[len(shape.partition("+")[0]) :] != self._own(change)

    def _miss(self, change: Unreadable) -> None:
        """Report a document that the source cannot hand over."""
        name = self._library.name
        self._failures.add(Failure(library=name, id=change.id, reason=change.reason))
        self._run.report.withheld.append((name, change.id))
        self._run.progress.failed += 1
        self._run.finished()

    def _settle(self) -> None:
        """Keep what was not read again, unless other people may read it by now."""
        name, report = self._library.name, self._run.report
        for id_ in sorted(self._indexed.keys() - self._touched):
            shape = self._indexed[id_].rpartition(".")[2]
            readers = shape.partition("-")[0]
            same = readers == _readers(self._library.labelling.of(id_))
            if not same or not self._decides(id_, shape):
                self._remove(id_)
            elif id_ in self._unloaded:
                report.kept.append((name, id_))
        if self._unloaded:
            report.off += [reason for reason in self._library.off if reason not in report.off]

    def _check_patterns(self) -> None:
        """Report label patterns that match nothing: what they should restrict may lie open."""
        name, report = self._library.name, self._run.report
        failed = {failure.id for failure in self._failures.of(name)}
        there = (self._indexed.keys() | self._found | failed) - self._gone
        if there:
            unmatched = [(name, pattern) for pattern in self._library.labelling.unmatched(there)]
            report.unmatched += [one for one in unmatched if one not in report.unmatched]

    def _remove(self, id_: str) -> None:
        self._run.report.removed += id_ in self._indexed
        self._leave_out(id_)

    def _leave_out(self, id_: str) -> None:
        """Forget a document here and in the index."""
        self._failures.forget(self._library.name, id_)
        if id_ in self._indexed:
            self._touched.add(id_)
            self._batches.delete(f"{self._library.name}:{id_}")

    # --- what shapes the passages beside the content -----------------------------------------

    def _version(self, change: Changed) -> str:
        """Return what the document is known by in the index."""
        return f"{change.version}.{self._shape(change.raw.id)}{self._own(change)}"

    def _own(self, change: Changed) -> str:
        """Return a name of what the source says of its readers, and of who has the last word."""
        own = change.raw.labels
        return "" if own is None else f"+{self._last_word(change.raw.id)}{_readers(own)}"

    def _last_word(self, id_: str) -> str:
        return "source" if self._library.labelling.leaves(id_) else "pattern"

    def _decides(self, id_: str, shape: str) -> bool:
        """Tell whether he who had the last word about the readers has it still."""
        own = shape.partition("+")[2]
        return not own or own.startswith(self._last_word(id_))

    def _shape(self, id_: str) -> str:
        """Return a name of how the document becomes passages; empty when it does not.

        It begins with a name of what the patterns say of its readers.
        """
        suffix = _suffix(id_)
        labels = self._library.labelling.of(id_)
        key = (suffix, labels)
        if key not in self._shapes:
            loading = self._library.loadings.get(suffix)
            self._shapes[key] = self._named(loading, labels) if loading else ""
        return self._shapes[key]

    def _named(self, loading: Loading, labels: Labels) -> str:
        shape = (
            SPLITTER_VERSION,
            self._library.settings,
            self._library.language,
            self._library.passage_chars,
            loading.spec.name,
            loading.spec.version,
            loading.config.model_dump_json(),
        )
        return f"{_readers(labels)}-{_digest(shape)}"

    def _failed_shape(self, id_: str) -> str:
        limits = f"{self._library.max_mb:g}-{self._library.max_seconds:g}"
        return f"{self._shape(id_)}-{limits}".replace(".", "-")

    # --- reading -----------------------------------------------------------------------------

    async def _work(self, waiting: asyncio.Queue[Changed | None]) -> None:
        while (change := await waiting.get()) is not None:
            try:
                size = change.raw.path.stat().st_size
            except OSError:
                size = 0
            await self._batches.reserve(size)
            try:
                document = await self._read(change)
            except DocumentError as error:
                self._batches.release(size)
                self._fail(change, str(error))
            else:
                self._accept(document)
                self._batches.index(document, reserved=size)

    async def _read(self, change: Changed) -> IndexedDocument:
        id_ = change.raw.id
        loading = self._library.loadings[_suffix(id_)]
        document, cuts = await self._run.reader.cut(
            change.raw,
            loading,
            passage_chars=self._library.passage_chars,
            language=self._library.language,
            max_mb=self._library.max_mb,
            max_seconds=self._library.max_seconds,
        )
        if len(document.text) < _LONG_CHARS:
            return self._indexed_document(document, cuts, change)
        return await blocking.call(self._indexed_document, document, cuts, change)

    def _indexed_document(
        self, document: Document, cuts: Iterable[Cut], change: Changed
    ) -> IndexedDocument:
        try:
            f"{document.title}{document.text}".encode()
        except UnicodeEncodeError as error:
            raise DocumentError("holds half of a surrogate pair, which is not text") from error
        labels = self._library.labelling.given(document.id, change.raw.labels)
        found = passages(document, cuts, library=self._library.name, labels=labels)
        if not found:
            raise DocumentError("holds no text")
        return IndexedDocument(
            id=f"{self._library.name}:{document.id}",
            version=self._version(change),
            title=document.title,
            passages=found,
            uri=document.uri,
        )

    def _accept(self, document: IndexedDocument) -> None:
        id_ = document.id.partition(":")[2]
        self._failures.forget(self._library.name, id_)
        self._touched.add(id_)
        if id_ in self._indexed:
            self._run.report.updated += 1
        else:
            self._run.report.added += 1

    def _fail(self, change: Changed, reason: str) -> None:
        id_ = change.raw.id
        self._leave_out(id_)
        # A loader with an extra may work as soon as that is installed.
        loading = self._library.loadings[_suffix(id_)]
        self._failures.add(
            Failure(
                library=self._library.name,
                id=id_,
                reason=reason,
                version=f"{change.version}.{self._failed_shape(id_)}",
                tried=0.0 if loading.spec.extra else time.time(),
            )
        )
        self._run.progress.failed += 1
        self._run.finished()


@lru_cache(maxsize=1024)
def _readers(labels: Labels) -> str:
    """Return a name of who may read a document; asked at each sync for every document."""
    return _digest(sorted(labels))


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=8).hexdigest()


def _suffix(id_: str) -> str:
    return splitext(id_)[1].lower()


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks that fail as one, with the first error itself."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
