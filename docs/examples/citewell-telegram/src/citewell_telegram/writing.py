"""Blocks as the text of a message, and the entities that set parts of it apart.

Entities are given beside the text, so that nothing in it is markup. Telegram itself makes links
and mentions of what looks so: an invisible character keeps it from that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity

from citewell import Citation, Nearest, Place
from citewell.blocks import (
    Action,
    Actions,
    Block,
    Code,
    Heading,
    Inline,
    Json,
    Mark,
    NearestList,
    Notice,
    Quote,
    SourceList,
    Style,
    Table,
    Text,
)

GROWING = "\u2026 \u23f3"
"""Stands below what is not complete."""
SHOWN = ("quotes", "helpful", "unhelpful", "person")
"""Actions that have a button here."""

# Source: the limits of sendMessage, https://core.telegram.org/bots/api#sendmessage
_MAX_UNITS = 4000
_MAX_ENTITIES = 90
_WORD_JOINER = "\u2060"
_ALIVE = re.compile(
    r"(?<=[@#$/\\:])(?=\w)|(?<=:)(?=//)|(?<=//)(?=\S)|(?<=[^\W_])(?=[.\u3002][^\W\d_])|(?<=\w)(?=@)"
)
_STYLES = {
    Style.STRONG: MessageEntity.BOLD,
    Style.EMPHASIS: MessageEntity.ITALIC,
    Style.CODE: MessageEntity.CODE,
}


def inert(text: str) -> str:
    """Return text of which Telegram makes no link, mention, command or tag."""
    return _ALIVE.sub(_WORD_JOINER, text)


class Written:
    """The text of one message, with its entities; offsets are in characters of Python."""

    def __init__(self, blocks: Sequence[Block] = ()) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._entities: list[MessageEntity] = []
        self.keyboard: InlineKeyboardMarkup | None = None
        for block in blocks:
            self._block(block)

    @property
    def text(self) -> str:
        """All characters; never none, which Telegram would not take."""
        return "".join(self._parts).rstrip() or GROWING

    @property
    def entities(self) -> list[MessageEntity]:
        """What is set apart, as Telegram counts characters."""
        end = len(self.text)
        kept = [one for one in self._entities if one.offset + one.length <= end]
        return [*MessageEntity.adjust_message_entities_to_utf_16(self.text, kept)]

    @property
    def fits(self) -> bool:
        """Whether it is short enough for one message."""
        units = len(self.text.encode("utf-16-le", "surrogatepass")) // 2
        return units <= _MAX_UNITS and len(self._entities) <= _MAX_ENTITIES

    def line(self, text: str) -> None:
        """Add a line of its own."""
        self._gap("\n")
        self._write(inert(text))

    def _block(self, block: Block) -> None:
        if isinstance(block, Actions):
            self._buttons(block.actions)
            return
        self._gap("\n\n")
        match block:
            case Text(inlines, marker, depth):
                self._write("\u00a0\u00a0" * depth + (f"{marker} " if marker else ""))
                self._inlines(inlines)
            case Heading(inlines, _):
                begin = self._length
                self._inlines(inlines)
                self._mark(MessageEntity.BOLD, begin)
            case SourceList(sources):
                for source in sources:
                    self._source(source.citations[0], f"[{source.number}] ")
            case NearestList(nearest):
                for one in nearest:
                    self._source(one, "\u2022 ")
            case Code() | Json() | Table() | Quote() | Notice():
                self._apart(block)

    def _apart(self, block: Code | Json | Table | Quote | Notice) -> None:
        """Add a block that is one stretch of text, set apart as a whole."""
        match block:
            case Code(text, _) | Json(text):
                self._write(text, MessageEntity.PRE)
            case Table(header, rows):
                lines = (" | ".join(map(_plain, row)) for row in (header, *rows))
                self._write("\n".join(lines), MessageEntity.PRE)
            case Quote(citation):
                self._write(inert(citation.quote), MessageEntity.BLOCKQUOTE)
            case Notice(text):
                self._write(inert(text), MessageEntity.ITALIC)

    def _inlines(self, inlines: Sequence[Inline]) -> None:
        for inline in inlines:
            if isinstance(inline, Mark):
                self._write(f"[{inline.number}]")
            elif inline.style is Style.CODE:
                self._write(inline.text, MessageEntity.CODE)
            else:
                self._write(inert(inline.text), _STYLES.get(inline.style))

    def _source(self, cited: Citation | Nearest, first: str) -> None:
        self._gap("\n")
        self._write(first)
        address = cited.place.address(cited.uri)
        self._write(inert(cited.title), MessageEntity.TEXT_LINK if address else None, url=address)
        self._write(inert(placed(cited.place)))

    def _buttons(self, actions: Sequence[Action]) -> None:
        keys = [
            InlineKeyboardButton(one.label, callback_data=f"{one.name}:{one.answer_id}")
            for one in actions
            if one.name in SHOWN
        ]
        rows = [keys[at : at + 2] for at in range(0, len(keys), 2)]
        self.keyboard = InlineKeyboardMarkup(rows) if rows else None

    def _gap(self, gap: str) -> None:
        if self._parts and not self._parts[-1].endswith(gap):
            self._write(gap)

    def _write(self, text: str, kind: str | None = None, *, url: str | None = None) -> None:
        # A half of a surrogate pair cannot be sent.
        text = text.encode("utf-8", "replace").decode()
        if not text:
            return
        begin = self._length
        self._parts.append(text)
        self._length += len(text)
        if kind is not None:
            self._mark(kind, begin, url=url)

    def _mark(self, kind: str, begin: int, *, url: str | None = None) -> None:
        if self._length > begin:
            length = self._length - begin
            self._entities.append(MessageEntity(kind, offset=begin, length=length, url=url))


def placed(place: Place) -> str:
    """Return the parts of a place in words, as far as they are known, each behind a comma."""
    known = (
        ("page", place.page),
        ("slide", place.slide),
        ("sheet", place.sheet),
        ("cell", place.cell),
        ("line", place.line),
    )
    parts = [" \u203a ".join(place.headings)] if place.headings else []
    parts += (f"{name} {value}" for name, value in known if value is not None)
    return "".join(f", {part}" for part in parts)


def _plain(inlines: Sequence[Inline]) -> str:
    return "".join(f"[{one.number}]" if isinstance(one, Mark) else one.text for one in inlines)
