"""From what was asked and what came back to a report."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec import json as msgjson
from msgspec.structs import replace

from citewell.evaluation.agreeing import beside_people
from citewell.evaluation.arms import Arm, flags
from citewell.evaluation.estimating import Estimate, interaction, mean
from citewell.evaluation.labels import Label, text_hash
from citewell.evaluation.power import smallest_gain
from citewell.evaluation.report import (
    PRIMARY,
    ArmResult,
    Asked,
    Disagreement,
    Report,
    Said,
    Unscorable,
    sorted_readers,
)
from citewell.evaluation.scores import TELLING_RIGHT, scored
from citewell.evaluation.showing import expected_of, sources_of
from citewell.evaluation.spending import Spent, spent
from citewell.evaluation.tradeoffs import trade_offs
from citewell.evaluation.verdict import Bounds, Measured, Verdict, judge, pairs
from citewell.types.answers import Outcome
from citewell.types.documents import Labels, Passage
from citewell.types.evaluation import EvalItem, Response, Score, Unscored

OBEDIENCE = "obedience"
EASY = "easy"
_NOT_ASKED = Unscored("it was not asked")
_SHOWN = 10
"""Questions on which arms disagree most."""

Scores = Mapping[str, Score]


class Answered(Struct, frozen=True, kw_only=True):
    """What one arm said to one question; None where it was not asked.

    Attributes:
        plain: to the question as it is.
        swapped: with the fact of the item exchanged.
        more: scores of plugins for `plain`.
    """

    plain: Response | None = None
    swapped: Response | None = None
    more: Scores = field(default_factory=dict)


class Findings(Struct, frozen=True, kw_only=True):
    """Everything that a report is made of.

    Attributes:
        answered: by arm, item for item.
        versions: of the indexed documents; see `Asked.evidence`.
        given_up: arm to why it was not asked any further.
        warnings: what makes the comparison doubtful, beside what the arms differ in.
        readers: of the audience that was asked for.
        leaked: questions that were asked though they stand in the training data.
        labels: what people say of answers, of these or of others.
    """

    arms: Sequence[Arm]
    items: Sequence[EvalItem]
    answered: Mapping[str, Sequence[Answered]]
    versions: Mapping[str, str]
    bounds: Bounds
    machine_per_hour: float = 0.0
    config: str = ""
    questions_hash: str = ""
    given_up: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    readers: frozenset[Labels] = frozenset()
    leaked: int = 0
    labels: Sequence[Label] = ()


def report(findings: Findings) -> Report:
    """Return the report; the same findings give the same one, byte for byte."""
    tables = {arm.name: _table(findings, arm.name) for arm in findings.arms}
    documents = [document_of(item) for item in findings.items]
    results = [_result(arm, findings, tables[arm.name], documents) for arm in findings.arms]
    results.sort(key=_dearness)
    asked_of_all = _comparable(findings, tables)
    measured = Measured(
        scores={
            one.name: [_number(tables[one.name][at].get(PRIMARY)) for at in asked_of_all]
            for one in results
        },
        documents=[documents[at] for at in asked_of_all],
    )
    found = Report(
        created=max(filter(None, map(_newest, findings.answered.values())), default=""),
        questions_hash=findings.questions_hash,
        config=findings.config,
        margin=findings.bounds.margin,
        adequate=findings.bounds.adequate,
        documents=len(set(documents)),
        smallest_gain=smallest_gain(len(documents), documents=len(set(documents))),
        arms=tuple(results),
        verdict=_verdict(measured, findings.bounds),
        pairs=tuple(pairs(measured)) if asked_of_all else (),
        interaction=_interaction(results, measured),
        flags=(*flags(findings.arms), *_stand_ins(results), *findings.warnings),
        trade_offs=tuple(trade_offs(results)),
        disagreements=tuple(_disagreements(findings, tables)),
        asked=tuple(_asked(findings, tables, documents)),
        readers=sorted_readers(findings.readers),
        leaked=findings.leaked,
    )
    return beside_people(found, findings.labels)


def questions_hash(items: Sequence[EvalItem]) -> str:
    """Return what names a set of questions and all that they expect."""
    return hashlib.sha256(msgjson.encode(list(items), order="sorted")).hexdigest()[:16]


def document_of(item: EvalItem) -> str:
    """Return the document that a question is about; one that names none is its own."""
    return item.documents[0] if item.documents else f"question {item.id or item.question}"


# --- scores ----------------------------------------------------------------------------------


def _table(findings: Findings, name: str) -> list[dict[str, Score]]:
    """Return the scores of an arm, item for item."""
    rows = []
    for at, item in enumerate(findings.items):
        pool = _pool(answered[at].plain for answered in findings.answered.values())
        one = findings.answered[name][at]
        plain = replace(item, swap=None)
        row: dict[str, Score] = dict(_scored(plain, one.plain, pool)) | dict(one.more)
        if item.swap is not None and one.swapped is not None:
            swapped = scored(item, one.swapped)
            row |= {key: swapped[key] for key in swapped if key.startswith(OBEDIENCE)}
        rows.append(row)
    return rows


def _scored(item: EvalItem, response: Response | None, pool: Sequence[Passage]) -> Scores:
    """Return the scores of a response; what was not asked lacks those that any answer has."""
    if response is not None:
        return scored(item, response, pool=pool)
    nothing = Response(outcome=Outcome.ANSWERED)
    return {
        name: None if score is None else _NOT_ASKED for name, score in scored(item, nothing).items()
    }


def _pool(responses: Iterable[Response | None]) -> list[Passage]:
    found = {one.id: one for response in responses if response for one in response.found}
    return [*found.values()]


def _number(score: Score) -> float | None:
    return None if score is None or isinstance(score, Unscored) else score


def _estimate(
    name: str, table: Sequence[Scores], documents: Sequence[str], where: Sequence[int]
) -> Estimate | None:
    """Return the mean over the items at `where` that the score says something about."""
    counted = [at for at in where if table[at].get(name) is not None]
    if not counted:
        return None
    return mean([_number(table[at][name]) for at in counted], [documents[at] for at in counted])


# --- arms ------------------------------------------------------------------------------------


def _result(
    arm: Arm, findings: Findings, table: Sequence[Scores], documents: Sequence[str]
) -> ArmResult:
    responses = [one.plain for one in findings.answered[arm.name] if one.plain is not None]
    names = dict.fromkeys(name for row in table for name in row)
    everywhere = range(len(table))
    estimates = {name: _estimate(name, table, documents, everywhere) for name in names}
    slices = {
        name: _estimate(PRIMARY, table, documents, where)
        for name, where in _slices(findings.items).items()
    }
    return ArmResult(
        name=arm.name,
        profile=arm.profile,
        tuned=arm.tuned,
        rag=arm.rag,
        is_local=arm.is_local,
        identity=arm.identity.parts,
        asked=len(responses),
        outcomes=dict(sorted(Counter(one.outcome.value for one in responses).items())),
        stood_in=sum(one.model not in {"", arm.model} for one in responses),
        scores={name: one for name, one in estimates.items() if one},
        slices={name: one for name, one in slices.items() if one},
        unscored=tuple(_unscored(table)),
        spent=_spent(arm, responses, findings.machine_per_hour),
        training_cost=arm.training_cost,
        training_s=arm.training_s,
        given_up=findings.given_up.get(arm.name, ""),
        oldest=min(_times(findings.answered[arm.name]), default=""),
    )


def _slices(items: Sequence[EvalItem]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        for name in (*item.slices, *([EASY] if item.is_easy else [])):
            found.setdefault(name, []).append(at)
    return found


def _unscored(table: Sequence[Scores]) -> Iterable[Unscorable]:
    counts = Counter(
        (name, score.reason)
        for row in table
        for name, score in row.items()
        if isinstance(score, Unscored)
    )
    return (
        Unscorable(score=name, reason=reason, count=count)
        for (name, reason), count in sorted(counts.items())
    )


def _spent(arm: Arm, responses: Sequence[Response], machine_per_hour: float) -> Spent | None:
    if not responses:
        return None
    return spent(responses, is_local=arm.is_local, machine_per_hour=machine_per_hour)


def _dearness(result: ArmResult) -> tuple[float, int, float]:
    """Order arms by measured cost; of equal ones what has less to it, then what is quicker."""
    taken = result.spent
    if taken is None:
        return float("inf"), 0, 0.0
    cost = float("inf") if taken.cost is None else round(taken.cost, 9)
    return cost, result.tuned + result.rag, taken.whole.p50 if taken.whole else 0.0


# --- all arms --------------------------------------------------------------------------------


def _stand_ins(results: Sequence[ArmResult]) -> Iterable[str]:
    return (
        f"{one.name}: of {one.asked} questions {one.stood_in} were answered by another model of "
        "its chain, and say nothing about the first one"
        for one in results
        if one.stood_in
    )


def _comparable(findings: Findings, tables: Mapping[str, Sequence[Scores]]) -> list[int]:
    """Return the items whose primary score says something about every arm."""
    return [
        at
        for at in range(len(findings.items))
        if all(table[at].get(PRIMARY) is not None for table in tables.values())
    ]


def _verdict(measured: Measured, bounds: Bounds) -> Verdict | None:
    try:
        return judge(measured, bounds)
    except ValueError:
        return None


def _interaction(results: Sequence[ArmResult], measured: Measured) -> Estimate | None:
    """Return it where exactly one arm has each combination of the two factors."""
    found: dict[tuple[bool, bool], list[str]] = {}
    for one in results:
        found.setdefault((one.tuned, one.rag), []).append(one.name)
    if len(found) < 4 or any(len(names) > 1 for names in found.values()):
        return None
    both, rag, tuned, base = (
        measured.scores[found[key][0]]
        for key in ((True, True), (False, True), (True, False), (False, False))
    )
    return interaction(both, rag, tuned, base, measured.documents)


def _times(answered: Sequence[Answered]) -> Iterable[str]:
    both = (response for one in answered for response in (one.plain, one.swapped))
    return (response.asked_at for response in both if response is not None)


def _newest(answered: Sequence[Answered]) -> str:
    return max(_times(answered), default="")


def _asked(
    findings: Findings, tables: Mapping[str, Sequence[Scores]], documents: Sequence[str]
) -> Iterable[Asked]:
    for at, item in enumerate(findings.items):
        yield Asked(
            id=item.id,
            question=item.question,
            document=documents[at],
            slices=item.slices,
            is_easy=item.is_easy,
            evidence=evidence(item, findings.versions),
            correct={name: _number(table[at].get(PRIMARY)) for name, table in tables.items()},
            texts={name: hash_ for name, hash_ in _texts(findings, at) if hash_ is not None},
            scores=_telling_right(findings, tables, at),
        )


def _texts(findings: Findings, at: int) -> Iterable[tuple[str, str | None]]:
    for name, answered in findings.answered.items():
        plain = answered[at].plain
        yield name, None if plain is None else text_hash(plain)


def _telling_right(
    findings: Findings, tables: Mapping[str, Sequence[Scores]], at: int
) -> dict[str, dict[str, float | None]]:
    """Return the scores, by name and arm, that people can agree with or not."""
    rows = {name: table[at] for name, table in tables.items()}
    of_plugins = {name for answered in findings.answered.values() for name in answered[at].more}
    found = {
        score: {
            name: _number(row[score]) for name, row in rows.items() if row.get(score) is not None
        }
        for score in (*TELLING_RIGHT, *sorted(of_plugins))
    }
    return {score: by_arm for score, by_arm in found.items() if by_arm}


def evidence(item: EvalItem, versions: Mapping[str, str]) -> dict[str, str]:
    """Return the version of each indexed document that an item names."""
    named = set(item.documents)
    return {
        id_: version
        for id_, version in sorted(versions.items())
        if id_ in named or id_.partition(":")[2] in named
    }


# --- where they differ -----------------------------------------------------------------------


def _disagreements(
    findings: Findings, tables: Mapping[str, Sequence[Scores]]
) -> Iterable[Disagreement]:
    spreads = []
    for at in range(len(findings.items)):
        values = [_number(table[at].get(PRIMARY)) for table in tables.values()]
        known = [value for value in values if value is not None]
        if known and max(known) > min(known):
            spreads.append((min(known) - max(known), at))
    for _, at in sorted(spreads)[:_SHOWN]:
        item = findings.items[at]
        yield Disagreement(
            id=item.id,
            question=item.question,
            expected=expected_of(item),
            said=tuple(
                _said(arm.name, findings.answered[arm.name][at].plain, tables[arm.name][at])
                for arm in findings.arms
            ),
        )


def _said(arm: str, response: Response | None, scores: Scores) -> Said:
    if response is None:
        return Said(arm=arm, outcome="not asked", correct=None, text="")
    return Said(
        arm=arm,
        outcome=response.outcome.value,
        correct=_number(scores.get(PRIMARY)),
        text=response.text or (response.errors[-1] if response.errors else ""),
        sources=sources_of(response),
    )
