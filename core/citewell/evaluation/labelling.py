"""Which answers of the last run a person is asked about, and what is shown of them."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from citewell.errors import CitewellError
from citewell.evaluation.agreement import RIGHT_FROM
from citewell.evaluation.answers import Answers
from citewell.evaluation.asking import Terms, key_under
from citewell.evaluation.identity import Identity
from citewell.evaluation.labels import Subject, text_hash
from citewell.evaluation.questions import held_out
from citewell.evaluation.report import PRIMARY, Asked, Report
from citewell.evaluation.reporting import questions_hash
from citewell.types.evaluation import EvalItem, Response
from citewell.types.questions import Audience


class Candidate(Struct, frozen=True, kw_only=True):
    """A text that a person may be asked about.

    Attributes:
        id: of the question.
        arms: that gave it; nobody who labels is told.
    """

    id: str
    question: str
    text_hash: str
    arms: tuple[str, ...]

    @property
    def subject(self) -> Subject:
        """What a label of it is about."""
        return self.question, self.text_hash


def drawn(report: Report, seed: int) -> list[Candidate]:
    """Return every text of the report once, in the order in which people are asked.

    Any number from the front is spread over questions and arms, and half of it, as long as there
    are such, is of questions on which arms disagree. More questions, or other arms, change the
    order of the rest as little as they can.
    """
    found: dict[str, list[Candidate]] = {}
    disputed: set[str] = set()
    for asked in report.asked:
        known = {one.text_hash for one in found.setdefault(asked.question, [])}
        found[asked.question] += [one for one in _texts(asked) if one.text_hash not in known]
        if _is_disputed(asked):
            disputed.add(asked.question)
    order = sorted(filter(found.get, found), key=lambda question: _lot(seed, question))
    queues = [
        deque(found[question] for question in order if (question in disputed) == is_disputed)
        for is_disputed in (True, False)
    ]
    return _in_turn(queues, seed)


def _in_turn(queues: Sequence[deque[list[Candidate]]], seed: int) -> list[Candidate]:
    """Take from each queue in turn; of a question the text of the arm that was taken least."""
    taken: list[Candidate] = []
    times: Counter[str] = Counter()

    def place(one: Candidate) -> tuple[int, str]:
        return min(times[arm] for arm in one.arms), _lot(seed, *one.subject)

    while any(queues):
        for queue in filter(None, queues):
            texts = queue.popleft()
            best = min(texts, key=place)
            taken.append(best)
            times.update(best.arms)
            # A second text of a question has its turn when each question had one.
            if others := [one for one in texts if one is not best]:
                queue.append(others)
    return taken


def _texts(asked: Asked) -> Iterable[Candidate]:
    arms: dict[str, list[str]] = {}
    for arm, hash_ in sorted(asked.texts.items()):
        arms.setdefault(hash_, []).append(arm)
    return (
        Candidate(id=asked.id, question=asked.question, text_hash=hash_, arms=tuple(names))
        for hash_, names in arms.items()
    )


def _is_disputed(asked: Asked) -> bool:
    """Tell whether the score that arms are compared by, or else any, is not the same of all."""
    primary = asked.scores.get(PRIMARY)
    return any(map(_differs, [primary] if primary else asked.scores.values()))


def _differs(by_arm: Mapping[str, float | None]) -> bool:
    return len({value >= RIGHT_FROM for value in by_arm.values() if value is not None}) > 1


def _lot(seed: int, *words: str) -> str:
    """Return what puts `words` in their place: no other question has a say in it."""
    content = "\0".join((str(seed), *words))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


class LastRun:
    """The answers of the last run.

    Args:
        report: of it.
        items: every question of the set, drafts left out.
        answers: what is kept.

    Raises:
        CitewellError: the questions are not those of the report.
    """

    def __init__(self, report: Report, items: Sequence[EvalItem], answers: Answers) -> None:
        if questions_hash(items) != report.questions_hash:
            raise CitewellError(
                "these are not the questions of the last run; name its file with --questions, or "
                "run: citewell eval run"
            )
        self._items = {item.id: item for item in items}
        asked = [self._items[one.id] for one in report.asked if one.id in self._items]
        readers = frozenset(frozenset(labels) for labels in report.readers)
        self._terms = Terms(audience=Audience(readers), held_out=held_out(asked))
        self._identities = {arm.name: Identity(arm.identity) for arm in report.arms}
        self._answers = answers

    def item(self, candidate: Candidate) -> EvalItem:
        """Return the question of a candidate."""
        return self._items[candidate.id]

    def response(self, candidate: Candidate) -> Response | None:
        """Return an answer with the text of a candidate; None where it is not kept any more.

        Raises:
            CitewellError: the answers cannot be read.
        """
        for arm in candidate.arms:
            key = key_under(self._identities[arm], candidate.question, self._terms)
            found = self._answers.get(key)
            if found is not None and text_hash(found) == candidate.text_hash:
                return found
        return None
