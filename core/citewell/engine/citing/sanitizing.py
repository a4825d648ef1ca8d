"""Model output as harmless text: no marks, links, images, HTML or mentions are left in it.

What remains is Markdown of one line in which only strong, emphasis and code spans mean anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from msgspec import Struct

from citewell.engine.citing.emphasis import at_borders, with_code
from citewell.engine.citing.marks import CLOSING, MAX_CONTENT_CHARS, OPENING, read_mark

REMOVED_LINK = "(link removed)"

# Placeholders for code spans: private characters, which the text itself may not hold.
_FIRST_PLACEHOLDER, _LAST_PLACEHOLDER = 0xE000, 0xF8FF
# Persian and emoji need the joiners.
_KEPT = frozenset("\n\t\u200c\u200d")
# They show nothing, or nothing behind a letter of these scripts, and part what is read as one word.
_HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]"
    "|(?<=[0-9A-Za-z\u00c0-\u052f])[\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
)
_CLOSED_BY = dict(zip(OPENING, CLOSING, strict=True))
_PASSES = 4
_TICKS = re.compile(r"`+")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# An escaped star or underscore stays so: it is no emphasis.
_ESCAPED = re.compile(r"(?<!\\)\\++([!-)+-/:-@\[\]^`{-~【】［］〔〕])")
_ESCAPED_TWICE = re.compile(r"(?<!\\)\\{2,}+(?=[*_])")
_COMMENT = re.compile(r"<!--.{0,4000}?-->", re.DOTALL)
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9-]{0,40})(?:[\s/][^<>]{0,2000})?>")
_TAG_NAMES = frozenset(
    """a abbr address article aside audio b base bdi bdo big blockquote body br button canvas
    caption center cite code col dd del details dfn dialog div dl dt em embed fieldset figcaption
    figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html i iframe img input
    ins kbd label legend li link main map mark marquee meta nav noscript object ol optgroup option
    output p param picture pre progress q s samp script section select small source span strike
    strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr
    track tt u ul var video wbr""".split()
)
_ANGLE_LINK = re.compile(r"<((?:[A-Za-z][A-Za-z0-9+.-]{1,30}:|[^\s<>@]{1,100}@)[^\s<>|]{0,2000})"
                         r"(?:\|([^<>]{0,500}))?>")  # fmt: skip
_PLATFORM = re.compile(
    r"<([@#!&:][^<>\n]{0,200}|/[\w -]{1,100}:\d+|a?:\w+:\d+|(?:t|id):[^<>\n]{0,100})>"
)
_OPEN_ANGLE = re.compile(r"<(?=[A-Za-z/!?@#&:])")
# `](`, `][` and `]:` could be read as a link by somebody else's Markdown.
_OPEN_LINK = re.compile(r"\](?=[(\[:])")
_DESTINATION = re.compile(
    r"\(\s*(?:<[^<>\n]{0,2000}>|[^\s()<>]{0,2000}(?:\([^\s()]{0,500}\)[^\s()<>]{0,500}){0,5})"
    r"(?:\s+(?:\"[^\"]{0,500}\"|'[^']{0,500}'|\([^()]{0,500}\)))?\s*\)"
)
_URL = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{1,30}://|www\.|(?:mailto|javascript|data|tel|file|vbscript):(?=\S))"
    r"[^\s<>\"'`|()\[\]{}]*"
    r"|(?<![\w.@-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    r"|(?<![\w.@/-])(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}/[^\s<>\"'`|()\[\]{}]*",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?<![\w.@/-])(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w/])")
_AFTER_URL = ".,;:!?*_~…"
_PING = re.compile(r"@(?=(?:everyone|here|channel|group)(?![^\W_]))", re.IGNORECASE)
_EMPTY_EMPHASIS = re.compile(r"(?<![*_\w\\])(?:\*\*\*\*|____)(?![*_\w])")
_BREAK = "\u200b"
# Digits in a circle or above the line that end a piece look like a mark, but for `m²`.
_RAISED = "\u00b2\u00b3\u00b9\u2070-\u2079"
_SMALL_MARK = re.compile(
    rf"\s*(?:[\u2460-\u24ff\u2776-\u2793]+|(?<=[\s.!?…])[{_RAISED}]+|\u207d[{_RAISED}]+\u207e)"
    r"(?=[\s.!?…]*$)"
)


class Clean(Struct, frozen=True):
    """A piece of model output without marks and markup; links are still in it.

    Attributes:
        text: one line.
        numbers: what the marks carried, in order, each once.
        failed: brackets that only look like marks, as the model wrote them.
    """

    text: str
    numbers: tuple[int, ...]
    failed: tuple[str, ...]

    @property
    def links(self) -> frozenset[str]:
        """The addresses that stand in the text."""
        return links_in(self.text)


def clean(raw: str) -> Clean:
    """Take marks, links' targets, images, HTML and mentions out of one piece of Markdown."""
    found = _cleaned_once(raw)
    # Taking one thing out can bring the halves of another together.
    for _ in range(_PASSES):
        more = _cleaned_once(found.text)
        if more.text == found.text:
            break
        # What only looks like a mark now was none when the model wrote it.
        found = Clean(more.text, found.numbers, found.failed + more.failed)
    return found


