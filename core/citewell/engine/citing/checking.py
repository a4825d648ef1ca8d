"""From a piece of model output to a checked claim."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import dedent

from msgspec import Struct, field
from msgspec.structs import replace

from citewell.engine.citing.aligning import Aligner
from citewell.engine.citing.evidence import Checked, Evidence, Policy, check_marks, cite_span
from citewell.engine.citing.numbering import Numbering, bulleted
from citewell.engine.citing.quantities import missing_figure
from citewell.engine.citing.quotations import with_stored_quotes
from citewell.engine.citing.rows import Row, missing_cell
from citewell.engine.citing.sanitizing import Clean, clean, harmless, without_links
from citewell.engine.citing.segmenting import Piece, PieceKind
from citewell.engine.citing.source import Source
from citewell.engine.citing.spans import Span
from citewell.engine.citing.tables import table_cells
from citewell.engine.citing.verdicts import Statement, judge, stands_as_title
from citewell.engine.citing.words import words
from citewell.types.answers import Citation, Claim, ClaimKind, Verdict
from citewell.types.documents import Passage

VERIFIER_TIMEOUT_S = 30.0
# A mark whose passage holds less of the claim than this adds nothing and is left out.
_ADDS_SOMETHING = 0.2
_PROBLEMS_SHOWN = 3
_LINE_END = "\n"
# Of the name of a programming language.
_NAME_CHARS = 40
_NAME_SIGNS = frozenset("+-#.")

_KINDS = {
    PieceKind.SENTENCE: ClaimKind.SENTENCE,
    PieceKind.QUOTATION: ClaimKind.SENTENCE,
    PieceKind.HEADING: ClaimKind.HEADING,
    PieceKind.CODE: ClaimKind.CODE,
    PieceKind.ROW: ClaimKind.TABLE,
}


class _Finding(Struct, frozen=True):
    """What the checks found out about a piece.

    Attributes:
        text: for `Claim.text`.
        quotes: by the model's number, the spans of stored text to be shown.
        numbers: what the citations of a code block below may lean on.
    """

    text: str
    verdict: Verdict
    passages: dict[int, Passage] = field(default_factory=dict)
    quotes: dict[int, tuple[Span, ...]] = field(default_factory=dict)


class Checker:
    """Turns pieces into claims, in order; one for each answer."""

    _last_cited: tuple[int, ...] = ()
    _header_due = ""
    _lead = ""
    _started = False

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._question = Aligner(evidence.question)
        self._sources: dict[Passage, Source] = {}
        self._numbers: dict[str, int] = {}
        self._headings: list[Piece] = []
        self._numbering = Numbering()

    async def check(self, piece: Piece) -> list[Claim]:
        """Return the claims that can be decided now; a heading waits for what follows it."""
        if piece.kind is PieceKind.HEADING:
            return self._hold(piece)
        if piece.kind is PieceKind.ROW:
            self._note_header(piece)
        finding = await self._find(piece)
        citations = self._cite(finding) if finding.verdict.supported else ()
        if finding.verdict.supported and not citations:
            finding = replace(finding, verdict=_unsupported("quote", "nothing in it to quote"))
        supported = finding.verdict.supported
        before = self._release(finding) if supported else []
        if piece.kind is not PieceKind.CODE:
            self._last_cited = tuple(finding.quotes) if supported else ()
        return [*before, self._claim(piece, finding, citations)]

    def finish(self) -> list[Claim]:
        """Return the headings that nothing followed."""
        held, self._headings = self._headings, []
        return [self._lone_heading(piece) for piece in held]

    # --- the checks, by kind ------------------------------------------------------------------

    async def _find(self, piece: Piece) -> _Finding:
        if piece.oversize:
            return _Finding("", _unsupported("length", "too long"))
        if piece.kind is PieceKind.CODE:
            return await self._find_code(piece)
        cells = [clean(cell) for cell in _cells(piece)]
        texts = [cell.text for cell in cells]
        text = _bars(texts) if piece.kind is PieceKind.ROW else texts[0]
        checked = await check_marks(
            self._evidence, [number for cell in cells for number in cell.numbers]
        )
        problems = [f"{mark} is no citation" for cell in cells for mark in cell.failed]
        problems += checked.problems
        if not checked.passages:
            verdict = _no_citation(problems)
            return _Finding(text, verdict)
        if piece.kind is PieceKind.QUOTATION:
            return self._find_quotation(text, checked)
        return await self._find_support(piece, cells, checked, problems)

    async def _find_support(
        self, piece: Piece, cells: Sequence[Clean], checked: Checked, problems: Sequence[str]
    ) -> _Finding:
        """Judge a sentence or a table row by all that it cites together."""
        sources = self._read(checked.passages.values())
        aligned = [
            with_stored_quotes(cell.text, sources, question=self._question) for cell in cells
        ]
        texts = [text for text, _ in aligned]
        missing = next((quote for _, quote in aligned if quote), None)
        judged = " | ".join(texts)
        if missing is not None:
            verdict = _unsupported("quote", f'quote not found: "{missing}"')
        elif piece.kind is PieceKind.ROW and (problem := self._row_problem(piece, texts, sources)):
            verdict = problem
        else:
            verdict = await self._judge(judged, sources)
        if verdict.supported and problems:
            verdict = replace(verdict, reason=f"{verdict.reason}; {_summary(problems)}")
        quotes = self._windows(judged, piece, checked.passages)
        if verdict.supported and piece.kind is not PieceKind.ROW:
            verdict = self._quoted(judged, quotes, checked.passages) or verdict
        known = frozenset[str]().union(*(source.addresses for source in sources))
        text = without_links(_bars(texts) if piece.kind is PieceKind.ROW else judged, known=known)
        return _Finding(text, verdict, checked.passages, quotes)

    async def _judge(self, text: str, sources: list[Source]) -> Verdict:
        statement = Statement(text, sources, self._evidence.question, self._evidence.language)
        verdict = judge(statement)
        passages = tuple(source.passage for source in sources)
        for verifier in self._evidence.verifiers if verdict.supported else ():
            try:
                async with asyncio.timeout(VERIFIER_TIMEOUT_S):
                    opinion = await verifier.judge(text, passages)
            except TimeoutError:
                return _unsupported("verifier", "a verifier took too long")
            except Exception as error:  # noqa: BLE001 - a plugin's error must not end the answer
                return _unsupported("verifier", f"a verifier failed: {type(error).__name__}")
            if not opinion.supported:
                return opinion
        return verdict

    def _find_quotation(self, text: str, checked: Checked) -> _Finding:
        """Find a quoted paragraph in stored text; what is shown is the stored text."""
        for number, passage in checked.passages.items():
            source = self._source(passage)
            spans = source.aligner.find_elided(text)
            if any(map(source.is_denied_before, spans)):
                verdict = _unsupported("negation", "it begins behind what denies it")
                return _Finding(text, verdict)
            if spans:
                shown = without_links(source.stored(text), known=source.addresses)
                verdict = Verdict(
                    supported=True, reason="quoted from what it cites", check="quote", score=1.0
                )
                return _Finding(shown, verdict, {number: passage}, {number: spans})
        return _Finding(text, _unsupported("quote", "quote not found"))

    async def _find_code(self, piece: Piece) -> _Finding:
        """Find a code block in what the claim before it cites, or else in any passage."""
        every = [number for number, _ in enumerate(self._evidence.passages, 1)]
        checked = await check_marks(self._evidence, self._last_cited or every)
        for number, passage in checked.passages.items():
            span = self._source(passage).aligner.find_code(piece.body)
            if span is not None:
                stored = dedent(passage.text[slice(*span)])
                verdict = Verdict(
                    supported=True, reason="stands in what it cites", check="code", score=1.0
                )
                text = _fenced(stored, piece.language)
                return _Finding(text, verdict, {number: passage}, {number: (span,)})
        verdict = _unsupported("code", "its lines do not stand together in a source")
        return _Finding(_fenced(piece.body, piece.language), verdict)

    # --- citations -----------------------------------------------------------------------------

    def _windows(
        self, text: str, piece: Piece, passages: dict[int, Passage]
    ) -> dict[int, tuple[Span, ...]]:
        """Choose what to quote for each mark; leave out marks that add nothing."""
        windows = {
            number: self._source(passage).quote(text, row=piece.kind is PieceKind.ROW)
            for number, passage in passages.items()
        }
        most = max(share for _, share in windows.values())
        return {
            number: (span,)
            for number, (span, share) in windows.items()
            if share >= min(_ADDS_SOMETHING, most)
        }

    def _quoted(
        self, text: str, quotes: dict[int, tuple[Span, ...]], passages: dict[int, Passage]
    ) -> Verdict | None:
        """Return what is wrong when a figure is not in any quote, or None."""
        sources = {number: self._source(passages[number]) for number in quotes}
        quoted = [sources[number].figures_in(*spans) for number, spans in quotes.items()]
        stated = [source.figures for source in sources.values()]
        missing = missing_figure(text, quoted, self._evidence.language, anywhere=stated)
        return _unsupported("quote", f'"{missing}" is in no quote of it') if missing else None

    def _cite(self, finding: _Finding) -> tuple[Citation, ...]:
        found: dict[tuple[int, Span], Citation] = {}
        for number, spans in finding.quotes.items():
            passage = finding.passages[number]
            for span in spans:
                shown = self._numbers.get(passage.id, len(self._numbers) + 1)
                citation = cite_span(passage, span, number=shown)
                if citation is not None:
                    self._numbers[passage.id] = shown
                    found.setdefault((shown, span), citation)
        return tuple(found[key] for key in sorted(found))

    def _read(self, passages: Iterable[Passage]) -> list[Source]:
        return [self._source(passage) for passage in passages]

    def _source(self, passage: Passage) -> Source:
        if passage not in self._sources:
            self._sources[passage] = Source(passage)
        return self._sources[passage]

    # --- headings and table headers -----------------------------------------------------------

    def _hold(self, piece: Piece) -> list[Claim]:
        # What was dropped above a heading must not shape what stands below it.
        piece = replace(piece, lead=_joined(self._lead, piece.lead))
        self._lead = ""
        if self._evidence.policy is Policy.MARK:
            return [self._heading(piece, "a heading carries no citation", stands=False)]
        passed = [held for held in self._headings if held.level >= piece.level]
        self._headings = [held for held in self._headings if held.level < piece.level] + [piece]
        return [self._lone_heading(held) for held in passed]

    def _lone_heading(self, piece: Piece) -> Claim:
        return self._heading(piece, "nothing under it is supported", stands=False)

    def _release(self, finding: _Finding) -> list[Claim]:
        """Judge the headings that waited by what the first supported claim below them cites."""
        held, self._headings = self._headings, []
        lead, self._lead = self._lead, ""
        sources = self._read(finding.passages.values())
        claims = []
        for piece in held:
            stands = not piece.oversize and self._stands(clean(piece.body).text, sources)
            reason = (
                f"its words {'' if stands else 'do not all '}stand in what the next claim cites"
            )
            claims.append(self._heading(piece, reason, stands=stands))
        self._lead = _joined(self._lead, lead)
        return claims

    def _heading(self, piece: Piece, reason: str, *, stands: bool) -> Claim:
        verdict = Verdict(supported=stands, reason=reason, check="heading")
        text = f"{'#' * piece.level} {without_links(clean(piece.body).text, known=())}"
        return self._claim(piece, _Finding(text, verdict), ())

    def _stands(self, text: str, sources: Sequence[Source]) -> bool:
        question, language = self._evidence.question, self._evidence.language
        return stands_as_title(Statement(text, sources, question, language, titular=True))

    def _note_header(self, piece: Piece) -> None:
        # The first row's raw text holds the header too: a new table begins.
        if piece.raw != piece.body:
            names = [
                without_links(clean(cell).text, known=()) for cell in table_cells(piece.header)
            ]
            self._header_due = f"{_bars(names)}\n{piece.rule}"

    def _row_problem(
        self, piece: Piece, cells: Sequence[str], sources: Sequence[Source]
    ) -> Verdict | None:
        titles = [clean(cell).text for cell in table_cells(piece.header)]
        if not all(self._stands(title, sources) for title in titles):
            return _unsupported("header", "the table's header is not in what the row cites")
        missing = missing_cell(Row(cells, titles, self._evidence.language), sources)
        if missing is not None:
            reason = f'"{missing}" is not in that row and column of what it cites'
            return _unsupported("row", reason)
        return None

    # --- claims -------------------------------------------------------------------------------

    def _claim(self, piece: Piece, finding: _Finding, citations: tuple[Citation, ...]) -> Claim:
        marked = self._evidence.policy is Policy.MARK and any(words(finding.text))
        shown = finding.verdict.supported or marked
        text = finding.text
        if not finding.verdict.supported and piece.kind is not PieceKind.CODE:
            text = without_links(text, known=())
        if shown and piece.kind is PieceKind.ROW and self._header_due:
            text, self._header_due = f"{self._header_due}\n{text}", ""
        return Claim(
            kind=_KINDS[piece.kind],
            lead=self._lead_of(piece, shown=shown),
            text=text,
            raw=piece.raw,
            citations=citations,
            verdict=finding.verdict,
            shown=shown,
        )

    def _lead_of(self, piece: Piece, *, shown: bool) -> str:
        """Hand the structure before a dropped claim on to the next one that is shown."""
        lead = _joined(self._lead, piece.lead)
        if not shown:
            self._lead = lead
            return piece.lead
        self._lead = ""
        if not self._started:
            lead = lead.lstrip(_LINE_END) if lead.strip() else ""
        self._started = True
        # Where items before it were dropped, a number would no longer count what is shown.
        return lead if self._numbering.takes(lead) else bulleted(lead)


def _joined(dropped: str, own: str) -> str:
    if "\n" in own:
        return "\n" + own if dropped.startswith("\n\n") and not own.startswith("\n\n") else own
    return dropped if dropped.strip() or "\n" in dropped else own


def _unsupported(check: str, reason: str) -> Verdict:
    return Verdict(supported=False, reason=reason, check=check)


def _no_citation(problems: Sequence[str]) -> Verdict:
    if problems:
        return _unsupported("marks", _summary(problems))
    return _unsupported("citation", "no citation")


def _summary(problems: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(problems))
    more = len(distinct) - _PROBLEMS_SHOWN
    return "; ".join([*distinct[:_PROBLEMS_SHOWN], *([f"{more} more"] if more > 0 else [])])


def _cells(piece: Piece) -> Iterator[str]:
    yield from table_cells(piece.body) if piece.kind is PieceKind.ROW else (piece.body,)


def _bars(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(code: str, language: str) -> str:
    longest = max([2, *map(len, re.findall("`+", code))])
    fence = "`" * (longest + 1)
    name = "".join(c for c in language[:_NAME_CHARS] if c.isalnum() or c in _NAME_SIGNS)
    return f"{fence}{name}\n{harmless(code).rstrip()}\n{fence}"
