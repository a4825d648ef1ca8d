"""Whatever a model writes: each citation that is shown resolves to equal stored text."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context

from hypothesis import HealthCheck, Phase, given, seed, settings

from citewell import Answer, Citation, Claim, ClaimKind, Outcome
from citewell.blocks import Block, Heading, Inline, SourceList, Span, Style, Table, Text
from citewell.engine.citing import Policy, cite
from citewell.engine.citing.sanitizing import links_in
from citewell.engine.citing.segmenting import Piece, Segmenter
from citewell_formats.document import JsonDocument
from citewell_formats.prose import Prose
from proofs import _stores as stores
from proofs._outputs import many_marks, outputs
from proofs.harness import READER, Size

_OUTPUTS: dict[Size, int] = {"small": 1_200, "full": 100_000}
_PARTS: dict[Size, int] = {"small": 1, "full": 16}
# One output in so many is cut at every position; one has 10,000 marks.
_EVERYWHERE = 100
_MANY_MARKS = 1_000
_FORMATTERS = (
    Prose(quoted=True, styled=True, offers_why=True),
    Prose(quoted=False, styled=False, offers_why=False),
)
_MARK_LIKE = re.compile(r"[\[【［〔]\s*[\^#]?\s*\d[\d\s,;–-]*[\]】］〕]")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_MARKUP = re.compile(r"<[a-z/!@#]|\]\(|!\[|@(?:everyone|here)\b|\x1b", re.IGNORECASE)


@dataclass(slots=True)
class _Tally:
    """What was seen so far."""

    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def expect(self, holds: bool, what: str, shown: object) -> None:
        """Note a violation unless `holds`."""
        if not holds and len(self.violations) < 20:
            self.violations.append(f"{what}: {shown!r}"[:400])

    def add(self, other: _Tally) -> None:
        """Count what another part of the run has seen as well."""
        self.kinds += other.kinds
        self.counts += other.counts
        self.checks += other.checks
        self.violations += other.violations


def run(*, size: Size, seed: int) -> dict[str, object]:
    tally = _together(size, seed)
    return {
        "outputs": tally.counts["outputs"],
        "fragments": dict(sorted(tally.kinds.items())),
        "claims": tally.counts["claims"],
        "claims_shown": tally.counts["shown"],
        "citations_shown": tally.counts["citations"],
        "dropped_by_check": dict(sorted(tally.checks.items())),
        "cut_at_random": tally.counts["cut"],
        "cut_everywhere": tally.counts["everywhere"],
        "cut_positions": tally.counts["positions"],
        "violations": tally.violations,
    }


def check(result: dict[str, object]) -> Sequence[str]:
    broken = [str(violation) for violation in result["violations"]]  # type: ignore[attr-defined]
    citations = result["citations_shown"]
    if not isinstance(citations, int) or citations < 100:
        broken.append(f"only {citations} citations were shown: the outputs prove nothing")
    return broken


def table(result: dict[str, object]) -> str:
    violations = result["violations"]
    assert isinstance(violations, list)
    rows = [
        ("generated model outputs", result["outputs"]),
        ("sentences, rows, headings and code blocks in them", result["claims"]),
        ("of these shown", result["claims_shown"]),
        ("citations shown", result["citations_shown"]),
        ("positions at which an output was cut", result["cut_positions"]),
        ("**citations that do not resolve, and other violations**", f"**{len(violations)}**"),
    ]
    lines = [f"| {name} | {value:,} |" if isinstance(value, int) else f"| {name} | {value} |"
             for name, value in rows]  # fmt: skip
    return "\n".join(["| | |", "|---|---:|", *lines])


def _together(size: Size, number: int) -> _Tally:
    """Run in parts of their own seeds, each in a process; a small run is one part, in this one."""
    parts = _PARTS[size]
    count = _OUTPUTS[size] // parts
    if parts == 1:
        return _part(count, number)
    tally = _Tally()
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        numbers = range(number * parts, (number + 1) * parts)
        for part in pool.map(_part, [count] * parts, numbers):
            tally.add(part)
    return tally


def _part(count: int, number: int) -> _Tally:
    tally = _Tally()
    many = max(count // _MANY_MARKS, 1)
    _each_output(tally, count=count - many, number=number)
    _each_many(tally, count=many, number=number)
    return tally


def _each_output(tally: _Tally, *, count: int, number: int) -> None:
    chance = random.Random(number)

    @seed(number)
    @_generously(count)
    @given(outputs)
    def examine(pieces: list[tuple[str, tuple[str, str]]]) -> None:
        tally.kinds.update(kind for _, (kind, _) in pieces)
        output = "".join(gap + text for gap, (_, text) in pieces)
        _examine(tally, output, chance)

    examine()


def _each_many(tally: _Tally, *, count: int, number: int) -> None:
    chance = random.Random(number)

    @seed(number)
    @_generously(count)
    @given(many_marks)
    def examine(fragment: tuple[str, str]) -> None:
        tally.kinds[fragment[0]] += 1
        _examine(tally, fragment[1], chance)

    examine()


def _generously(count: int) -> settings:
    return settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def _examine(tally: _Tally, output: str, chance: random.Random) -> None:
    """Check one output in every respect."""
    tally.counts["outputs"] += 1
    store = stores.store()
    claims = _claims(store, [output])
    _examine_claims(tally, store, claims)
    cuts = _cut(output, chance)
    tally.counts["cut"] += 1
    tally.expect(_claims(store, cuts) == claims, "depends on how it is cut", cuts)
    if tally.counts["outputs"] % _EVERYWHERE == 0 and len(output) <= 1_000:
        _cut_everywhere(tally, output)
    if tally.counts["outputs"] % 10 == 0:
        for claim in _claims(store, [output], policy=Policy.MARK):
            if claim.shown:
                _examine_text(tally, claim)


def _claims(
    store: stores.Store, parts: Sequence[str], *, policy: Policy = Policy.DROP
) -> list[Claim]:
    async def deltas() -> AsyncIterator[str]:
        for part in parts:
            yield part

    async def collect() -> list[Claim]:
        return [claim async for claim in cite(deltas(), store.evidence(policy))]

    return _runner().run(collect())


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def _cut(output: str, chance: random.Random) -> list[str]:
    borders = sorted(chance.choices(range(len(output) + 1), k=chance.choice([1, 3, 10, 60])))
    return [output[a:b] for a, b in zip([0, *borders], [*borders, len(output)], strict=True)]


def _cut_everywhere(tally: _Tally, output: str) -> None:
    """Compare pieces: the claims follow from them alone."""
    whole = _pieces([output])
    tally.counts["everywhere"] += 1
    tally.counts["positions"] += len(output) + 1
    for position in range(len(output) + 1):
        parts = [output[:position], output[position:]]
        tally.expect(_pieces(parts) == whole, "depends on how it is cut", parts)
    tally.expect(_pieces(list(output)) == whole, "differs character by character", output)


def _pieces(parts: Sequence[str]) -> list[Piece]:
    segmenter = Segmenter("en")
    pieces = [piece for part in parts for piece in segmenter.feed(part)]
    return [*pieces, *segmenter.finish()]


def _examine_claims(tally: _Tally, store: stores.Store, claims: Sequence[Claim]) -> None:
    numbers: list[int] = []
    for claim in claims:
        tally.counts["claims"] += 1
        if not claim.shown:
            tally.checks[claim.verdict.check] += 1
            tally.expect(not claim.citations, "a dropped claim cites", claim)
            continue
        tally.counts["shown"] += 1
        numbers += [citation.number for citation in claim.citations]
        tally.expect(claim.verdict.supported, "an unsupported claim is shown", claim)
        cited = bool(claim.citations) or claim.kind is ClaimKind.HEADING
        tally.expect(cited, "a claim without citation is shown", claim)
        for citation in claim.citations:
            tally.counts["citations"] += 1
            tally.expect(_resolves(store, citation), "a citation does not resolve", citation)
        _examine_text(tally, claim)
        for secret in stores.secrets():
            tally.expect(secret[:-1] not in claim.text, "an unreadable text is shown", claim)
    first_seen = list(dict.fromkeys(numbers))
    counted = sorted(first_seen) == list(range(1, len(first_seen) + 1))
    tally.expect(counted, "the numbers that readers see do not count from 1", numbers)
    _examine_rendering(tally, store, claims)


def _resolves(store: stores.Store, citation: Citation) -> bool:
    passage = store.readable.get(citation.passage_id)
    if passage is None or not READER.may_read(passage.labels):
        return False
    stored = passage.text[citation.start - passage.start : citation.end - passage.start]
    return (
        citation.quote == stored != ""
        and passage.start <= citation.start < citation.end <= passage.end
        and citation.content_hash == passage.content_hash
        and (citation.document_id, citation.title, citation.uri)
        == (passage.document_id, passage.title, passage.uri)
        and citation.place == passage.place_at(citation.start)
        and passage.id in {retrieved.id for retrieved in store.retrieved}
    )


def _examine_text(tally: _Tally, claim: Claim) -> None:
    """Nothing in the text may act as a mark, a link, an image, markup or a ping."""
    if claim.kind is ClaimKind.CODE:
        tally.expect("\x1b" not in claim.text, "a control character in code", claim)
        return
    prose = _CODE_SPAN.sub("code", claim.text)
    tally.expect(not _MARK_LIKE.search(prose), "a mark in the text", claim)
    tally.expect(not _MARKUP.search(prose), "markup in the text", claim)
    links = links_in(prose).difference(*map(links_in, stores.good_texts().values()))
    tally.expect(not links, "a link in the text", claim)


def _examine_rendering(tally: _Tally, store: stores.Store, claims: Sequence[Claim]) -> None:
    """Whatever the formatters show as a quote is stored text, and every mark has its source."""
    answer = Answer(id="a", question_id="q", claims=tuple(claims), outcome=Outcome.ANSWERED)
    for formatter in _FORMATTERS:
        blocks = formatter.render(answer)
        listed = [block for block in blocks if isinstance(block, SourceList)]
        sources = [source for block in listed for source in block.sources]
        shown = [citation for source in sources for citation in source.citations]
        tally.expect(all(_resolves(store, one) for one in shown), "a rendered quote", shown)
        known = {source.number for source in sources}
        for inline in _inlines(blocks):
            if isinstance(inline, Span):
                prose = "" if inline.style is Style.CODE else _CODE_SPAN.sub("code", inline.text)
                loose = _MARK_LIKE.search(prose)
                tally.expect(not loose, "a rendered mark that is text", inline)
            else:
                tally.expect(inline.number in known, "a mark without a source", inline)
    _examine_json(tally, store, answer)


def _inlines(blocks: Sequence[Block]) -> list[Inline]:
    found: list[Inline] = []
    for block in blocks:
        match block:
            case Text() | Heading():
                found += block.inlines
            case Table():
                found += [
                    inline for row in (block.header, *block.rows) for c in row for inline in c
                ]
            case _:
                pass
    return found


def _examine_json(tally: _Tally, store: stores.Store, answer: Answer) -> None:
    (block,) = JsonDocument().render(answer)
    document = json.loads(block.text)  # type: ignore[union-attr]
    texts = {passage.text for passage in store.readable.values()}
    for source in document["sources"]:
        for citation in source["citations"]:
            stored = any(citation["quote"] in text for text in texts)
            tally.expect(stored, "a quote in JSON is not stored text", citation)
