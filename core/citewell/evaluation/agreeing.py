"""Sets the scores of a report beside what people say of the same answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from msgspec.structs import replace

from citewell.evaluation.agreement import RIGHT_FROM, Agreement, Judged, agreement
from citewell.evaluation.labels import Label, Subject, verdicts
from citewell.evaluation.report import Report
from citewell.evaluation.scores import TELLING_RIGHT


def beside_people(report: Report, labels: Sequence[Label]) -> Report:
    """Return the report with how far each score agrees with these labels, and no others."""
    said = verdicts(labels)
    found = _numbers(report, said)
    return replace(
        report,
        agreement=tuple(_agreement(name, found[name], said) for name in sorted(found, key=_place)),
    )


_Numbers = Mapping[Subject, Sequence[float]]
"""What a score gave a text, for each arm that said it; none where it could not be computed."""


def _agreement(score: str, numbers: _Numbers, said: Mapping[Subject, bool]) -> Agreement:
    # Arms that say the same have one label, so they are one answer.
    judged = [
        Judged(question=subject[0], people=said[subject], score=fmean(given) >= RIGHT_FROM)
        for subject, given in numbers.items()
        if given
    ]
    return agreement(score, judged, unscored=len(numbers) - len(judged))


def _place(score: str) -> tuple[int, str]:
    """Order scores as people are shown them: Citewell's, then those of plugins by name."""
    is_own = score in TELLING_RIGHT
    return TELLING_RIGHT.index(score) if is_own else len(TELLING_RIGHT), score


def _numbers(report: Report, labelled: Mapping[Subject, bool]) -> Mapping[str, _Numbers]:
    found: dict[str, dict[Subject, list[float]]] = {}
    for asked in report.asked:
        for arm, hash_ in asked.texts.items():
            subject = asked.question, hash_
            if subject not in labelled:
                continue
            for score, by_arm in asked.scores.items():
                if arm in by_arm:
                    number = by_arm[arm]
                    numbers = found.setdefault(score, {}).setdefault(subject, [])
                    numbers += [] if number is None else [number]
    return found