def _cleaned_once(raw: str) -> Clean:
    text, spans = _without_code(_printable(raw))
    text = _unescaped(_decoded(text)).replace("`", "")
    text = " ".join(_without_tags(text).split())
    brackets = _Brackets(spans)
    for _ in range(_PASSES):
        before, text = text, _unescaped(brackets.read(text))
        if text == before:
            break
    text = _EMPTY_EMPHASIS.sub("", at_borders(_without_small_mark(text, brackets.failed)))
    text = with_code(_OPEN_LINK.sub("] ", _OPEN_ANGLE.sub("< ", text)), spans)
    return Clean(
        " ".join(_PING.sub("@" + _BREAK, text).split()),
        tuple(dict.fromkeys(brackets.numbers)),
        tuple(brackets.failed),
    )


def links_in(text: str) -> frozenset[str]:
    """Return every address that a reader or a platform would take for a link."""
    return frozenset(match[0].rstrip(_AFTER_URL) for match in _URL.finditer(text))


def without_links(text: str, *, known: Collection[str]) -> str:
    """Return `text` with each address that is not in `known` taken out, exact character for one."""

    def keep(match: re.Match[str]) -> str:
        address = match[0].rstrip(_AFTER_URL)
        return match[0] if address in known else REMOVED_LINK + match[0][len(address) :]

    def disarm(match: re.Match[str]) -> str:
        return match[0] if match[0] in known else match[0].replace(".", "." + _BREAK)

    kept = _URL.sub(keep, text)
    return _HOST.sub(disarm, kept)


def hosts_in(text: str) -> frozenset[str]:
    """Return what looks like a host name, of which some platforms make links."""
    return frozenset(match[0] for match in _HOST.finditer(text))


def harmless(text: str) -> str:
    """Return text that keeps its lines, such as code, without pings and hidden characters."""
    return _PING.sub("@" + _BREAK, _printable(text))


