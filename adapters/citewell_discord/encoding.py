"""Blocks as the components of a message, and what of them fits one.

Source: discord.com/developers/docs/components/reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from citewell.blocks import (
    Action,
    Actions,
    Block,
    Code,
    Heading,
    Json,
    NearestList,
    Notice,
    Quote,
    SourceList,
    Table,
    Text,
)
from citewell_discord.linking import nearest_line, source_lines
from citewell_discord.markup import BREAK, code, escaped, inline, possible, quoted, subtext
from citewell_discord.tabling import table, table_cost

Payload: TypeAlias = dict[str, object]

MAX_CHARS: Final = 4000
MAX_COMPONENTS: Final = 40
# Beyond, Discord fails without saying why. Source: discord/discord-api-docs issue 8554.
_MAX_BYTES: Final = 10_000
GROWING: Final = "-# Still writing …"
# For the line of a growing answer, and for what a style costs more in a part than in the whole.
_SPARE_CHARS: Final = 60
_GLUE: Final = "\n\n"
_MAX_TEXTS: Final = 2
_MAX_IN_ROW: Final = 5
_MAX_LABEL: Final = 80
_MAX_CUSTOM_ID: Final = 100

ACTIONS: Final = frozenset({"quotes", "helpful", "unhelpful", "person", "private", "share"})
"""What buttons can do here."""

_STYLES: Final[Mapping[str, int]] = {"helpful": 3, "unhelpful": 4}
_SECONDARY: Final = 2


class Kind(Enum):
    """Where a piece stands."""

    BODY = auto()
    BELOW = auto()


class Piece(Struct, frozen=True):
    """Text of one block.

    Attributes:
        cost: in characters; never less for more of the same block.
        is_item: it is an entry of a list.
    """

    kind: Kind
    text: str
    cost: int
    is_item: bool = False


def custom_id(action: str, answer_id: str) -> str:
    """Return the name of a button, which tells what it is for after a restart, too."""
    return f"cw:{action}:{answer_id}"


def components(
    blocks: Sequence[Block],
    *,
    marker: int | None = None,
    growing: bool = False,
    offered: frozenset[str] = ACTIONS,
) -> list[Payload]:
    """Return the components of a message.

    Args:
        blocks: of one message.
        marker: id of the first component, by which the message is found again.
        growing: more is to come.
        offered: names of actions that have a button.
    """
    texts = _texts(_pieces(blocks))
    if growing:
        texts.append(GROWING)
    rows = _rows(blocks, offered)
    parts: list[Payload] = []
    for at, text in enumerate(texts or ([] if rows else [BREAK])):
        if at and not growing:
            parts.append({"type": 14, "divider": True, "spacing": 1})
        parts.append({"type": 10, "content": text if text.strip() else BREAK})
    whole = [*parts, *rows]
    if marker is not None:
        whole[0]["id"] = marker
    return whole


def said(text: str) -> list[Payload]:
    """Return the components of a message that is Markdown alone."""
    return [{"type": 10, "content": text or BREAK}]


def fits(blocks: Sequence[Block]) -> bool:
    """Tell whether blocks fit one message; what fits still fits without some of it."""
    pieces = _pieces(blocks)
    glue = len(_GLUE) * len(pieces)
    if sum(one.cost for one in pieces) + glue > MAX_CHARS - _SPARE_CHARS:
        return False
    if sum(len(one.text.encode()) for one in pieces) + glue > _MAX_BYTES:
        return False
    buttons = sum(len(one.actions) for one in blocks if isinstance(one, Actions))
    rows = sum(-(-len(one.actions) // _MAX_IN_ROW) for one in blocks if isinstance(one, Actions))
    # At most two texts, the line between them, and that of a growing answer.
    return 4 + rows + buttons <= MAX_COMPONENTS


def _pieces(blocks: Iterable[Block]) -> list[Piece]:
    pieces: list[Piece] = []
    kind = Kind.BODY
    for block in blocks:
        if isinstance(block, Actions):
            continue
        if isinstance(block, SourceList | NearestList):
            kind = Kind.BELOW
        elif not isinstance(block, Notice):
            kind = Kind.BODY
        pieces.append(_piece(block, kind))
    return pieces


def _texts(pieces: Sequence[Piece]) -> list[str]:
    """Return the texts of a message, what stands below apart from what it belongs to."""
    texts: list[str] = []
    last: Piece | None = None
    for one in pieces:
        # A third text appears only where two answers meet in one message.
        if last is not None and (one.kind is last.kind or len(texts) == _MAX_TEXTS):
            glue = "\n" if one.is_item and last.is_item else _GLUE
            texts[-1] += f"{glue}{one.text}"
        else:
            texts.append(one.text)
        last = one
    return texts


# Whether something fits is asked again and again of the same blocks.
@lru_cache(maxsize=512)
def _piece(block: Block, kind: Kind) -> Piece:
    if isinstance(block, Table):
        text = table(block)
        return Piece(kind, text, max(len(text), table_cost(block)))
    if isinstance(block, Notice):
        text = escaped(block.text)
        small = subtext(text) if kind is Kind.BELOW else text
        # Whether it is small depends on what stands before it.
        return Piece(kind, small, len(subtext(text)))
    text = _text(block)
    is_item = isinstance(block, Text) and block.marker not in {"", ">"}
    return Piece(kind, text, len(text), is_item)


def _text(block: Block) -> str:
    match block:
        case Text():
            return _paragraph(block)
        case Heading(inlines, level):
            text = " ".join(inline(inlines).split("\n"))
            return f"{'#' * level} {text}" if level <= 3 else f"**{text}**"
        case Code(text, language):
            return code(text, language)
        case Json(text):
            return code(text, "json")
        case Quote(citation):
            return quoted(escaped(citation.quote))
        case SourceList(sources, has_quotes):
            return "\n".join(source_lines(one, with_quotes=has_quotes) for one in sources)
        case NearestList(nearest):
            return "\n".join(nearest_line(one) for one in nearest)
    raise TypeError(f"no way to show {type(block).__name__}")


def _paragraph(block: Text) -> str:
    text = inline(block.inlines)
    if block.marker == ">":
        return quoted(text)
    if not block.marker:
        return text
    indent = "  " * block.depth
    first, *more = text.split("\n")
    return "\n".join([
        f"{indent}{block.marker} {first}",
        *(f"{indent}  {line}" for line in more),
    ])


def _rows(blocks: Sequence[Block], offered: frozenset[str]) -> list[Payload]:
    rows: list[Payload] = []
    for block in blocks:
        if not isinstance(block, Actions):
            continue
        buttons = [_button(one) for one in block.actions if one.name in ACTIONS & offered]
        rows += [
            {"type": 1, "components": buttons[at : at + _MAX_IN_ROW]}
            for at in range(0, len(buttons), _MAX_IN_ROW)
        ]
    return rows


def _button(action: Action) -> Payload:
    return {
        "type": 2,
        "style": _STYLES.get(action.name, _SECONDARY),
        "label": possible(action.label[:_MAX_LABEL]) or action.name,
        "custom_id": custom_id(action.name, action.answer_id)[:_MAX_CUSTOM_ID],
    }


def texts_of(blocks: Sequence[Block]) -> list[str]:
    """Return the Markdown of each block, without buttons."""
    return [one.text for one in _pieces(blocks)]
