"""Questions that people asked and were not served with, as drafts with what is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from citewell.evaluation.making.facts import plain
from citewell.evaluation.questions import question_id
from citewell.journal.feedback import Feedback, Vote
from citewell.journal.journal import Journal
from citewell.journal.records import AnswerRecord
from citewell.types.answers import Outcome
from citewell.types.evaluation import EvalItem

UNHELPFUL, CORRECTED, UNANSWERED = "thumbs down", "corrected", "unanswered"
"""Slices of what is from the journal."""

_LOOKED_BACK = 10_000


def remembered(journal: Journal, feedback: Feedback, number: int) -> list[EvalItem]:
    """Return at most `number` questions, the newest first, each once.

    What somebody wrote when an answer did not help is taken as the answer that they expected; a
    person decides about it. What was deleted, and what only continues something, is left out.

    Raises:
        JournalError: the journal cannot be read.
    """
    found: dict[str, EvalItem] = {}
    for record in journal.recent(_LOOKED_BACK):
        if len(found) >= number:
            break
        if record.is_wiped or not plain(record.question) or record.history:
            continue
        slices = [*_slices(record, votes := feedback.of_answer(record.id))]
        if slices:
            item = _item(record, slices, _reasons(votes))
            found.setdefault(item.id, item)
    return [*found.values()]


def _slices(record: AnswerRecord, votes: Sequence[Vote]) -> Iterator[str]:
    if any(not vote.is_helpful for vote in votes):
        yield CORRECTED if [*_reasons(votes)] else UNHELPFUL
    if record.outcome == Outcome.REFUSED:
        yield UNANSWERED


def _reasons(votes: Iterable[Vote]) -> Iterator[str]:
    return (
        reason
        for vote in votes
        if not vote.is_helpful and (reason := " ".join(vote.reason.split()))
    )


def _item(record: AnswerRecord, slices: Sequence[str], reasons: Iterable[str]) -> EvalItem:
    question = " ".join(record.question.split())
    return EvalItem(
        id=question_id(question),
        question=question,
        answers=tuple(dict.fromkeys(reasons)),
        slices=tuple(slices),
        is_draft=True,
        origin="journal",
    )