def _printable(text: str) -> str:
    """Drop control, hidden and private characters; a lone surrogate becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub("", "".join(map(_printed, text)))


def _printed(character: str) -> str:
    if character in _KEPT:
        return character
    match unicodedata.category(character):
        case "Cs":
            return "\ufffd"
        case "Cc":
            return " " if character.isspace() else ""
        case "Cf" | "Co" | "Cn":
            return ""
        case _:
            return character


def _without_code(text: str) -> tuple[str, dict[str, str]]:
    """Put one placeholder in the place of each code span, which no later step may touch."""
    spans: dict[str, str] = {}
    kept: list[str] = []
    runs = list(_TICKS.finditer(text))
    closers: dict[int, list[int]] = {}
    for index, run in enumerate(runs):
        closers.setdefault(len(run[0]), []).append(index)
    position = index = 0
    while index < len(runs) and len(spans) <= _LAST_PLACEHOLDER - _FIRST_PLACEHOLDER:
        run = runs[index]
        same = closers[len(run[0])]
        while same and same[0] <= index:
            same.pop(0)
        escaped = run.start() > position and text[run.start() - 1] == "\\"
        if not same or escaped:
            index += 1
            continue
        end = runs[same[0]].end()
        placeholder = chr(_FIRST_PLACEHOLDER + len(spans))
        spans[placeholder] = " ".join(text[run.start() : end].split())
        kept += [text[position : run.start()], placeholder]
        position, index = end, same[0] + 1
    kept.append(text[position:])
    return "".join(kept), spans


def _unescaped(text: str) -> str:
    return _ESCAPED_TWICE.sub(r"\\", _ESCAPED.sub(r"\1", text))


def _decoded(text: str) -> str:
    if "&" not in text:
        return text
    import html

    for _ in range(3):
        text = _ENTITY.sub(lambda match: _printable(html.unescape(match[0])), text)
    return _ENTITY.sub(lambda match: "& " + match[0][1:], text)


def _without_tags(text: str) -> str:
    def drop(match: re.Match[str]) -> str:
        return "" if match[1].lower() in _TAG_NAMES else match[0]

    if "<" not in text:
        return text
    text = _COMMENT.sub("", text)
    text = _ANGLE_LINK.sub(lambda match: match[2] or match[1], text)
    text = _PLATFORM.sub(r"\1", text)
    return _TAG.sub(drop, text)


def _without_small_mark(text: str, failed: list[str]) -> str:
    mark = _SMALL_MARK.search(text)
    if mark is None:
        return text
    failed.append(mark[0].strip())
    return text[: mark.start()] + text[mark.end() :]


class _Brackets:
    """Reads every bracket once, from the inside out, and rebuilds the text without marks."""

    _out: list[str]
    _open: list[int]

    def __init__(self, spans: dict[str, str]) -> None:
        self.numbers: list[int] = []
        self.failed: list[str] = []
        self._spans = spans

    def read(self, text: str) -> str:
        """Return `text` without marks, images and the targets of links."""
        self._out, self._open = [], []
        position = 0
        while position < len(text):
            character = text[position]
            position += 1
            if character in OPENING:
                self._open.append(len(self._out))
                self._out.append(character)
            elif character in CLOSING and self._open:
                position = self._close(text, position)
            elif character not in CLOSING:
                self._out.append(character)
        for start in self._open:
            # A bracket that nothing closes could become a mark beside the next sentence.
            self._out[start] = ""
        return "".join(self._out)

    def _close(self, text: str, position: int) -> int:
        """Settle what the bracket just read closes; another kind becomes that of its opening."""
        start = self._open.pop()
        destination = _DESTINATION.match(text, position)
        after = destination.end() if destination else position
        if self._take_mark(self._out[start + 1 :][:MAX_CONTENT_CHARS]):
            del self._out[start:]
            self._close_gap(text, after)
            return after
        if destination and self._out[start] == "[":
            self._close_link(start, text, after)
            return after
        if self._is_image(start):
            self._out[start - 1] = ""
        self._out.append(_CLOSED_BY[self._out[start]])
        return position

    def _is_image(self, start: int) -> bool:
        return start > 0 and self._out[start - 1] == "!" and self._out[start] == "["

    def _take_mark(self, content: Sequence[str]) -> bool:
        """Take the numbers of a mark; what is longer than a mark may be judged by its beginning."""
        shown = "".join(self._spans.get(character, character) for character in content)
        mark = read_mark(shown)
        if mark is None:
            return not shown.strip()
        self.numbers += mark.numbers
        if mark.failed:
            self.failed.append(f"[{shown}]")
        return True

    def _close_gap(self, text: str, after: int) -> None:
        """Leave one blank between two words that stood on both sides of what was taken out."""
        if self._out and self._out[-1] == " ":
            self._out.pop()
        if text[after : after + 1].isalnum():
            self._out.append(" ")

    def _close_link(self, start: int, text: str, after: int) -> None:
        """Leave the words of a link, and nothing of an image."""
        if self._is_image(start):
            del self._out[start - 1 :]
            self._close_gap(text, after)
        else:
            del self._out[start]
