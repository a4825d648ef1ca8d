"""Examples of answers that people voted on, by the passages that these were written from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial

from msgspec import Struct

from citewell import blocking
from citewell.engine.citing.marks import without_marks
from citewell.engine.citing.sentences import split_sentences
from citewell.engine.citing.words import content_stems
from citewell.engine.course import Course
from citewell.engine.prompting import REFUSAL
from citewell.engine.restoring import current_passages
from citewell.engine.runtime import Runtime
from citewell.evaluation.arranging import Arrangement
from citewell.evaluation.making.facts import plain
from citewell.journal.feedback import Feedback, Vote
from citewell.journal.journal import Journal
from citewell.journal.records import AnswerRecord
from citewell.tuning.building.classroom import Teacher
from citewell.tuning.building.lessons import Teaches
from citewell.tuning.building.targets import with_mark
from citewell.tuning.building.teaching import (
    Declined,
    Terms,
    answered,
    declined,
    messages_of,
)
from citewell.tuning.data.examples import Example, Kind, Message
from citewell.types.answers import Outcome
from citewell.types.documents import Passage
from citewell.types.questions import Audience, Prompt

LOOKED_BACK = 10_000
"""Answers of the journal, the newest."""

_ABOUT_ANSWERS = re.compile(
    r"\b(?:you|your|bot|should|wrong|incorrect|(?:this|the|that) answer)\b", re.IGNORECASE
)


class Voted(Struct, frozen=True, kw_only=True):
    """An answer with what people think of it.

    Attributes:
        is_good: whether more people found it helpful than did not.
        corrections: what people wrote who did not, in their own words.
    """

    record: AnswerRecord
    is_good: bool
    corrections: tuple[str, ...]


def voted(journal: Journal, feedback: Feedback, profile: str) -> list[Voted]:
    """Return the answers of a profile on which more people think one thing than the other.

    What was deleted, what continues something, and what failed is left out.

    Raises:
        JournalError: the journal cannot be read.
    """
    found = []
    for record in journal.recent(LOOKED_BACK):
        is_meant = record.profile == profile and record.outcome != Outcome.FAILED
        if record.is_wiped or record.history or not is_meant or not plain(record.question):
            continue
        votes = feedback.of_answer(record.id)
        balance = sum(1 if vote.is_helpful else -1 for vote in votes)
        if balance:
            # Others may read more than who asked.
            own = [vote for vote in votes if record.asker in {None, vote.voter}]
            found.append(Voted(record=record, is_good=balance > 0, corrections=_corrections(own)))
    return found


async def examples(
    runtime: Runtime, found: Sequence[Voted], kind: Kind, terms: Terms, told: Counter[str]
) -> AsyncIterator[Example]:
    """Yield the examples of answers, the newest first.

    Args:
        runtime: the components.
        found: the answers.
        kind: CHAT for good answers and corrections, VOTE for every vote, PREFERENCE for a better
            answer beside a worse one.
        terms: whose prompt is learnt, and what may be read.
        told: is given how many answers no example is made of, by the reason.
    """
    better = {_asked(one): one for one in reversed(found) if one.is_good}
    thought: dict[object, set[bool]] = {}
    for one in found:
        thought.setdefault(_answered(one), set()).add(one.is_good)
    for one in found:
        if len(thought[_answered(one)]) > 1:
            told["people think differently about it"] += 1
            continue
        try:
            made = await _made(runtime, one, kind, terms, better.get(_asked(one)))
        except Declined as error:
            told[str(error)] += 1
        else:
            for example in made:
                yield example


async def _made(
    runtime: Runtime, one: Voted, kind: Kind, terms: Terms, better: Voted | None
) -> list[Example]:
    lesson = await _Lesson.of(runtime, one, terms)
    if kind is Kind.VOTE:
        return [await lesson.vote()]
    corrected = [] if one.is_good else [await lesson.corrected(text) for text in one.corrections]
    if kind is Kind.CHAT:
        return [await lesson.answer()] if one.is_good else corrected
    if one.is_good:
        return []
    if better is not None:
        other = await _Lesson.of(runtime, better, terms)
        # A mark of the worse answer would cite another passage.
        if [one.id for one in other.passages] == [one.id for one in lesson.passages]:
            corrected.append(await other.answer())
    if not corrected:
        raise Declined("nobody said what would be right")
    return [lesson.pair(right) for right in corrected]


class _Lesson(Struct, frozen=True):
    """A voted answer with its passages as they are now."""

    runtime: Runtime
    voted: Voted
    terms: Terms
    passages: Sequence[Passage]

    @classmethod
    async def of(cls, runtime: Runtime, one: Voted, terms: Terms) -> _Lesson:
        """Return it.

        Raises:
            Declined: a passage says something else by now, or may not be read.
        """
        record = one.record
        if not record.passages or not record.retriever:
            raise Declined("it was answered without a passage")
        if not may_hear(terms.audience, record):
            raise Declined("people asked it who may read more than the reader of the examples")
        retriever = await runtime.retriever(record.retriever)
        current = await current_passages(record, retriever, terms.audience)
        passages = [current[given.id] for given in record.passages if given.id in current]
        if len(passages) < len(record.passages):
            raise Declined("its passages changed, or may not be read")
        if any(terms.hides(passage.document_id) for passage in passages):
            raise Declined("the evaluation asks about its document")
        return cls(runtime, one, terms, passages)

    async def answer(self) -> Example:
        """Return what a good answer teaches."""
        text = _text(self.voted.record, shown_alone=True)
        if self.voted.record.outcome == Outcome.REFUSED:
            text = ""
        return await self._taught(text, Teaches.VOTED)

    async def corrected(self, text: str) -> Example:
        """Return what somebody's own words teach, once the passages support them."""
        return await self._taught(_marked(text, self.passages), Teaches.CORRECTED)

    async def vote(self) -> Example:
        """Return the vote itself; a good answer must be one that the checks let through."""
        record = self.voted.record
        text = "" if record.outcome == Outcome.REFUSED and not record.claims else _text(record)
        course, prompt = await self._asked(text)
        if self.voted.is_good:
            _let_through(course, prompt)
        return Example(
            kind=Kind.VOTE,
            messages=messages_of(prompt),
            answer=course.output,
            is_good=self.voted.is_good,
            documents=self._documents(course),
            origin=f"answer:{record.id}",
            teaches=Teaches.VOTED.value,
        )

    def pair(self, right: Example) -> Example:
        """Return a better answer beside this one.

        Raises:
            Declined: it says the same.
        """
        chosen, record = right.messages[-1].content, self.voted.record
        rejected = _text(record) or REFUSAL
        if chosen.split() == rejected.split():
            raise Declined("the better answer says the same")
        origins = (*right.origin.split(), f"answer:{record.id}")
        return Example(
            kind=Kind.PREFERENCE,
            messages=right.messages[:-1],
            chosen=chosen,
            rejected=rejected,
            documents=right.documents,
            origin=" ".join(dict.fromkeys(origins)),
            teaches=right.teaches,
        )

    async def _taught(self, text: str, teaches: Teaches) -> Example:
        course, prompt = await self._asked(text)
        _let_through(course, prompt)
        return Example(
            kind=Kind.CHAT,
            messages=(*messages_of(prompt), Message("assistant", course.output)),
            documents=self._documents(course),
            origin=f"answer:{self.voted.record.id}",
            teaches=teaches.value,
        )

    async def _asked(self, text: str) -> tuple[Course, Prompt]:
        """Let the passages of then be asked again; no text stands for the refusal."""
        teacher = Teacher(lambda prompt: text or prompt.refusal)
        arrangement = Arrangement(fixed=self.passages)
        question = self.voted.record.question
        course = await answered(self.runtime, question, teacher, arrangement, self.terms)
        if teacher.prompt is None:
            raise Declined("nothing is found for the question")
        return course, teacher.prompt

    def _documents(self, course: Course) -> tuple[str, ...]:
        cited = {citation.document_id for citation in course.answer.citations}
        every = [one.document_id for one in self.passages]
        return tuple(dict.fromkeys(one for one in every if one in cited)) or tuple(every[:1])


