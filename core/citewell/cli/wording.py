"""Words and links for people, in which no document or model can steer the terminal."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from msgspec.structs import replace

from citewell.engine.prompting import describe_place
from citewell.types.documents import Place

GONE = "gone, changed, or not for this reader any more"

_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"}
_UNSEEN = [
    *range(0x80, 0xA0),  # controls of ISO 6429, an escape sequence in one character among them
    *range(0x202A, 0x202F),  # these two rows reorder what stands around them
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # half a character cannot be encoded
]
_SAFE = {
    **_CONTROLS,
    **dict.fromkeys(_UNSEEN, "\N{REPLACEMENT CHARACTER}"),
    0x7F: "\N{SYMBOL FOR DELETE}",
    0x2028: "\n",
    0x2029: "\n",
}
_BREAKS = str.maketrans(dict.fromkeys("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
_OPEN, _CLOSE = r"[\[\uff3b]", r"[\]\uff3d]"
# Brackets without a number match too, so that a long row of them is read only once.
_NUMBER = re.compile(rf"{_OPEN}(?:{_OPEN}|\s)*(?:(?P<number>\d[\d\s,]*){_CLOSE}(?:{_CLOSE}|\s)*)?")
_SCHEMES = {"file", "http", "https"}


def safe(text: str) -> str:
    """Return `text` with every character made visible that a terminal would obey."""
    return text.replace("\r\n", "\n").translate(_SAFE)


def safe_line(text: str) -> str:
    """Return `text`, which belongs in a line, without what would begin another one."""
    return safe(text.replace("\r\n", "\n").translate(_BREAKS))


def safe_title(text: str) -> str:
    """Return a title or a heading in one line, in which nothing reads as a citation mark."""
    bare = _NUMBER.sub(lambda found: f" {found['number']} " if found["number"] else found[0], text)
    return safe(" ".join(bare.split()))


def place_in(title: str, place: Place) -> str:
    """Return a place in words; a heading that only repeats the title is left out."""
    if place.headings[:1] == (title,):
        place = replace(place, headings=place.headings[1:])
    return describe_place(place)


def link(uri: str | None, place: Place) -> str | None:
    """Return what opens the place of a stored source, or None where nothing can."""
    address = place.address(uri)
    if address is None or _split(address).scheme not in _SCHEMES:
        return None
    return quote(address, safe="%/:?#[]@!$&'()*+,;=~")


def location(uri: str | None, place: Place) -> str:
    """Return a source's address as short as it can be: a path from here with its line, or a URI."""
    if uri is None:
        return ""
    parts = _split(uri)
    if parts.scheme != "file":
        return uri
    path = _short(Path(unquote(parts.path)))
    has_line = place.line is not None and place.page is None
    return f"{path}:{place.line}" if has_line else path


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _short(path: Path) -> str:
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    if path.is_relative_to(Path.home()):
        return f"~/{path.relative_to(Path.home())}"
    return str(path)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which takes an `s` in the plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
