"""Where a source is, in words and as a link."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlsplit

from citewell import Place

_MOST_ADDRESS: Final = 3000


def placed(place: Place, title: str) -> str:
    """Return where in its source something stands, as people say it; empty when unknown.

    A heading that is the title of the source says nothing beside it.
    """
    said = []
    if place.page is not None:
        said.append(f"page {place.page}")
    if place.slide is not None:
        said.append(f"slide {place.slide}")
    if place.sheet is not None:
        said.append(f"sheet {place.sheet}")
    if place.cell is not None:
        said.append(f"cell {place.cell}")
    is_in_file = not said
    headings = place.headings[1:] if place.headings[:1] == (title,) else place.headings
    if headings:
        said.append(" \u203a ".join(headings))
    # Where there is a page, the line says little.
    if place.line is not None and is_in_file:
        said.append(f"line {place.line}")
    return ", ".join(said)


def address(uri: str | None, place: Place) -> str | None:
    """Return what a browser opens to show it; None where it is not on the web."""
    found = place.address(uri)
    try:
        parts = urlsplit(found or "")
    except ValueError:
        return None
    if found is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        return None
    whole = quote(found, safe="%/:?#[]@!$&'()*+,;=~")
    return whole if len(whole) <= _MOST_ADDRESS else None


def linked(title: str, uri: str | None, place: Place) -> dict[str, Any]:
    """Return a title as rich text, which opens the source where that is possible."""
    url = address(uri, place)
    said = title or "untitled"
    if url is None:
        return {"type": "text", "text": said}
    return {"type": "link", "url": url, "text": said}
