"""Answers of every form and of any characters, and what of them must be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from answers import citation
from citewell import Place
from citewell.blocks import (
    Action,
    Actions,
    Block,
    Code,
    Heading,
    Inline,
    Json,
    Mark,
    Notice,
    Quote,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)

NAMES = ("quotes", "helpful", "unhelpful", "person", "private", "share")
BUTTONS = Actions(tuple(Action(name, "9", "a1") for name in NAMES))
COLUMNS = ("ColumnA", "ColumnB", "ColumnC")

# Each is awkward where it is cut, or where a platform reads it as markup.
AWKWARD = (
    "👩‍👩‍👧‍👦", "🇳🇴", "👍🏽", "1️⃣", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "Z\u0351\u036b\u0343a\u0328l\u0321g\u0489o", "e\u0301", "\u0301", "שלום עולם", "مرحبا بالعالم",
    "\u202emixed\u202c", "\u2066x\u2069", "ﷺ", "日本語", "\u200b", "\u2060", "\ufeff", "\u00ad",
    "\x00", "\x07", "\x1b[2J", "\x7f", "\ud83d", "\ude00", "\ufffe", "\u2028", "\r\n", "\t",
    "*", "**", "_", "~~", "`", "```", "~~~", "||", "> ", "# ", "-# ", "- ", "+ ", "1. ", "1) ",
    "\\", "\n", "\n\n", " ", "=", "===", "---", "|", "&", "&amp;", "&lt;", "<", ">", "<!", "-->",
    "@everyone", "@here", "<@U1>", "<!channel>", "<!subteam^S1>", "<#C1>", "<@123>", "<@&123>",
    "<:x:1>", "<t:1>", "</ask:1>", ":tada:", "[1]", "[", "]", "(", ")", "![", "[a](",
    "[a](https://evil.example)", "https://evil.example/p?q=1&r=2", "www.evil.example",
    "discord.gg/evil", "mailto:a@evil.example", "a" * 300, "word " * 40,
)  # fmt: skip


def texts(*, max_size: int = 400) -> st.SearchStrategy[str]:
    """Return texts of any characters, also of those that no platform can carry."""
    anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=max_size)
    return st.one_of(anything, st.lists(st.sampled_from(AWKWARD), max_size=24).map("".join))


_MARKS = st.builds(Mark, st.integers(1, 60))


def inlines(*, max_size: int = 6) -> st.SearchStrategy[tuple[Inline, ...]]:
    """Return what a paragraph is made of."""
    spans = st.builds(Span, texts(), st.sampled_from(Style))
    return st.lists(st.one_of(spans, _MARKS), max_size=max_size).map(tuple)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, len(COLUMNS)))
    cells = st.lists(
        st.one_of(st.builds(Span, texts(max_size=60), st.sampled_from(Style)), _MARKS), max_size=2
    ).map(tuple)
    rows = st.lists(st.lists(cells, min_size=width, max_size=width).map(tuple), max_size=5)
    times = draw(st.sampled_from([1, 1, 1, 30]))
    header = tuple((Span(name),) for name in COLUMNS[:width])
    return Table(header, tuple(draw(rows)) * times)


def _sources(quotes: list[str], title: str, *, quoted: bool) -> SourceList:
    named = " ".join(f"Title {title}".split())[:200]
    return SourceList(
        tuple(
            Source(at, (citation(at, quote, title=named, place=Place()),))
            for at, quote in enumerate(quotes, 1)
        ),
        quoted,
    )


BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, inlines(), st.sampled_from(["", "-", "1.", ">"]), st.integers(0, 3)),
    st.builds(Heading, inlines(max_size=3), st.integers(1, 6)),
    st.builds(Code, texts(), st.sampled_from(["", "9", "9 9\n9", "`"])),
    st.builds(Json, texts()),
    st.builds(Notice, texts()),
    st.builds(Quote, st.builds(citation, st.integers(1, 60), texts())),
    tables(),
    st.builds(_sources, st.lists(texts(max_size=80), min_size=1, max_size=60), texts(max_size=40),
              quoted=st.booleans()),
)  # fmt: skip

# Up to some hundred thousand characters: what is drawn is small, and repeated.
ANSWERS = st.builds(
    lambda blocks, times: tuple(blocks) * times,
    st.lists(BLOCKS, max_size=6),
    st.sampled_from([1, 1, 1, 2, 12]),
)


def words_of(block: Block) -> str:
    """Return what must be seen of a block, in order."""
    match block:
        case Text(parts) | Heading(parts):
            return _inline(parts)
        case Code(text) | Notice(text) | Json(text):
            return text
        case Quote(cited):
            return cited.quote
        case Table(_, rows):
            return "".join(_inline(cell) for row in rows for cell in row)
        case SourceList(sources, quoted):
            return "".join(
                f"[{one.number}]{cited.title}{cited.quote if quoted else ''}"
                for one in sources
                for cited in one.citations
            )
    return ""


def _inline(parts: Sequence[Inline]) -> str:
    return "".join(f"[{one.number}]" if isinstance(one, Mark) else one.text for one in parts)


def bare(text: str) -> str:
    """Return what people read of a text: what is no blank, and what stands for the impossible."""
    carried = "".join(
        "\N{REPLACEMENT CHARACTER}" if "\ud800" <= one <= "\udfff" else one for one in text
    ).replace("\0", "\N{SYMBOL FOR NULL}")
    return "".join(carried.split()).replace("\u200b", "")


def surplus(blocks: Iterable[Block], shown: str) -> str:
    """Return what is seen beside what must be, which is seen in order; names of columns left out.

    Raises:
        AssertionError: something is not seen, or not there where it belongs.
    """
    shown = bare(shown)
    for name in COLUMNS:
        shown = shown.replace(name, "")
    more: list[str] = []
    at = 0
    for block in blocks:
        wanted = bare(words_of(block))
        for place, letter in enumerate(wanted):
            found = shown.find(letter, at)
            near = wanted[max(place - 20, 0) : place + 20]
            assert found >= 0, f"{letter!r} is lost near {near!r}; it is {shown[at : at + 60]!r}"
            more.append(shown[at:found])
            at = found + 1
    return "".join([*more, shown[at:]])
