"""Lays out an explanation as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from citewell.cli.explaining import STANDING, ClaimView, Explanation, PassageView
from citewell.cli.page import Line, Look, Piece, Row, pointer, quoted
from citewell.cli.wording import GONE, counted, safe, safe_line
from citewell.engine.standing import Standing
from citewell.journal.records import AnswerRecord

_INDENT = "  "
_DEEP = "          "
_BLANK = Line()


def explanation_page(explanation: Explanation) -> Iterator[Row]:
    """Yield the lines of `explanation`."""
    record = explanation.record
    yield Line((Piece(safe(record.question), Look.STRONG),))
    told = f"{record.outcome} {record.asked_at[:19].replace('T', ' ')} UTC"
    yield Line((Piece(safe_line(told), Look.FAINT),))
    if record.notice:
        yield Line((Piece(safe_line(record.notice), Look.NOTICE),))
    if explanation.lost:
        yield Line((Piece(_changed(explanation), Look.NOTICE),))
    lost = explanation.lost
    statements = [row for claim in explanation.claims for row in _claim(claim, lost)]
    yield from _part("Statements", statements)
    passages = enumerate(explanation.passages, 1)
    yield from _part("Passages", [_passage(rank, passage) for rank, passage in passages])
    yield from _part("Made with", list(_facts(explanation)))


def _part(title: str, rows: list[Row]) -> Iterator[Row]:
    if rows:
        yield _BLANK
        yield Line((Piece(title, Look.STRONG),))
        yield from rows


def _changed(explanation: Explanation) -> str:
    """Return in words that the answer may not hold any more."""
    cited = counted(len(explanation.marks), "cited source")
    return f"{len(explanation.lost)} of {cited} changed since this answer was given"


def _claim(claim: ClaimView, lost: Mapping[int, Standing]) -> Iterator[Row]:
    state = "kept" if claim.shown else "dropped"
    text = Piece(GONE, Look.FAINT) if claim.text is None else Piece(safe(claim.text))
    mark = Piece("".join(f" [{number}]" for number in claim.marks), Look.MARK)
    yield Line((text, mark), f"{_INDENT}{state:<8}", _DEEP)
    reason = claim.check if claim.reason is None else f"{claim.check}: {claim.reason}"
    score = "" if claim.score is None else f" ({claim.score:.2f})"
    yield Line((Piece(safe_line(reason + score), Look.FAINT),), _DEEP, _DEEP)
    for citation in claim.citations:
        target = pointer(citation.title, citation.uri, citation.place)
        yield Line((Piece(f"[{citation.number}] ", Look.MARK), *target), _DEEP, _DEEP)
        yield from quoted(citation.quote, _DEEP)
    for number in sorted(set(claim.marks) - {citation.number for citation in claim.citations}):
        said = STANDING[lost[number]] if number in lost else GONE
        yield Line((Piece(f"[{number}] ", Look.MARK), Piece(said, Look.FAINT)), _DEEP, _DEEP)


def _passage(rank: int, passage: PassageView) -> Row:
    score = Piece(f"{passage.score:7.2f}  ", Look.FAINT)
    marks = "".join(f"[{number}]" for number in passage.cited_as)
    mark = Piece(f"  {marks}" if marks else "", Look.MARK)
    standing = None if passage.standing is None else STANDING[passage.standing]
    if passage.place is None:
        # What is as it was and not shown is not for this reader.
        said = GONE if standing is None or passage.standing is Standing.SAME else standing
        return Line((score, Piece(said, Look.FAINT), mark), f"{rank:>4}", _DEEP)
    target = pointer(passage.title or "", passage.uri, passage.place)
    state = Piece(f", {standing}" if standing and passage.cited_as else "", Look.FAINT)
    return Line((score, *target, state, mark), f"{rank:>4}", _DEEP)


def _facts(explanation: Explanation) -> Iterator[Row]:
    for name, value in _told(explanation).items():
        if value:
            yield Line((Piece(safe_line(value)),), f"{_INDENT}{name:<9}", f"{_DEEP} ")


def _told(explanation: Explanation) -> dict[str, str]:
    record = explanation.record
    return {
        "profile": record.profile,
        "model": _model(explanation),
        "index": _index(explanation),
        "prompt": record.prompt_hash[:16],
        "time": ", ".join(f"{stage} {took:.3f} s" for stage, took in record.seconds.items()),
        "tokens": _tokens(record),
        "readers": "; ".join(", ".join(labels) for labels in record.readers),
        "settings": record.generation,
        "errors": "; ".join(record.errors),
        "notes": "; ".join(record.notes),
    }


def _model(explanation: Explanation) -> str:
    record = explanation.record
    if not record.model:
        return ""
    proof = f", {explanation.model_proof}" if explanation.model_proof else ""
    return f"{record.model} ({record.model_identity}){proof}"


def _index(explanation: Explanation) -> str:
    record = explanation.record
    if not record.retriever:
        return "none: answered without sources"
    if explanation.index_problem:
        return f"{record.retriever}: {explanation.index_problem}"
    if not record.index_identity:
        return f"{record.retriever}, which was not read"
    same = explanation.index_now == record.index_identity
    state = "unchanged since" if same else f"now {explanation.index_now}"
    return f"{record.retriever} {record.index_identity}, {state}"


def _tokens(record: AnswerRecord) -> str:
    if not record.input_tokens and not record.output_tokens:
        return ""
    cost = "" if record.cost is None else f", cost {record.cost:g}"
    reused = f" ({record.reused_tokens:,} reused)" if record.reused_tokens else ""
    return f"{record.input_tokens:,} in{reused}, {record.output_tokens:,} out{cost}"
