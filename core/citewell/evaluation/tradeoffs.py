"""The ten trade-offs between tuning and retrieval, each with its figure or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from citewell.evaluation.estimating import Estimate
from citewell.evaluation.report import ArmResult, TradeOff
from citewell.evaluation.saying import percent
from citewell.evaluation.slices import IN_DOCUMENTS, NOT_IN_DOCUMENTS
from citewell.evaluation.spending import Spread, break_even

_FORMS = ("pattern", "output_schema", "glossary", "forbidden")


class _Row(Struct, frozen=True):
    """One trade-off.

    Attributes:
        figure: of one arm, beside the others; empty where it was not measured.
        unmeasured: said where no arm has a figure.
    """

    name: str
    figure: Callable[[ArmResult, Sequence[ArmResult]], str]
    unmeasured: str


def trade_offs(arms: Sequence[ArmResult]) -> Iterator[TradeOff]:
    """Yield the ten rows."""
    for row in _ROWS:
        figures = {arm.name: figure for arm in arms if (figure := row.figure(arm, arms))}
        yield TradeOff(name=row.name, figures=figures, unmeasured="" if figures else row.unmeasured)


def _behaviour(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    return ", ".join(_scores(arm, {name: name.replace("_", " ") for name in _FORMS}))


def _facts(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    wanted = IN_DOCUMENTS, NOT_IN_DOCUMENTS
    slices = {name: arm.slices[name] for name in wanted if name in arm.slices}
    return ", ".join(f"{_percent(one)} {name}" for name, one in slices.items())


def _latency(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    if arm.spent is None or arm.spent.whole is None:
        return ""
    first = f"first token {_seconds(arm.spent.first_token)}, " if arm.spent.first_token else ""
    share = f", retrieval {arm.spent.retrieval_share:.0%} of it" if arm.rag else ""
    return f"{first}whole answer {_seconds(arm.spent.whole)}{share}"


def _setup(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    steps = ["two commands: citewell init, citewell sync"] if arm.rag else []
    if arm.tuned and arm.training_s is not None:
        steps.append(f"a training of {arm.training_s / 60:.0f} minutes")
    return " and ".join(steps)


def _citations(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    if not arm.rag:
        return "none: it answers without sources"
    names = {
        "supported": "of statements supported",
        "citation_precision": "precision",
        "citation_recall": "recall",
    }
    return ", ".join(_scores(arm, names))


def _outside(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    names = {
        "refused": "refused of what the documents do not say",
        "answered": "answered of what they say",
    }
    return ", ".join(_scores(arm, names)) if "refused" in arm.scores else ""


def _maintenance(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    if not arm.tuned or arm.training_s is None:
        return ""
    cost = "" if arm.training_cost is None else f" and {arm.training_cost:g}"
    return f"a retraining of {arm.training_s / 60:.0f} minutes{cost}"


def _cost(arm: ArmResult, arms: Sequence[ArmResult]) -> str:
    if arm.spent is None or arm.spent.cost is None:
        return ""
    said = f"{arm.spent.cost:.6g} a question"
    if arm.training_cost is None:
        return said
    return f"{said}, training {arm.training_cost:g}{_paid(arm, arm.training_cost, arms)}"


def _paid(arm: ArmResult, training_cost: float, arms: Sequence[ArmResult]) -> str:
    """Say when the training has paid for itself beside the arm that retrieves and is not tuned."""
    other = next((one for one in arms if one.rag and not one.tuned), None)
    if other is None or not other.spent or other.spent.cost is None:
        return ""
    own = arm.spent.cost if arm.spent and arm.spent.cost is not None else 0.0
    questions = break_even(training_cost, other.spent.cost - own)
    if questions is None:
        return f", never paid for beside {other.name}"
    return f", paid for after {questions:,} questions beside {other.name}"


def _any_model(arm: ArmResult, _arms: Sequence[ArmResult]) -> str:
    where = "on this machine" if arm.is_local else "elsewhere"
    return f"a tuned model {where}" if arm.tuned else f"any model; here one {where}"


def _scores(arm: ArmResult, names: Mapping[str, str]) -> Iterable[str]:
    return (
        f"{_percent(arm.scores[name])} {said}" for name, said in names.items() if name in arm.scores
    )


def _percent(estimate: Estimate) -> str:
    return percent(estimate.mean)


def _seconds(spread: Spread) -> str:
    return f"{spread.p50:.2f} s (p95 {spread.p95:.2f})"


_ROWS = (
    _Row(
        "changes behaviour",
        _behaviour,
        "no question has a pattern, an output_schema, a glossary or forbidden words; citewell eval "
        "init makes some with a pattern",
    ),
    _Row(
        "specific facts",
        _facts,
        f'no question has the slice "{IN_DOCUMENTS}" or "{NOT_IN_DOCUMENTS}"',
    ),
    _Row(
        "freshness",
        lambda _arm, _arms: "",
        "a report asks, it changes no document; `python -m benchmarks retrieval` measures how soon "
        "a saved file is found, and tuning knows what it was trained on",
    ),
    _Row("inference latency", _latency, "nothing was asked"),
    _Row("setup", _setup, "no arm retrieves, and none says how long its training took"),
    _Row("source citations", _citations, "there is no arm"),
    _Row(
        "questions outside the data",
        _outside,
        "no question is unanswerable; citewell eval init --hold-out-docs 20% makes some",
    ),
    _Row(
        "maintenance",
        _maintenance,
        "no tuned arm says how long its training took: training_s in [eval.arms]; citewell sync "
        "says how long a change of the documents takes",
    ),
    _Row("cost model", _cost, "what answers cost is not known: the models have no price"),
    _Row("works with any model", _any_model, "there is no arm"),
)
