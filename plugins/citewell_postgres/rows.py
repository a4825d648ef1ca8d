"""Passages as values of columns, and back, without losing anything."""

from __future__ import annotations

import re
from typing import Any

from citewell import Labels, Passage
from citewell.storing import loaded_places, stored_places

_ESCAPE = "\x1a"
# PostgreSQL holds neither NUL nor half of a surrogate pair (in a file name that is not UTF-8, say).
_UNSTORABLE = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")


def stored_text(text: str) -> str:
    """Return `text` as PostgreSQL can keep it; nearly every text is kept as it is."""
    return _UNSTORABLE.sub(lambda match: f"{_ESCAPE}{ord(match[0]):04x}", text)


def loaded_text(text: str) -> str:
    """Return the text that `stored_text` was given."""
    if _ESCAPE not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def stored_passage(passage: Passage) -> tuple[object, ...]:
    """Return the values of the columns from `id` on."""
    return (
        stored_text(passage.id),
        stored_text(passage.title),
        stored_text(passage.text),
        passage.start,
        passage.end,
        stored_places(passage.places),
        None if passage.uri is None else stored_text(passage.uri),
        stored_text(passage.header),
        stored_text(passage.language),
    )


def loaded_passage(
    values: tuple[Any, ...], *, document_id: str, labels: Labels, score: float = 0.0
) -> Passage:
    """Return the passage that `stored_passage` made `values` of.

    Args:
        values: of the columns from `id` on.
        document_id: as it is stored.
        labels: of its shelf.
        score: of whoever found it.
    """
    passage_id, title, text, start, end, places, uri, header, language = values
    return Passage(
        id=loaded_text(passage_id),
        document_id=loaded_text(document_id),
        title=loaded_text(title),
        text=loaded_text(text),
        start=start,
        end=end,
        places=tuple(loaded_places(places)),
        labels=labels,
        uri=None if uri is None else loaded_text(uri),
        header=loaded_text(header),
        language=loaded_text(language),
        score=score,
    )
