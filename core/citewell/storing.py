"""Labels and places as text that a table can keep, and back, without losing anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder
from msgspec.structs import fields

from citewell.types.documents import Labels, Place, Placed

_PLACE_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Place)}
_place_values = attrgetter(*_PLACE_DEFAULTS)
_quickly = Decoder(list[tuple[int, dict[str, Any]]]).decode
_json = json.JSONEncoder(separators=(",", ":")).encode


@lru_cache(maxsize=1024)
def stored_labels(labels: Labels) -> str:
    """Return a set of labels as JSON in ASCII; equal sets give equal text."""
    return _json(sorted(labels))


@lru_cache(maxsize=1024)
def loaded_labels(text: str) -> Labels:
    """Return the labels that `stored_labels` wrote."""
    return frozenset(json.loads(text))


def stored_places(places: Iterable[Placed]) -> str:
    """Return JSON in ASCII: `[start, what differs from the place before]` for each place.

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


def loaded_places(text: str) -> Iterator[Placed]:
    """Yield the places that `stored_places` wrote."""
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