def may_hear(audience: Audience, record: AnswerRecord) -> bool:
    """Tell whether nobody who asked may read more: their words would tell of it."""
    return bool(record.readers) and all(
        asker <= reader for asker in map(frozenset, record.readers) for reader in audience.readers
    )


def _let_through(course: Course, prompt: Prompt) -> None:
    """Raise where the evidence checks do not let an answer through.

    Raises:
        Declined: says why.
    """
    if course.output == prompt.refusal and course.answer.outcome is Outcome.REFUSED:
        return
    reason = declined(course)
    if reason is not None:
        raise Declined(reason)


def _text(record: AnswerRecord, *, shown_alone: bool = False) -> str:
    """Return what the model wrote, or what was shown of it, with its marks."""
    claims = [one for one in record.claims if one.shown or not shown_alone]
    return "".join(one.lead + one.raw for one in claims).strip()


def _marked(text: str, passages: Sequence[Passage]) -> str:
    """Return sentences with the number of the passage that shares the most words with each."""
    if _ABOUT_ANSWERS.search(text):
        raise Declined("what somebody wrote speaks about the answer")
    text, language = without_marks(text), passages[0].language
    spans = split_sentences(text, language)
    return " ".join(_best(text[start:end], passages) for start, end in spans)


def _best(sentence: str, passages: Sequence[Passage]) -> str:
    said = set(content_stems(sentence, passages[0].language))
    shared = [len(said.intersection(content_stems(one.text, one.language))) for one in passages]
    return with_mark(sentence, shared.index(max(shared)) + 1)


def _corrections(votes: Iterable[Vote]) -> tuple[str, ...]:
    reasons = (" ".join(vote.reason.split()) for vote in votes if not vote.is_helpful)
    return tuple(dict.fromkeys(filter(None, reasons)))


def _answered(one: Voted) -> object:
    """Return what two answers have in common that say the same to the same from the same."""
    given = tuple(passage.id for passage in one.record.passages)
    return _asked(one), given, " ".join(_text(one.record).split())


def _asked(one: Voted) -> str:
    return plain(one.record.question)


async def read_votes(journal: Journal, feedback: Feedback, profile: str) -> list[Voted]:
    """Do what `voted` does, in a thread."""
    return await blocking.call(partial(voted, journal, feedback, profile))
