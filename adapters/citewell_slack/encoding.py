"""Neutral blocks as blocks of Slack, and whether they fit one message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import singledispatchmethod
from itertools import groupby
from typing import Any, Final, TypeAlias

from citewell import Citation, DeliveryError, Nearest
from citewell.blocks import (
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
from citewell_slack import buttons
from citewell_slack.escaping import fenced, inlines, plain
from citewell_slack.places import linked, placed

SlackBlock: TypeAlias = dict[str, Any]

# Source: https://docs.slack.dev/reference/block-kit/blocks, and for the whole payload
# https://github.com/slackapi/bolt-js/issues/2509, less some room for what Slack adds.
MOST_CHARS: Final = 12_800
MOST_MARKDOWN: Final = 11_800
MOST_BLOCKS: Final = 48
MOST_TABLE_CHARS: Final = 9_500
MOST_ROWS: Final = 100
MOST_COLUMNS: Final = 20
MOST_CONTEXT: Final = 2_900

_BLANK: Final = " "


class Encoder:
    """Encodes the blocks of answers.

    Args:
        has_person: tells whether there is somebody to hand a question to.
    """

    def __init__(self, *, has_person: Callable[[], bool]) -> None:
        self._has_person = has_person

    def encode(self, blocks: Sequence[Block]) -> list[SlackBlock]:
        """Return the blocks as Slack takes them; text that follows on text shares one block."""
        made: list[SlackBlock] = []
        before: Block | None = None
        for block in blocks:
            for one in self._encoded(block):
                if one["type"] == "markdown" and made and made[-1]["type"] == "markdown":
                    made[-1] = {
                        **one,
                        "text": made[-1]["text"] + _between(before, block) + one["text"],
                    }
                else:
                    made.append(one)
            before = block
        return made

    def fits(self, blocks: Sequence[Block]) -> bool:
        """Tell whether blocks fit one message."""
        return fits(self.encode(blocks))

    @singledispatchmethod
    def _encoded(self, block: object) -> list[SlackBlock]:
        raise DeliveryError(f"slack has no way to show {type(block).__name__}", passes=False)

    @_encoded.register
    def _(self, block: Text) -> list[SlackBlock]:
        text = inlines(block.inlines)
        indent = "    " * block.depth
        if block.marker == ">":
            return _markdown("\n".join(f"> {line}" for line in text.split("\n")))
        if block.marker:
            inside = text.replace("\n", f"\n{indent}    ")
            return _markdown(f"{indent}{block.marker} {inside}")
        return _markdown(text)

    @_encoded.register
    def _(self, block: Heading) -> list[SlackBlock]:
        text = inlines(block.inlines).replace("\n", " ")
        return _markdown(f"{'#' * min(max(block.level, 1), 6)} {text}")

    @_encoded.register
    def _(self, block: Code) -> list[SlackBlock]:
        return _markdown(fenced(block.text, block.language))

    @_encoded.register
    def _(self, block: Json) -> list[SlackBlock]:
        return _markdown(fenced(block.text, "json"))

    @_encoded.register
    def _(self, block: Quote) -> list[SlackBlock]:
        lines = plain(block.citation.quote).split("\n")
        return _markdown("\n".join(f"> {line}" for line in lines))

    @_encoded.register
    def _(self, block: Notice) -> list[SlackBlock]:
        return [context(block.text)] if block.text else []

    @_encoded.register
    def _(self, block: Table) -> list[SlackBlock]:
        rows = [block.header, *block.rows] if any(block.header) else [*block.rows]
        if not rows or not rows[0]:
            return []
        if len(rows[0]) > MOST_COLUMNS:
            lines = [" | ".join(_plain(cell) for cell in row) for row in rows]
            return _markdown(fenced("\n".join(lines), ""))
        return [{"type": "table", "rows": [[_cell(cell) for cell in row] for row in rows]}]

    @_encoded.register
    def _(self, block: SourceList) -> list[SlackBlock]:
        parts: list[SlackBlock] = []
        for source in block.sources:
            parts += _source(source.number, source.citations, quoted=block.quoted)
        return [{"type": "rich_text", "elements": parts}] if parts else []

    @_encoded.register
    def _(self, block: NearestList) -> list[SlackBlock]:
        parts = [section([text("• "), *entry(one)]) for one in block.nearest]
        return [{"type": "rich_text", "elements": parts}] if parts else []

    @_encoded.register
    def _(self, block: Actions) -> list[SlackBlock]:
        return buttons.encoded(block.actions, has_person=self._has_person())


def fits(blocks: Sequence[SlackBlock]) -> bool:
    """Tell whether Slack takes these blocks in one message."""
    tables = [one for one in blocks if one["type"] == "table"]
    markdown = sum(len(one["text"]) for one in blocks if one["type"] == "markdown")
    return (
        len(blocks) <= MOST_BLOCKS
        and len(tables) <= 1
        and all(_is_small(table) for table in tables)
        and markdown <= MOST_MARKDOWN
        and all(size(one) <= MOST_CONTEXT for one in blocks if one["type"] == "context")
        and size(blocks) <= MOST_CHARS
    )


def size(value: object) -> int:
    """Return how many characters Slack counts: those that a person sees, and addresses."""
    return sum(map(len, _characters(value)))


def _characters(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name in {"text", "title", "alt_text", "url", "fallback"} and isinstance(one, str):
                yield one
            else:
                yield from _characters(one)
    elif isinstance(value, list):
        for one in value:
            yield from _characters(one)


def context(said: str) -> SlackBlock:
    """Return a line in small print; nothing in it is markup."""
    words = {"type": "plain_text", "text": said, "emoji": False}
    return {"type": "context", "elements": [words]}


def text(said: str, *, bold: bool = False) -> SlackBlock:
    """Return an element of rich text: plain characters, whatever they are."""
    element: SlackBlock = {"type": "text", "text": said or _BLANK}
    return {**element, "style": {"bold": True}} if bold else element


def section(elements: Sequence[SlackBlock]) -> SlackBlock:
    """Return a line of rich text."""
    return {"type": "rich_text_section", "elements": [*elements]}


def quotation(elements: Sequence[SlackBlock]) -> SlackBlock:
    """Return a quotation in rich text."""
    return {"type": "rich_text_quote", "elements": [*elements]}


def entry(source: Citation | Nearest) -> list[SlackBlock]:
    """Return title and place of a source, as a link where it has an address."""
    where = placed(source.place, source.title)
    return [
        linked(source.title, source.uri, source.place),
        *([text(f", {where}")] if where else []),
    ]


def _markdown(said: str) -> list[SlackBlock]:
    return [{"type": "markdown", "text": said}] if said.strip() else []


def _between(before: Block | None, block: Block) -> str:
    """Return what parts two blocks: items of a list stand close."""
    is_list = (
        isinstance(before, Text) and isinstance(block, Text) and before.marker and block.marker
    )
    return "\n" if is_list else "\n\n"


def _source(number: int, citations: Sequence[Citation], *, quoted: bool) -> list[SlackBlock]:
    """Return a source, and each place in it that is cited."""
    made: list[SlackBlock] = []
    by_document = groupby(citations, key=lambda one: (one.title, one.uri))
    for index, (_, group) in enumerate(by_document):
        same = [*group]
        lead = text(f"[{number}] " if index == 0 else "      ")
        line = [lead, *entry(same[0])]
        places = dict.fromkeys(placed(one.place, one.title) for one in same[1:])
        others = [one for one in places if one and one != placed(same[0].place, same[0].title)]
        line += [text(f"; {'; '.join(others)}")] if others else []
        made.append(section(line))
        made += [quotation([text(one.quote)]) for one in same if quoted]
    return made


def _cell(cell: Sequence[Inline]) -> SlackBlock:
    if all(isinstance(one, Mark) or one.style is Style.PLAIN for one in cell):
        return {"type": "raw_text", "text": _plain(cell) or _BLANK}
    elements = [_element(one) for one in cell if isinstance(one, Mark) or one.text]
    return {"type": "rich_text", "elements": [section(elements or [text("")])]}


def _element(inline: Inline) -> SlackBlock:
    if isinstance(inline, Mark):
        return text(f"[{inline.number}]")
    style = {Style.STRONG: "bold", Style.EMPHASIS: "italic", Style.CODE: "code"}.get(inline.style)
    return {**text(inline.text), **({"style": {style: True}} if style else {})}


def _plain(cell: Sequence[Inline]) -> str:
    return "".join(f"[{one.number}]" if isinstance(one, Mark) else one.text for one in cell)


def _is_small(table: SlackBlock) -> bool:
    return len(table["rows"]) <= MOST_ROWS and size(table) <= MOST_TABLE_CHARS
