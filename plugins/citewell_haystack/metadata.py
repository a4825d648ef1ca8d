"""Passages made from documents that somebody else wrote, with the places that their meta gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeGuard

from citewell import EVERYONE, Labels, Passage, Place, Placed
from citewell_haystack.plugin import HaystackConfig

if TYPE_CHECKING:
    from haystack import Document

_WEB = ("http://", "https://")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MOST = 2**53
"""Above it a number with a point is not exact any more."""


class Reading:
    """Reads the meta of documents.

    Args:
        config: says where things stand.
        name: of the retriever.
    """

    def __init__(self, config: HaystackConfig, *, name: str) -> None:
        self._keys = config.meta
        self._name = name
        self._language = config.language
        self.labels: Labels = frozenset(config.labels or [EVERYONE])
        """Of all documents, where no key says it."""

    def passage(self, document: Document, score: float = 0.0) -> Passage | None:
        """Return the passage that a document is; None for one without text."""
        text = _storable(document.content or "")
        if not text.strip():
            return None
        meta = document.meta
        source = _first_text(meta, self._keys.document)
        begin = _first_number(meta, self._keys.start, lowest=0)
        # Without both, nobody knows where it stands in what, so it is a document of its own.
        is_piece = source is not None and begin is not None
        start = (begin or 0) if is_piece else 0
        return Passage(
            id=document.id,
            document_id=f"{self._name}:{source if is_piece else document.id}",
            title=self._title(document),
            text=text,
            start=start,
            end=start + len(text),
            places=self._places(document, start),
            labels=self._labels_of(meta),
            uri=self._uri(meta),
            language=self._language,
            score=score,
        )

    def _title(self, document: Document) -> str:
        for key in self._keys.title:
            found = _text(document.meta.get(key))
            if found is not None:
                is_path = key.endswith("path") and not found.startswith(_WEB)
                return PurePath(found).name if is_path else found
        return document.id

    def _uri(self, meta: Mapping[str, Any]) -> str | None:
        found = _first_text(meta, self._keys.uri)
        # Anything else that a link could hold might do more than open a page.
        return found if found is not None and found.startswith(_WEB) else None

    def _labels_of(self, meta: Mapping[str, Any]) -> Labels:
        if self._keys.labels is None:
            return self.labels
        value = _value(meta, self._keys.labels)
        values = value if isinstance(value, list | tuple | set) else [value]
        return frozenset(one for one in values if isinstance(one, str) and one)

    def _places(self, document: Document, start: int) -> tuple[Placed, ...]:
        meta = document.meta
        headings = [one for key in self._keys.headings for one in _texts(_value(meta, key))]
        first = Place(
            page=_first_number(meta, self._keys.page, lowest=1),
            line=_first_number(meta, self._keys.line, lowest=1),
            headings=tuple(headings),
        )
        return tuple(_by_page(document.content or "", first, start))


def _by_page(text: str, first: Place, start: int) -> Sequence[Placed]:
    """Return a place for each page: converters of Haystack end a page with a form feed."""
    places = [Placed(start, first)]
    if first.page is None:
        return places
    page = first.page
    # Those that it begins with are counted in `first` already.
    leading = len(text) - len(text.lstrip("\f"))
    for offset in range(leading, len(text) - 1):
        if text[offset] == "\f":
            page += 1
            places.append(Placed(start + offset + 1, Place(page=page, headings=first.headings)))
    return places


def _value(meta: Mapping[str, Any], key: str) -> Any:
    """Return what stands under a key; one with dots leads into tables."""
    if key in meta:
        return meta[key]
    found: Any = meta
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join(_storable(value).split()) or None


def _storable(text: str) -> str:
    """Return a text as long as it was, of what can be kept and shown."""
    return _UNSTORABLE.sub("\ufffd", text)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return [text for text in map(_text, values) if text is not None]


def _first_text(meta: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    found = (_text(_value(meta, key)) for key in keys)
    return next((text for text in found if text is not None), None)


def _first_number(meta: Mapping[str, Any], keys: Sequence[str], *, lowest: int) -> int | None:
    for key in keys:
        value = _value(meta, key)
        if _is_whole(value):
            return int(value) if value >= lowest else None
    return None


def _is_whole(value: object) -> TypeGuard[int | float]:
    """Tell whether it is a whole number; some stores give each back as one with a point."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # Nothing has so many pages, and what is no number at all is smaller than none.
    return abs(value) <= _MOST and value == int(value)
