"""The history of channels as a source of documents."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from sqlite3 import DatabaseError
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct

from citewell import blocking
from citewell.conversations.messages import Message, Talk
from citewell.conversations.reading import Clock, OutOfTime, Reading
from citewell.conversations.record import Record
from citewell.conversations.settings import HistoryConfig
from citewell.conversations.transcripts import Transcript, moment
from citewell.conversations.unread import Unread
from citewell.errors import SourceError
from citewell.types.documents import Changed, Gone, RawDocument

_RECORD: Final = "history.sqlite"
_FILES: Final = "transcripts-"
_LEFT_OVER_S: Final = 86_400.0


class _Written(Struct, frozen=True):
    """A document as it is to be.

    Attributes:
        key: its thread or day.
    """

    key: str
    transcript: Transcript
    talk: Talk
    version: str
    content: bytes


class History:
    """The channels of one library. Keeps what it read, so that a sync asks for what is new.

    What is recent outside threads is read again at each sync for which there is time, and so are
    threads that grew. Of all else some is read again, recent threads first, and then what was
    looked at longest ago: so every edit and deletion is found in time.

    Args:
        name: of the library, for messages.
        config: the settings.
        talks: the channels.
        suffix: of the documents, which a `TranscriptLoader` reads.
        data_dir: for what was read.
        log: for how far it is.
    """

    def __init__(
        self,
        name: str,
        config: HistoryConfig,
        talks: Sequence[Talk],
        *,
        suffix: str,
        data_dir: Path,
        log: logging.Logger,
    ) -> None:
        self._name = name
        self._config = config
        self._talks = talks
        self._suffix = suffix
        self._data_dir = data_dir
        self._log = log
        self._files: TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Delete the files that were handed over."""
        if self._files is not None:
            self._files.cleanup()
            self._files = None

    async def changes(self, known: Mapping[str, str]) -> AsyncIterator[Changed | Gone]:
        """Read the channels on, then compare what is known of them with `known`.

        Raises:
            SourceError: some channel cannot be read, or not to its end yet.
        """
        try:
            async with blocking.opened(self._opened, Record.close) as record:
                problems = await self._read_all(record)
                # Who leaves early must not leave the record open.
                compared = blocking.iterate(lambda: self._compared(record, known))
                async with aclosing(compared) as found:
                    async for change in found:
                        yield change
        except DatabaseError as error:
            raise SourceError(
                f"library.{self._name}: {self._data_dir / _RECORD} cannot be used: {error}; "
                "delete it, and everything is read again"
            ) from error
        if problems:
            raise SourceError(f"library.{self._name}: {'; '.join(problems)}")

    def _opened(self) -> Record:
        self.close()
        for left_over in self._data_dir.glob(f"{_FILES}*"):
            # Of a process that was killed: what people wrote, and may have deleted since.
            with suppress(OSError):
                if time.time() - left_over.stat().st_mtime > _LEFT_OVER_S:
                    shutil.rmtree(left_over)
        self._files = TemporaryDirectory(prefix=_FILES, dir=self._data_dir)
        shaping = self._config.model_dump_json(include={"days", "bots"})
        channels = [talk.id for talk in self._talks]
        return Record(self._data_dir / _RECORD, digest=shaping, channels=channels)

    # --- reading ------------------------------------------------------------------------------

    async def _read_all(self, record: Record) -> list[str]:
        """Read every channel on; return what is in the way, a line each."""
        clock = Clock(self._config.max_minutes * 60)
        problems: list[str] = []
        states = {talk.id: record.state(talk.id) for talk in self._talks}
        # Whose turn was cut short is first the next time.
        for talk in sorted(self._talks, key=lambda one: states[one.id].turn):
            try:
                await Reading(talk, record, self._config, clock).run()
            except OutOfTime as out:
                told = f": {out}" if str(out) else ""
                left = _left(record, talk.id)
                problems.append(f"channel {talk.id} is not read to its end yet{left}{told}; "
                                "the next sync goes on")  # fmt: skip
            except SourceError as error:
                problems.append(str(error))
            else:
                self._log.info("channel %s is read", talk.id)
        return problems

    # --- documents ----------------------------------------------------------------------------

    def _compared(self, record: Record, known: Mapping[str, str]) -> Iterator[Changed | Gone]:
        found: set[str] = set()
        unread = {talk.id for talk in self._talks if not record.state(talk.id).is_read}
        pieces = {talk.id: Unread(talk, record, self._config) for talk in self._talks}
        for number, (id_, written) in enumerate(self._written(record)):
            found.add(id_)
            # A part must not take the place of the whole that was read before.
            if id_ in known and pieces[written.talk.id].holds(written.key):
                continue
            if known.get(id_) != written.version and self._files is not None:
                path = Path(self._files.name) / f"{number}{self._suffix}"
                path.write_bytes(written.content)
                raw = RawDocument(
                    id=id_, path=path, uri=written.transcript.uri, labels=written.talk.labels
                )
                yield Changed(raw=raw, version=written.version)
        for id_ in known.keys() - found:
            # What was not read again yet is no proof that something is gone.
            if id_.partition("/")[0] not in unread:
                yield Gone(id_)

    def _written(self, record: Record) -> Iterator[tuple[str, _Written]]:
        """Yield the documents of every channel."""
        for talk in self._talks:
            name = record.state(talk.id).name
            for key, transcript in self._transcripts(record, talk.id, name):
                content = transcript.encoded()
                digest = hashlib.blake2b(content, digest_size=16)
                digest.update("\0".join(sorted(talk.labels)).encode())
                id_ = f"{talk.id}/{key}{self._suffix}"
                yield id_, _Written(key, transcript, talk, digest.hexdigest(), content)

    def _transcripts(
        self, record: Record, channel: str, name: str
    ) -> Iterator[tuple[str, Transcript]]:
        days: defaultdict[str, list[Message]] = defaultdict(list)
        for thread, messages in record.conversations(channel):
            if thread and self._is_conversation(messages):
                title = record.title(channel, thread)
                yield thread, Transcript.of_thread(name, messages, title=title)
                continue
            for message in messages:
                # A question to the assistant tells nothing; at most it hides what does.
                if not message.asks_us:
                    days[moment(message.at)[:10]].append(message)
        for day, messages in sorted(days.items()) if self._config.unthreaded else ():
            yield day, Transcript.of_day(name, day, sorted(messages, key=lambda one: one.id))

    def _is_conversation(self, messages: Sequence[Message]) -> bool:
        """Tell whether a thread says something by itself.

        Who asks the assistant alone, however often, does not talk with anybody.
        """
        if not messages[0].asks_us:
            return len(messages) >= self._config.min_messages
        others = [one for one in messages[1:] if one.author != messages[0].author]
        return bool(others) and len(messages) >= self._config.min_messages


def _left(record: Record, channel: str) -> str:
    """Return in words how many threads are still to be read."""
    changed = record.changed_threads(channel)
    return f", {len(changed)} threads are left" if changed else ""
