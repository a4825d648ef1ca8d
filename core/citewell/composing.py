"""Documents put together piece by piece, for formats whose files are not text themselves."""

from __future__ import annotations

from citewell.types.documents import Document, Part, PartKind, Place, Placed, RawDocument


class DocumentBuilder:
    """Composes text, places and parts so that they agree.

    Start a part, write its text, start the next. Blank space at the ends of a part is left out; a
    part without text vanishes.

    Args:
        gap: put between two parts.
    """

    def __init__(self, *, gap: str = "\n\n") -> None:
        self._gap = gap
        self._chunks: list[str] = []
        self._length = 0
        self._places: list[Placed] = []
        self._parts: list[Part] = []
        self._kind = PartKind.PARAGRAPH
        self._begun: int | None = None
        self._header_end: int | None = None
        self._header: tuple[int, int] | None = None
        self._last_header: tuple[int, int] | None = None

    def start(self, kind: PartKind) -> None:
        """End the part before and begin one of this kind."""
        self._end()
        self._kind = kind

    def write(self, text: str, *, place: Place | None = None) -> None:
        """Append `text`; from its first character on `place` holds, or still the one before."""
        if self._begun is None:
            text = text.lstrip()
            if not text:
                return
            if self._length:
                self._append(self._gap)
            self._begun = self._length
        if place is not None:
            self._put(place)
        self._append(text)

    def end_header(self) -> None:
        """Say that what the part, a table, holds so far names its columns."""
        if self._begun is not None:
            self._header_end = self._length

    def continue_table(self) -> None:
        """Say that the part, a table, goes on with the last one, and has its header."""
        self._header = self._last_header

    def document(self, raw: RawDocument, *, title: str) -> Document:
        """Return the document."""
        self._end()
        return Document(
            id=raw.id,
            title=title,
            text="".join(self._chunks),
            places=tuple(self._places) or (Placed(0, Place()),),
            parts=tuple(self._parts),
            uri=raw.uri,
        )

    def _append(self, text: str) -> None:
        self._chunks.append(text)
        self._length += len(text)

    def _put(self, place: Place) -> None:
        if not self._places and self._length:
            self._places.append(Placed(0, Place()))
        if self._places and self._places[-1].start == self._length:
            self._places.pop()
        if not self._places or self._places[-1].place != place or place.line is not None:
            self._places.append(Placed(self._length, place))

    def _end(self) -> None:
        if self._begun is not None:
            self._trim()
            header_end = self._header_end
            if header_end is not None:
                header_end = min(header_end, self._length)
            self._parts.append(
                Part(
                    kind=self._kind,
                    start=self._begun,
                    end=self._length,
                    header_end=header_end,
                    header=self._header,
                )
            )
            if self._kind is PartKind.TABLE:
                own = None if header_end is None else (self._begun, header_end)
                self._last_header = own or self._header
        self._begun = self._header_end = self._header = None

    def _trim(self) -> None:
        while not (bare := self._chunks[-1].rstrip()):
            self._length -= len(self._chunks.pop())
        self._length -= len(self._chunks[-1]) - len(bare)
        self._chunks[-1] = bare
        while self._places and self._places[-1].start >= self._length:
            self._places.pop()
