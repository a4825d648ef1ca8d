"""What a report says, in sentences: the terminal and the page say the same."""

from __future__ import annotations

from collections.abc import Iterator

from citewell.evaluation.agreement import ENOUGH_LABELS, Agreement
from citewell.evaluation.estimating import Estimate
from citewell.evaluation.report import ArmResult, Report
from citewell.evaluation.scores import MEASURES, RAW


def verdict_sentence(report: Report) -> str:
    """Return the verdict in one sentence."""
    verdict = report.verdict
    if verdict is None:
        return "No verdict: no arm has a score."
    margin = points(report.margin)
    if verdict.recommended is None:
        return (
            f"Nothing adequate: the best arm, {verdict.best}, has "
            f"{_mean(report.arm(verdict.best))} right where {percent(report.adequate)} are asked."
        )
    why = f"the cheapest arm that is not shown to be worse than the best by more than {margin}"
    if verdict.recommended == verdict.best:
        why = f"the best, and no cheaper arm comes within {margin} of it"
        if report.arms[0].name == verdict.best:
            why = "the best and the cheapest"
    return f"Take {verdict.recommended}: {why}."


def settled_sentence(report: Report) -> str:
    """Return whether more questions could change the verdict."""
    verdict = report.verdict
    if verdict is None:
        return ""
    if verdict.settled:
        return "Settled: more questions would hardly change this."
    doubts = "; ".join(verdict.doubts)
    return f"Not settled, ask about {verdict.ask_more:,} more questions: {doubts}."


def power_sentence(report: Report) -> str:
    """Return what so many questions can show."""
    questions = len(report.asked)
    return (
        f"{questions:,} questions about {report.documents:,} documents: a gain of "
        f"{points(report.smallest_gain)} or more shows in four of five such sets."
    )


def interaction_sentence(report: Report) -> str:
    """Return what tuning and retrieval do for each other; empty where it was not measured."""
    found = report.interaction
    if found is None:
        return ""
    if found.low > 0:
        said = "tuning and retrieval help each other"
    elif found.high < 0:
        said = "tuning and retrieval take from each other"
    else:
        said = "whether tuning and retrieval help each other is open"
    return f"Interaction, (both - rag) - (tuned - base): {signed(found)}; {said}."


def agreement_sentence(found: Agreement) -> str:
    """Return how far a score agrees with people."""
    return f"Agreement with people, {found.score}: {', '.join(_agreement_parts(found))}."


def _agreement_parts(found: Agreement) -> Iterator[str]:
    if found.labels:
        yield f"the same on {percent(found.share)} of {labels(found)}"
    if found.unscored:
        yield f"{found.unscored:,} more could not be scored"
    yield f"kappa {kappa(found)}" if found.kappa is not None else f"no kappa, as {found.reason}"


def labels(found: Agreement) -> str:
    """Show the number of labels, and whether it is a small one."""
    number = f"{found.labels:,} label{'' if found.labels == 1 else 's'}"
    return f"{number} (few: {ENOUGH_LABELS} tell more)" if found.is_of_few else number


def kappa(found: Agreement) -> str:
    """Show a kappa and its interval; a dash where there is none."""
    if found.kappa is None:
        return "-"
    return f"{found.kappa:.2f} [{found.low:.2f}, {found.high:.2f}]"


def unknown_sentence(report: Report) -> str:
    """Return of which scores of plugins nobody knows how far people agree; empty where of none."""
    known = {one.score for one in report.agreement}
    names = [name for name in of_plugins(report) if name not in known]
    if not names:
        return ""
    verb = "agrees" if len(names) == 1 else "agree"
    return f"How far {', '.join(names)} {verb} with people is not known: citewell eval label"


def of_plugins(report: Report) -> list[str]:
    """Return the names of the scores that Citewell does not bring."""
    own = {name for one in MEASURES for name in (one.name, one.name + RAW)}
    return sorted({name for arm in report.arms for name in arm.scores} - own)


def percent(share: float | None) -> str:
    """Show a share; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.0f}%"


def points(gain: float) -> str:
    """Show a gain, at least in tenths of a point where that is needed."""
    value = round(100 * gain, 1)
    return f"{value:g} point{'' if abs(value) == 1 else 's'}"


def interval(estimate: Estimate) -> str:
    """Show a mean and its interval."""
    if estimate.mean is None:
        return "-"
    return f"{percent(estimate.mean)} [{percent(estimate.low)}, {percent(estimate.high)}]"


def signed(estimate: Estimate) -> str:
    """Show a difference and its interval, in points."""
    if estimate.mean is None:
        return "-"
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.mean:+.0f} points [{low:+.0f}, {high:+.0f}]"


def _mean(arm: ArmResult | None) -> str:
    return percent(arm.primary.mean) if arm is not None and arm.primary is not None else "none"
