"""A report on one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from citewell.cli.page import Grid, Line, Look, Piece
from citewell.cli.wording import safe_line
from citewell.evaluation.report import PRIMARY, ArmResult, Report
from citewell.evaluation.saying import (
    agreement_sentence,
    interaction_sentence,
    interval,
    of_plugins,
    percent,
    power_sentence,
    settled_sentence,
    signed,
    unknown_sentence,
    verdict_sentence,
)

if TYPE_CHECKING:
    from citewell.cli.page import Row

_SCORES = {
    "correct": "right",
    "correct.raw": "right, unchecked",
    "supported": "supported",
    "refused": "refused rightly",
    "answered": "not refused wrongly",
    "citation_recall": "evidence cited",
    "hit_at_3": "found in 3",
    "obedience.raw": "follows passages",
}
"""What fits a screen; the page has every score."""


def screen(report: Report) -> Iterator[Row]:
    """Yield the verdict, the arms, and what makes either doubtful."""
    yield _line(verdict_sentence(report), Look.STRONG)
    yield _line(settled_sentence(report))
    for flag in report.flags:
        yield _line(f"! {flag}", Look.NOTICE)
    yield Line()
    yield from _arms(report.arms)
    yield Line()
    if said := interaction_sentence(report):
        yield _line(said)
    for one in report.pairs:
        yield _line(f"{one.better} - {one.other}: {signed(one.gain)}, p {one.p:.2g}", Look.FAINT)
    yield from _slices(report)
    yield Line()
    yield from _agreement(report)
    yield _line(power_sentence(report), Look.FAINT)
    yield _line(_unscored(report), Look.FAINT)


def _arms(arms: Sequence[ArmResult]) -> Iterator[Row]:
    rows = [(title, [_score(arm, name) for arm in arms]) for name, title in _SCORES.items()]
    rows = [(title, cells) for title, cells in rows if any(cell != "-" for cell in cells)]
    rows += [
        ("whole answer, p50 / p95", [_seconds(arm) for arm in arms]),
        ("tokens in / out", [_tokens(arm) for arm in arms]),
        ("cost of a question", [_cost(arm) for arm in arms]),
    ]
    yield Grid(
        ((Piece(""),), *((Piece(safe_line(arm.name), Look.STRONG),) for arm in arms)),
        tuple(((Piece(title),), *((Piece(cell),) for cell in cells)) for title, cells in rows),
    )


def _slices(report: Report) -> Iterator[Row]:
    names = dict.fromkeys(name for arm in report.arms for name in arm.slices)
    if not names:
        return
    yield Line()
    yield Grid(
        ((Piece("right, by slice"),), *((Piece(safe_line(arm.name)),) for arm in report.arms)),
        tuple(
            (
                (Piece(safe_line(name)),),
                *((Piece(_slice(arm, name)),) for arm in report.arms),
            )
            for name in names
        ),
    )


def _agreement(report: Report) -> Iterator[Row]:
    """Yield how far the primary score, and those of plugins, agree with people."""
    shown = {PRIMARY, *of_plugins(report)}
    for one in report.agreement:
        if one.score in shown:
            yield _line(agreement_sentence(one))
    if said := unknown_sentence(report):
        yield _line(said)


def _slice(arm: ArmResult, name: str) -> str:
    return interval(arm.slices[name]) if name in arm.slices else "-"


def _score(arm: ArmResult, name: str) -> str:
    return interval(arm.scores[name]) if name in arm.scores else "-"


def _seconds(arm: ArmResult) -> str:
    if arm.spent is None or arm.spent.whole is None:
        return "-"
    return f"{arm.spent.whole.p50:.2f} / {arm.spent.whole.p95:.2f} s"


def _tokens(arm: ArmResult) -> str:
    if arm.spent is None:
        return "-"
    return f"{arm.spent.input_tokens:,.0f} / {arm.spent.output_tokens:,.0f}"


def _cost(arm: ArmResult) -> str:
    if arm.spent is None or arm.spent.cost is None:
        return "unknown"
    return f"{arm.spent.cost:.4g}"


def _unscored(report: Report) -> str:
    counts = {
        arm.name: sum(one.count for one in arm.unscored if one.score == "correct")
        for arm in report.arms
    }
    missing = [f"{safe_line(name)} {count}" for name, count in counts.items() if count]
    if not missing:
        return "Every answer could be scored."
    return f"Could not be scored, and is in no mean: {', '.join(missing)}."


def difference_rows(report: Report, one: ArmResult, other: ArmResult) -> Iterator[Row]:
    """Yield what two arms differ in."""
    yield Grid(
        ((Piece(""),), *((Piece(safe_line(arm.name), Look.STRONG),) for arm in (one, other))),
        tuple(
            ((Piece(title),), *((Piece(percent_of(arm, name)),) for arm in (one, other)))
            for name, title in _SCORES.items()
            if name in one.scores or name in other.scores
        ),
    )
    names = {one.name, other.name}
    for pair in report.pairs:
        if {pair.better, pair.other} == names:
            said = f"{pair.better} - {pair.other}: {signed(pair.gain)}, p {pair.p:.2g}"
            yield _line(said, Look.STRONG)
    parts = sorted(one.identity.keys() | other.identity.keys())
    differing = [part for part in parts if one.identity.get(part) != other.identity.get(part)]
    yield _line(f"They differ in: {', '.join(differing) or 'nothing'}.")
    for better, worse in ((one.name, other.name), (other.name, one.name)):
        won = [
            asked
            for asked in report.asked
            if (asked.correct.get(better) or 0.0) > (asked.correct.get(worse) or 0.0)
        ]
        yield Line()
        yield _line(f"{better} is better on {len(won)} questions:")
        for asked in won[:10]:
            yield _line(f"  {asked.id}: {asked.question}", Look.FAINT)


def percent_of(arm: ArmResult, name: str) -> str:
    """Show a score of an arm; a dash where it has none."""
    return percent(arm.scores[name].mean) if name in arm.scores else "-"


def _line(text: str, look: Look = Look.PLAIN) -> Line:
    return Line((Piece(safe_line(text), look),))
