"""The words of a page and where they stand."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

# PDFium marks a hyphen at the end of a line, and leaves out the end of the line.
_WORD = re.compile(r"[^\s\0\x02\ufffe]+[\x02\ufffe]?")
_PLAIN = str.maketrans({
    "\x02": "-",
    "\ufffe": "-",
    "\uffff": None,
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
})

_BOLD = re.compile(rb"bold|black|heavy")
_ITALIC = re.compile(rb"italic|oblique")
_NAME_BYTES = 128


class Words(NamedTuple):
    """One word or several of the same line.

    Coordinates are points, rightwards and upwards for who reads the words upright. `size` is the
    height of the font, from descent to ascent; `emphasis` is 2 for bold, 1 for italic, 0 for none.
    """

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    emphasis: int = 0

    @property
    def middle(self) -> float:
        """Height of the line's centre above the lower edge of the page."""
        return (self.top + self.bottom) / 2

    def joined(self, other: Words, separator: str) -> Words:
        """Return both as one, `other` at the right."""
        return Words(
            f"{self.text}{separator}{other.text}",
            min(self.left, other.left),
            max(self.right, other.right),
            min(self.bottom, other.bottom),
            max(self.top, other.top),
            self.size if len(self.text) >= len(other.text) else other.size,
            min(self.emphasis, other.emphasis),
        )


_Box: TypeAlias = tuple[float, float, float, float]

# By the degrees by which words climb to the left, the same by which a page must be turned clockwise
# to read them: left, right, bottom and top as seen then.
_TURNS: dict[int, Callable[[float, float, float, float], _Box]] = {
    0: lambda left, bottom, right, top: (left, right, bottom, top),
    90: lambda left, bottom, right, top: (bottom, top, -right, -left),
    180: lambda left, bottom, right, top: (-right, -left, -top, -bottom),
    270: lambda left, bottom, right, top: (-top, -bottom, left, right),
}

_ASKEW = 10.0
"""Degrees; what a scanner took in less straight was still meant to be."""


def page_words(page: pdfium.PdfPage) -> Sequence[Sequence[Words]]:
    """Return the words of a page, those that run in one direction together.

    Those that run as the page is shown are first. Words that are set askew, such as a watermark,
    are left out.

    Returns:
        For each direction its words in the order in which the page draws them.
    """
    textpage = page.get_textpage()
    try:
        return _words(textpage, page.get_rotation())
    finally:
        textpage.close()


def _words(textpage: pdfium.PdfTextPage, rotation: int) -> list[list[Words]]:
    directions: dict[int, list[Words]] = {rotation: []}
    box, matrix = pdfium_c.FS_RECTF(), pdfium_c.FS_MATRIX()
    name, flags = ctypes.create_string_buffer(_NAME_BYTES), ctypes.c_int()
    for match in _WORD.finditer(_characters(textpage)):
        first, last = match.start(), match.end() - 1
        pdfium_c.FPDFText_GetMatrix(textpage, first, matrix)
        direction = _direction(matrix)
        if direction is None:
            continue
        pdfium_c.FPDFText_GetLooseCharBox(textpage, first, box)
        left, bottom, right, top = box.left, box.bottom, box.right, box.top
        if last > first:
            pdfium_c.FPDFText_GetLooseCharBox(textpage, last, box)
            left, bottom = min(left, box.left), min(bottom, box.bottom)
            right, top = max(right, box.right), max(top, box.top)
        left, right, bottom, top = _TURNS[direction](left, bottom, right, top)
        name.value = b""
        pdfium_c.FPDFText_GetFontInfo(textpage, first, name, _NAME_BYTES, flags)
        size, emphasis = max(top - bottom, 1.0), _emphasis(name.value)
        word = Words(match[0].translate(_PLAIN), left, right, bottom, top, size, emphasis)
        directions.setdefault(direction, []).append(word)
    return [words for words in directions.values() if words]


def _direction(matrix: pdfium_c.FS_MATRIX) -> int | None:
    """Return the degrees by which a base line climbs to the left; None when it is askew."""
    # FPDFText_GetCharAngle takes the slant of italics that a program made for a turn.
    degrees = math.degrees(math.atan2(matrix.b, matrix.a))
    quarters = round(degrees / 90)
    return quarters % 4 * 90 if abs(degrees - quarters * 90) < _ASKEW else None


@cache
def _emphasis(font: bytes) -> int:
    """Read off the name of a font how it is set; few files say it otherwise."""
    font = font.lower()
    if _BOLD.search(font):
        return 2
    return 1 if _ITALIC.search(font) else 0


def _characters(textpage: pdfium.PdfTextPage) -> str:
    """Return one character for each index of the page."""
    count = textpage.count_chars()
    text: str = textpage.get_text_range(0, count) if count else ""
    if len(text) == count:
        return text
    codes = (pdfium_c.FPDFText_GetUnicode(textpage, index) for index in range(count))
    return "".join(chr(code) if _is_character(code) else "\ufffd" for code in codes)


def _is_character(code: int) -> bool:
    return code < 0xD800 or 0xDFFF < code <= 0x10FFFF
