"""Passages as rows of a table, and back, without losing anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import DecodeError
from msgspec.json import Decoder
from msgspec.structs import fields

from citewell import Labels, Passage, Place, Placed

SHORTENED = "#"
"""Begins the term of a set of labels that is not its JSON."""

_LABEL_TERM_CHARS = 1000
_PLACE_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Place)}
_place_values = attrgetter(*_PLACE_DEFAULTS)
_quickly = Decoder(list[tuple[int, dict[str, Any]]]).decode
_json = json.JSONEncoder(separators=(",", ":")).encode


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
def stored_labels(labels: Labels) -> str:
    """Return a set of labels as JSON; equal sets give equal text."""
    return _json(sorted(labels))


@lru_cache(maxsize=1024)
def label_term(labels: Labels) -> str:
    """Return the term of a set of labels: its JSON, or what stands for it where that is long.

    Tantivy leaves out terms of more than 65,530 bytes, and each is read with every view.
    """
    text = stored_labels(labels)
    if len(text) <= _LABEL_TERM_CHARS:
        return text
    return f"{SHORTENED}{hashlib.sha256(text.encode()).hexdigest()}"


@lru_cache(maxsize=1024)
def loaded_labels(text: str) -> Labels:
    """Return the labels that `stored_labels` wrote."""
    return frozenset(json.loads(text))


def stored_passage(passage: Passage) -> tuple[object, ...]:
    """Return the values of the columns from `id` on."""
    return (
        stored_text(passage.id),
        stored_text(passage.title),
        stored_text(passage.text),
        passage.start,
        passage.end,
        _stored_places(passage.places),
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
        places=tuple(_loaded_places(places)),
        labels=loaded_labels(labels),
        uri=None if uri is None else loaded_text(uri),
        header=loaded_text(values[-2]),
        language=loaded_text(values[-1]),
        score=score,
    )
    return Row(row, document, passage)


def _stored_places(places: Iterable[Placed]) -> str:
    """Return JSON: `[start, what differs from the place before]` for each place.

    A table has a place for each cell, all below the same headings.
    """
    entries = []
    before = _place_values(Place())
    for placed in places:
        values = _place_values(placed.place)
        differing = zip(_PLACE_DEFAULTS, values, before, strict=True)
        entries.append((placed.start, {name: new for name, new, old in differing if new != old}))
        before = values
    return _json(entries)


def _loaded_places(text: str) -> Iterable[Placed]:
    try:
        entries = _quickly(text)
    except DecodeError:
        # Half of a surrogate pair in a heading.
        entries = json.loads(text)
    values = dict(_PLACE_DEFAULTS)
    for start, changed in entries:
        if "headings" in changed:
            changed["headings"] = tuple(changed["headings"])
        values |= changed
        yield Placed(start, Place(**values))
