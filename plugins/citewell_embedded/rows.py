"""Passages as rows of a table, and back, without losing anything."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, NamedTuple

from citewell import Labels, Passage
from citewell.storing import loaded_labels, loaded_places, stored_labels, stored_places

SHORTENED = "#"
"""Begins the term of a set of labels that is not its JSON."""

_LABEL_TERM_CHARS = 1000


class Row(NamedTuple):
    """A passage and its keys in the store."""

    row: int
    document: int
    passage: Passage


def stored_text(text: str) -> str | bytes:
    """Return `text` as SQLite can keep it.

    A lone surrogate (a file name that is not UTF-8, say) has no UTF-8 form; such text is kept as
    bytes.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def loaded_text(value: str | bytes) -> str:
    """Return the text that `stored_text` kept."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


@lru_cache(maxsize=1024)
def label_term(labels: Labels) -> str:
    """Return the term of a set of labels: its JSON, or what stands for it where that is long.

    Tantivy leaves out terms of more than 65,530 bytes, and each is read with every view.
    """
    text = stored_labels(labels)
    if len(text) <= _LABEL_TERM_CHARS:
        return text
    return f"{SHORTENED}{hashlib.sha256(text.encode()).hexdigest()}"


def stored_passage(passage: Passage) -> tuple[object, ...]:
    """Return the values of the columns from `id` on."""
    return (
        stored_text(passage.id),
        stored_text(passage.title),
        stored_text(passage.text),
        passage.start,
        passage.end,
        stored_places(passage.places),
        stored_labels(passage.labels),
        None if passage.uri is None else stored_text(passage.uri),
        stored_text(passage.header),
        stored_text(passage.language),
    )


def loaded_row(values: tuple[Any, ...], *, score: float = 0.0) -> Row:
    """Return what `values` of the view `visible_passages` say."""
    row, document, document_id, passage_id, title, text, *span, places, labels, uri = values[:-2]
    passage = Passage(
        id=loaded_text(passage_id),
        document_id=loaded_text(document_id),
        title=loaded_text(title),
        text=loaded_text(text),
        start=span[0],
        end=span[1],
        places=tuple(loaded_places(places)),
        labels=loaded_labels(labels),
        uri=None if uri is None else loaded_text(uri),
        header=loaded_text(values[-2]),
        language=loaded_text(values[-1]),
        score=score,
    )
    return Row(row, document, passage)
