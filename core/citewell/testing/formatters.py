"""What every formatter must do, as tests."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, assert_never

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
    Table,
    Text,
)
from citewell.protocols import Formatter
from citewell.testing.answers import growing, make_answer, make_claim
from citewell.testing.opening import opened, run_async
from citewell.testing.passages import make_passages
from citewell.types.answers import Answer, Claim, ClaimKind, Outcome

_PASSAGES = make_passages(
    "Everyone has 25 days of leave.",
    "Leave is asked for in the portal, two weeks ahead.",
    "Price | 1,200.50 \u20ac\nVAT | 19 %",
    "*Asterisks*, _lines_, `ticks`, <tags> & [brackets](https://example.org) \u202e\x1b[31m",
)
_REFUSAL = "The documents do not say."
_FREE = "answered without sources"
_FAILURE = "no model could answer (reference 7m2kq4x9ab)"
_WORDS = (
    *("leave", "days", "of", "everyone", "25", "portal", "*strong*", "_mild_", "`code`"),
    *("1,200", "\u00e9t\u00e9", "\u65e5", "<", "&", "|"),
)


class FormatterContract:
    """Subclass it, set `name`, and pytest tests your formatter.

    Attributes:
        name: under which a plugin that is installed offers the formatter.
        config: its settings, as they would stand in `citewell.toml`.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Formatter]:
        """Open the formatter; override to build it otherwise."""
        async with opened("formatter", self.name, self.config, folder) as formatter:
            yield formatter

    @run_async
    async def test_the_same_answer_gives_the_same_blocks(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as formatter:
            for answer in _answers():
                assert formatter.render(answer) == formatter.render(answer), (
                    "render must depend on the answer alone, and blocks must compare equal"
                )

    @run_async
    async def test_what_was_shown_stays_while_an_answer_grows(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as formatter:
            for answer in _answers():
                renderings = [tuple(formatter.render(seen)) for seen in growing(answer)]
                for before, after in pairwise(renderings):
                    kept = max(len(before) - 1, 0)
                    assert after[:kept] == before[:kept], (
                        f"blocks that were shown have changed: {before[:kept]} became {after}"
                    )
                    assert not before or _has_grown(before[-1], after[kept : kept + 1]), (
                        f"the last block may only become longer: {before[-1]} became {after[kept:]}"
                    )

    @run_async
    async def test_every_shown_statement_is_there(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as formatter:
            for answer in _answers():
                text = _letters(_text(formatter.render(answer)))
                at = 0
                for claim in answer.shown:
                    at = text.find(_letters(claim.text), at)
                    assert at >= 0, f"a statement is missing or out of order: {claim.text!r}"

    @run_async
    async def test_dropped_statements_are_not_shown(self, tmp_path: Path) -> None:
        dropped = make_claim("The secret word is xylophone.", shown=False)
        answer = make_answer(make_claim("Everyone has 25 days.", {1: _PASSAGES[0]}), dropped)
        async with self.open(tmp_path) as formatter:
            for seen in growing(answer):
                shown = _text(formatter.render(seen))
                assert "xylophone" not in shown, "show `answer.shown`, not `answer.claims`"

    @run_async
    async def test_no_citation_is_lost(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as formatter:
            for answer in _answers():
                blocks = formatter.render(answer)
                text = _text(blocks)
                for citation in answer.citations:
                    assert f"[{citation.number}]" in text or str(citation.number) in text, (
                        f"citation {citation.number} is not shown"
                    )
                    assert citation.title in text, f'source "{citation.title}" is not listed'

    @run_async
    async def test_every_mark_leads_to_a_source(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as formatter:
            for answer in _answers():
                blocks = formatter.render(answer)
                listed = {
                    source.number: source.citations
                    for block in blocks
                    if isinstance(block, SourceList)
                    for source in block.sources
                }
                missing = {mark.number for mark in _marks(blocks)} - set(listed)
                assert not missing, f"marks without an entry in the source list: {missing}"
                for number, citations in listed.items():
                    own = [one for one in answer.citations if one.number == number]
                    assert list(citations) == own, f"the sources of [{number}] are not its own"

    @run_async
    async def test_quotes_are_those_of_the_answer(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as formatter:
            for answer in _answers():
                for block in formatter.render(answer):
                    if isinstance(block, Quote):
                        assert block.citation in answer.citations, "a quote that nobody checked"

    @run_async
    async def test_a_refusal_says_so_and_where_to_look(self, tmp_path: Path) -> None:
        answer = make_answer(outcome=Outcome.REFUSED, notice=_REFUSAL, nearest=_PASSAGES[:2])
        async with self.open(tmp_path) as formatter:
            text = _text(formatter.render(answer))
        assert _REFUSAL in text, "show `answer.notice`"
        assert _PASSAGES[0].title in text, "show `answer.nearest`"

    @run_async
    async def test_an_unsourced_answer_is_labelled_from_the_start(self, tmp_path: Path) -> None:
        answer = make_answer(make_claim("Paris."), outcome=Outcome.UNSOURCED, notice=_FREE)
        async with self.open(tmp_path) as formatter:
            for seen in growing(answer):
                blocks = formatter.render(seen)
                assert not blocks or _FREE in _text(blocks), (
                    "nothing of an unsourced answer may be seen without its label"
                )
            assert _FREE in _text(formatter.render(answer)), "show `answer.notice`"

    @run_async
    async def test_a_failure_says_so(self, tmp_path: Path) -> None:
        for claims in ((), (make_claim("Everyone has 25 days.", {1: _PASSAGES[0]}),)):
            answer = make_answer(*claims, outcome=Outcome.FAILED, notice=_FAILURE)
            async with self.open(tmp_path) as formatter:
                assert _FAILURE in _text(formatter.render(answer)), "show `answer.notice`"


# --- answers to render ----------------------------------------------------------------------


def _answers() -> Iterator[Answer]:
    """Yield answers of every kind, the same ones each time."""
    choose = random.Random(11)
    yield make_answer()
    for count in range(60):
        claims = [_claim(choose) for _ in range(choose.randint(1, 1 + count // 8))]
        yield make_answer(*_numbered(claims))
    yield make_answer(outcome=Outcome.REFUSED, notice=_REFUSAL, nearest=_PASSAGES)
    yield make_answer(make_claim("Paris."), outcome=Outcome.UNSOURCED, notice=_FREE)
    yield make_answer(outcome=Outcome.FAILED, notice=_FAILURE)


def _claim(choose: random.Random) -> Claim:
    words = " ".join(choose.choices(_WORDS, k=choose.randint(1, 9)))
    kind = choose.choice([ClaimKind.SENTENCE] * 5 + list(ClaimKind))
    text, lead = {
        ClaimKind.SENTENCE: (words, choose.choice([" ", "\n", "\n\n", "\n- ", "\n2. ", "\n> "])),
        ClaimKind.HEADING: (f"## {words}", "\n\n"),
        ClaimKind.CODE: (f"```\n{words.replace('`', '')}\n```", "\n\n"),
        ClaimKind.TABLE: (f"| {words.replace('|', '/').replace('`', '')} | 7 |", "\n"),
    }[kind]
    chosen = choose.sample(range(len(_PASSAGES)), k=choose.randint(0, 2))
    cited = {number + 1: _PASSAGES[number] for number in chosen}
    return make_claim(text, cited, kind=kind, lead=lead, shown=choose.random() < 0.9)


def _numbered(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Yield the claims with marks that count from 1 in the order in which they are seen."""
    numbers: dict[str, int] = {}
    for claim in claims:
        cited = {}
        for citation in claim.citations if claim.shown else ():
            number = numbers.setdefault(citation.passage_id, len(numbers) + 1)
            cited[number] = next(one for one in _PASSAGES if one.id == citation.passage_id)
        yield make_claim(claim.text, cited, kind=claim.kind, lead=claim.lead, shown=claim.shown)


# --- blocks as text -------------------------------------------------------------------------


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _has_grown(before: Block, after: Sequence[Block]) -> bool:
    if not after or type(after[0]) is not type(before):
        return False
    return _block_text(after[0]).startswith(_block_text(before))


def _text(blocks: Sequence[Block]) -> str:
    """Return what blocks say, however they wrap it."""
    return " ".join(" ".join(map(_block_text, blocks)).split())


def _block_text(block: Block) -> str:
    match block:
        case Text() | Heading():
            return _inline_text(block.inlines)
        case Code() | Notice():
            return block.text
        case Json():
            return "\n".join(_strings(json.loads(block.text)))
        case Table():
            return "\n".join(
                _inline_text(cell) for row in (block.header, *block.rows) for cell in row
            )
        case Quote():
            return block.citation.quote
        case SourceList():
            return "\n".join(
                f"[{source.number}] {citation.title} {citation.quote}"
                for source in block.sources
                for citation in source.citations
            )
        case NearestList():
            return "\n".join(nearest.title for nearest in block.nearest)
        case Actions():
            return ""
        case _:
            assert_never(block)


def _strings(value: object) -> Iterator[str]:
    """Yield every text and number of a JSON document, in its order."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    else:
        yield str(value)


def _inline_text(inlines: Sequence[Inline]) -> str:
    return "".join(
        f"[{inline.number}]" if isinstance(inline, Mark) else inline.text for inline in inlines
    )


def _marks(blocks: Sequence[Block]) -> Iterator[Mark]:
    for block in blocks:
        rows: Sequence[Sequence[Inline]] = ()
        if isinstance(block, Text | Heading):
            rows = (block.inlines,)
        elif isinstance(block, Table):
            rows = [cell for row in (block.header, *block.rows) for cell in row]
        yield from (one for row in rows for one in row if isinstance(one, Mark))
