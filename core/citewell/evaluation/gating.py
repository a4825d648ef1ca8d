"""Whether a backend may go live: only on a fresh report about just this backend that passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from citewell.engine.tables import Gate
from citewell.evaluation.estimating import Estimate, difference
from citewell.evaluation.identity import DOCUMENTS, Identity
from citewell.evaluation.report import ArmResult, Report, sorted_readers
from citewell.evaluation.saying import percent, points
from citewell.types.documents import Labels

_SHOWN = 5
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STAND_INS = 0.05
"""Of the answers of an arm, so many may be those of its fallbacks."""


class Status(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNSETTLED = "not settled"


class Ruling(Struct, frozen=True, kw_only=True):
    """Whether a backend may go live.

    Attributes:
        arm: of the report that stands for it; None where there is none.
        reasons: why not, a line each; empty for a pass.
    """

    status: Status
    arm: str | None
    reasons: tuple[str, ...] = ()


class Candidate(Struct, frozen=True, kw_only=True):
    """What is to go live, and what is known of the world now.

    Attributes:
        profile: its name.
        identity: of the backend as it would answer.
        present: of what answers now; None where nothing does.
        questions_hash: of the question set as it is now; None where it cannot be read.
        versions: of the indexed documents; None for what reads none.
        readers: of whom questions are to be asked for.
        now: the time, in UTC.
    """

    profile: str
    identity: Identity
    present: Identity | None
    questions_hash: str | None
    versions: Mapping[str, str] | None
    readers: frozenset[Labels]
    now: datetime


def rule(report: Report | None, gate: Gate, candidate: Candidate) -> Ruling:
    """Decide whether `candidate` may go live.

    What makes a report stale or low is a failure; what it leaves open is not settled.
    """
    if report is None:
        return Ruling(
            status=Status.FAIL, arm=None, reasons=("there is no report; run: citewell eval run",)
        )
    arm = _standing_for(report, candidate.identity)
    if arm is None:
        return Ruling(
            status=Status.FAIL, arm=None, reasons=(_nearest_difference(report, candidate),)
        )
    present = None if candidate.present is None else _standing_for(report, candidate.present)
    compared = [arm] if present is None else [arm, present]
    failures = [
        *_stale(report, compared, gate, candidate),
        *_partial(report, arm),
        *_not_live(report, candidate),
        *_low(arm, gate),
    ]
    loss = _loss(report, arm, present, candidate)
    failures += _lost(arm, loss, gate)
    if failures:
        return Ruling(status=Status.FAIL, arm=arm.name, reasons=tuple(failures))
    doubts = (*_doubtful(arm, gate), *_may_lose(arm, loss, gate))
    status = Status.UNSETTLED if doubts else Status.PASS
    return Ruling(status=status, arm=arm.name, reasons=doubts)


def _standing_for(report: Report, identity: Identity) -> ArmResult | None:
    wanted = lasting(identity)
    return next((arm for arm in report.arms if lasting(Identity(arm.identity)) == wanted), None)


def lasting(identity: Identity) -> Identity:
    """Leave out the documents: how much of them may change is another rule."""
    return Identity({name: value for name, value in identity.parts.items() if name != DOCUMENTS})


def _nearest_difference(report: Report, candidate: Candidate) -> str:
    """Say what differs from the arm of the report that is most alike."""

    def differing(arm: ArmResult) -> list[str]:
        return lasting(candidate.identity).differs_from(lasting(Identity(arm.identity)))

    same_profile = [arm for arm in report.arms if arm.profile == candidate.profile]
    nearest = min(same_profile or report.arms, key=lambda arm: len(differing(arm)), default=None)
    if nearest is None:
        return "the report has no arm; run: citewell eval run"
    return (
        f"no arm of the report is profile {candidate.profile} as it would answer; beside arm "
        f"{nearest.name} it differs in: {', '.join(differing(nearest))}; run: citewell eval run"
    )


# --- stale -----------------------------------------------------------------------------------


def _stale(
    report: Report, compared: Sequence[ArmResult], gate: Gate, candidate: Candidate
) -> Iterator[str]:
    oldest = min(map(_asked_since, compared))
    if candidate.now - oldest > timedelta(days=gate.max_age_days):
        since = f"of {oldest:%Y-%m-%d}" if oldest > _LONG_AGO else "of no time that can be read"
        yield (
            f"the report has answers {since}, and they may be {gate.max_age_days:g} days old; "
            "run: citewell eval run"
        )
    if candidate.questions_hash != report.questions_hash:
        yield "the questions changed since the report; run: citewell eval run"
    changed = [] if candidate.versions is None else _changed(report, candidate.versions)
    share = len(changed) / len(report.asked) if report.asked else 0.0
    if share > gate.changed_share:
        yield (
            f"the evidence of {percent(share)} of the questions changed since the report, and that "
            f"of {percent(gate.changed_share)} may: {_some(changed)}; run: citewell eval run"
        )


def _asked_since(arm: ArmResult) -> datetime:
    try:
        return datetime.fromisoformat(arm.oldest)
    except ValueError:
        return _LONG_AGO


def _changed(report: Report, versions: Mapping[str, str]) -> list[str]:
    """Return a changed document of each question whose evidence is not as it was."""
    found = []
    for asked in report.asked:
        gone = (id_ for id_, version in asked.evidence.items() if versions.get(id_) != version)
        if (first := next(gone, None)) is not None:
            found.append(first)
    return found


def _some(names: Sequence[str]) -> str:
    shown = [*dict.fromkeys(names)]
    return ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")


# --- low -------------------------------------------------------------------------------------


def _partial(report: Report, arm: ArmResult) -> Iterator[str]:
    """A run that ended early says nothing of the questions that it did not ask."""
    if arm.asked < len(report.asked):
        yield (
            f"arm {arm.name} was asked {arm.asked} of {len(report.asked)} questions; "
            "run: citewell eval run"
        )
    if arm.stood_in > _STAND_INS * arm.asked:
        yield (
            f"arm {arm.name}: {arm.stood_in} of {arm.asked} questions were answered by another "
            "model of its chain; see why the first one failed"
        )


def _not_live(report: Report, candidate: Candidate) -> Iterator[str]:
    """What was asked in another way than people ask says nothing of how they are answered."""
    if report.leaked:
        yield (
            f"{report.leaked} of the questions that were asked stand in the training data; run "
            "without --ask-leaked: citewell eval run"
        )
    wanted = sorted_readers(candidate.readers)
    if report.readers != wanted:
        yield (
            f"the questions were asked for {_readers(report.readers)}, and [cli] reads are "
            f"{_readers(wanted)}; run without --as: citewell eval run"
        )


def _readers(readers: Sequence[Sequence[str]]) -> str:
    return " and ".join(f'"{", ".join(labels)}"' for labels in readers) or "nobody"


def _low(arm: ArmResult, gate: Gate) -> Iterator[str]:
    for name, least in gate.min.items():
        estimate = arm.scores.get(name)
        if estimate is None or estimate.mean is None:
            yield f"arm {arm.name} has no score {name}, of which {percent(least)} are asked"
        elif estimate.mean < least:
            yield f"arm {arm.name}: {name} is {percent(estimate.mean)}, asked are {percent(least)}"


def _doubtful(arm: ArmResult, gate: Gate) -> Iterator[str]:
    for name, least in gate.min.items():
        estimate = arm.scores[name]
        if estimate.low < least:
            yield (
                f"arm {arm.name}: {name} may be as low as {percent(estimate.low)}, asked are "
                f"{percent(least)}; ask more questions"
            )


class _Loss(Struct, frozen=True):
    """By how much what is to go live is worse than what answers now.

    Attributes:
        present: the arm of what answers now; None where the report has none.
        estimate: None likewise.
    """

    present: str | None = None
    estimate: Estimate | None = None


def _loss(
    report: Report, arm: ArmResult, present: ArmResult | None, candidate: Candidate
) -> _Loss | None:
    """Return it; None where nothing answers now, or the same."""
    if candidate.present is None or candidate.present == candidate.identity:
        return None
    if present is None:
        return _Loss()
    loss = difference(
        [asked.correct.get(present.name) for asked in report.asked],
        [asked.correct.get(arm.name) for asked in report.asked],
        [asked.document for asked in report.asked],
    )
    return _Loss(present.name, loss)


def _lost(arm: ArmResult, loss: _Loss | None, gate: Gate) -> Iterator[str]:
    if loss is not None and loss.estimate is not None and loss.estimate.low > gate.max_drop:
        yield (
            f"arm {arm.name} is worse than {loss.present}, which answers now, by "
            f"{points(loss.estimate.centre)}; it may lose {points(gate.max_drop)}"
        )


def _may_lose(arm: ArmResult, loss: _Loss | None, gate: Gate) -> Iterator[str]:
    if loss is None:
        return
    if loss.estimate is None:
        yield "what answers now is no arm of the report, so nothing can be compared with it"
    elif loss.estimate.high > gate.max_drop:
        yield (
            f"arm {arm.name} may be worse than {loss.present}, which answers now, by "
            f"{points(loss.estimate.high)}; it may lose {points(gate.max_drop)}; ask more questions"
        )
