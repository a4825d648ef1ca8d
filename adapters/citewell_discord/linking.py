"""Stored sources as lines with a title, a place and a link that nobody previews."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from citewell import Citation, Nearest, Place
from citewell.blocks import Source
from citewell.chat import Quoted
from citewell_discord.markup import clipped, escaped, one_line, quoted

_MAX_TITLE: Final = 250
_MAX_PLACE: Final = 250
_MAX_PLACES: Final = 1200
_MAX_LINK: Final = 1000
_SAFE: Final = "%/:?#[]@!$&'*+,;=~"
# Where one of these stands in a label, Discord may see no link, or another one.
_UNLABELLED: Final = ("[", "]", "://", "`")


def link(uri: str | None, place: Place) -> str | None:
    """Return what opens the place of a stored source, or None where nothing can."""
    found = place.address(uri)
    if found is None:
        return None
    try:
        parts = urlsplit(found)
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
        return None
    try:
        whole = quote(found, safe=_SAFE)
    except UnicodeEncodeError:
        return None
    return whole if len(whole) <= _MAX_LINK else None


def linked(title: str, uri: str | None, place: Place) -> str:
    """Return Markdown of a title that leads to its source."""
    title = clipped(one_line(title), _MAX_TITLE) or "Untitled"
    address = link(uri, place)
    if address is None:
        return escaped(title)
    if any(one in title for one in _UNLABELLED):
        return f"{escaped(title)} ([open](<{address}>))"
    return f"[{escaped(title)}](<{address}>)"


def described(place: Place, title: str = "") -> str:
    """Return a place in words, from the widest to the narrowest."""
    headings = place.headings[1:] if place.headings[:1] == (title,) else place.headings
    parts = [
        f"page {place.page}" if place.page is not None else "",
        f"slide {place.slide}" if place.slide is not None else "",
        f"sheet {place.sheet}" if place.sheet is not None else "",
        f"cell {place.cell}" if place.cell is not None else "",
        " > ".join(headings),
        f"line {place.line}" if place.line is not None else "",
    ]
    return clipped(one_line(", ".join(filter(None, parts))), _MAX_PLACE)


def source_lines(source: Source, *, with_quotes: bool) -> str:
    """Return Markdown of one entry of a source list."""
    first = source.citations[0]
    line = f"[{source.number}] {linked(first.title, first.uri, first.place)}"
    if not with_quotes:
        places = _places(source.citations)
        return f"{line}, {places}" if places else line
    return "\n".join([line, *(_with_quote(one) for one in source.citations)])


def nearest_line(one: Nearest) -> str:
    """Return Markdown of where to look."""
    place = described(one.place, one.title)
    line = f"- {linked(one.title, one.uri, one.place)}"
    return f"{line}, {escaped(place)}" if place else line


def quoted_head(one: Quoted) -> str:
    """Return Markdown of what a quotation was taken from."""
    place = described(one.place, one.title)
    line = f"[{one.number}] {linked(one.title, one.uri, one.place)}"
    return f"{line}, {escaped(place)}" if place else line


def _places(citations: tuple[Citation, ...]) -> str:
    """Return the places of citations, each once; so many that they fit a message."""
    words = [described(one.place, one.title) for one in citations]
    distinct = [word for word in dict.fromkeys(words) if word]
    shown: list[str] = []
    for word in distinct:
        if sum(map(len, shown)) + len(word) > _MAX_PLACES:
            return f"{escaped('; '.join(shown))}; and {len(distinct) - len(shown)} more places"
        shown.append(word)
    return escaped("; ".join(shown))


def _with_quote(one: Citation) -> str:
    place = described(one.place, one.title)
    said = quoted(escaped(one.quote.replace("\r\n", "\n")))
    return f"{escaped(place)}\n{said}" if place else said
