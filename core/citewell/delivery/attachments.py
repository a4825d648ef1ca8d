"""Files that came with a question: read as documents are, in a process that can be killed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from citewell import blocking
from citewell.chatting import Adapter
from citewell.errors import DeliveryError, DocumentError
from citewell.journal.inbox import Task
from citewell.library.plans import Loading
from citewell.library.reading import Reader
from citewell.types.chat import Attachment
from citewell.types.documents import RawDocument
from citewell.types.questions import Attached

_MOST_FILES = 5
_MOST_CHARS = 6_000
_MEGABYTE = 1024 * 1024


class Attachments:
    """Reads files of questions.

    What they say is given to the model beside the question: it can be asked about, and cannot be
    cited.

    Args:
        reader: entered.
        loadings: by suffix.
        max_mb: larger files are not read.
    """

    def __init__(self, reader: Reader, loadings: Mapping[str, Loading], *, max_mb: float) -> None:
        self._reader = reader
        self._loadings = loadings
        self._max_mb = max_mb

    async def read(
        self, task: Task, adapter: Adapter
    ) -> tuple[tuple[Attached, ...], tuple[str, ...]]:
        """Read the files of a question, a bounded part of each.

        Returns:
            What they say, and the names of what was not read, with reasons.
        """
        attachments = task.asked.attachments
        parts: list[Attached] = []
        unread = [f"{one.name} (too many files)" for one in attachments[_MOST_FILES:]]
        for one in attachments[:_MOST_FILES]:
            try:
                text = await self._text(one, adapter)
            except (DeliveryError, DocumentError) as error:
                unread.append(f"{one.name} ({error})")
                continue
            shown = text[:_MOST_CHARS]
            if len(shown) < len(text):
                unread.append(f"{one.name} (from character {_MOST_CHARS:,} on)")
            parts.append(Attached(kind="file", name=one.name, text=shown))
        return tuple(parts), tuple(unread)

    async def _text(self, one: Attachment, adapter: Adapter) -> str:
        suffix = Path(one.name).suffix.lower()
        loading = self._loadings.get(suffix)
        if loading is None:
            raise DocumentError(f"no loader reads {suffix or 'files without a suffix'}")
        most = int(self._max_mb * _MEGABYTE)
        if one.size is not None and one.size > most:
            raise DocumentError(f"more than the {self._max_mb:g} MB that attachment_mb allows")
        content = await adapter.fetch(one, max_bytes=most)
        with TemporaryDirectory(prefix="citewell-") as folder:
            path = Path(folder) / f"attachment{suffix}"
            # To its end, or the folder would go while it is written to.
            await blocking.call_to_end(partial(path.write_bytes, content))
            raw = RawDocument(id=f"attachment{suffix}", path=path)
            document = await self._reader.read(
                raw, loading.spec, loading.config, max_mb=self._max_mb
            )
        return document.text
