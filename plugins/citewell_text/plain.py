"""Text without markup."""

from __future__ import annotations

from citewell import Document, Place, Placed, RawDocument
from citewell_text.decoding import read_text, stem


class PlainLoader:
    """Takes a file as it is."""

    def __init__(self, *, encoding: str | None = None) -> None:
        self._encoding = encoding

    def load(self, raw: RawDocument) -> Document:
        """Return the text with its lines."""
        return Document(
            id=raw.id,
            title=stem(raw),
            text=read_text(raw.path, encoding=self._encoding),
            places=(Placed(0, Place(line=1)),),
            uri=raw.uri,
        )
