"""Lets a question be answered as it is when people ask, with an answer that is known to be right.

The prompt of an example is the one of serving, since the same code makes it; and the answer is one
that the evidence checks let through, since they look at it as at any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.assistant import Assistant, new_id
from citewell.engine.citing.words import content_stems
from citewell.engine.course import Course
from citewell.engine.prompting import chat_messages
from citewell.engine.runtime import Runtime
from citewell.evaluation.arranging import Arrangement, is_named
from citewell.evaluation.making.facts import plain
from citewell.journal.records import AnswerRecord
from citewell.tuning.building.classroom import Classroom, Teacher
from citewell.tuning.building.lessons import (
    Lesson,
    Teaches,
    changed,
    exchanged,
    is_exchangeable,
    still_states,
)
from citewell.tuning.building.targets import cited_answer, tells
from citewell.tuning.data.examples import Example, Kind, Message
from citewell.types.answers import Outcome
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem, Swap
from citewell.types.questions import Audience, Prompt, Question

_SAME = 0.5
"""A passage with so many of a question's content words, and its answer, may answer it."""

_OTHER = "~other"


class Declined(Exception):
    """No example can be made of a lesson; the text says why, in words that can be counted."""


class Terms(Struct, frozen=True, kw_only=True):
    """How examples are made.

    Attributes:
        profile: whose prompt is learnt.
        audience: what it may read, a model may repeat.
        kept_out: names of documents that no example shows, with or without their library.
    """

    profile: str
    audience: Audience
    kept_out: frozenset[str] = frozenset()

    def hides(self, document_id: str) -> bool:
        """Tell whether no example may show a document."""
        return is_named(document_id, self.kept_out)


async def teach(runtime: Runtime, lesson: Lesson, terms: Terms) -> Example:
    """Return the example of a lesson.

    Raises:
        Declined: there is none.
        CitewellError: the documents cannot be read.
    """
    right = await _answering(runtime, lesson.item, terms)
    if not right and not lesson.item.unanswerable:
        raise Declined("its quote stands in no passage that may be read")
    if lesson.swap is not None and not is_exchangeable(lesson.swap, right):
        lesson = replace(lesson, teaches=Teaches.ANSWERED, swap=None)
    teacher = Teacher(lambda prompt: _answer(lesson, prompt))
    course = await answered(runtime, lesson.item.question, teacher, _arranged(lesson), terms)
    prompt = teacher.prompt
    if prompt is None:
        raise Declined("nothing is found for the question")
    is_refusal = course.output == prompt.refusal
    _check(course, lesson, prompt)
    if not is_refusal and not tells(course.output, lesson.item, _swaps(lesson)):
        raise Declined("its quote does not tell the answer")
    cited = [one for one in _cited(course, prompt) if not is_refusal]
    teaches = Teaches.REFUSED if is_refusal else lesson.teaches
    named = cited or right
    documents = tuple(dict.fromkeys(one.document_id for one in named)) or lesson.item.documents
    return Example(
        kind=Kind.CHAT,
        messages=(*messages_of(prompt), Message("assistant", course.output)),
        documents=documents,
        origin=_origin(named, documents),
        teaches=teaches.value,
    )


async def answered(
    runtime: Runtime, question: str, teacher: Teacher, arrangement: Arrangement, terms: Terms
) -> Course:
    """Let the answer path answer a question, with a teacher for a model."""
    shown = replace(
        arrangement,
        leaves_out=lambda passage: (
            terms.hides(passage.document_id) or arrangement.leaves_out(passage)
        ),
    )
    room = cast("Runtime", Classroom(runtime, teacher, shown))
    asked = Question(id=new_id(), text=question, audience=terms.audience, profile=terms.profile)
    return await Assistant(room, _Nowhere()).whole(asked)


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """Return a prompt as the messages that a model gets."""
    return tuple(Message(one["role"], one["content"]) for one in chat_messages(prompt))


def _origin(passages: Sequence[Passage], documents: Sequence[str]) -> str:
    """Name passages, with what they said; or else documents."""
    if passages:
        names = (f"passage:{one.id.removesuffix(_OTHER)}" for one in passages)
        return " ".join(dict.fromkeys(names))
    return " ".join(f"document:{quote(one, safe=':/')}" for one in documents)


def declined(course: Course) -> str | None:
    """Return why the evidence checks did not let an answer through; None where they did."""
    statements = course.answer.statements
    for one in statements:
        if not one.verdict.supported:
            return f"the checks refused it: {one.verdict.check}"
        if not (one.shown and one.citations):
            return "a statement cites nothing"
    if course.answer.outcome is not Outcome.ANSWERED or not statements:
        return f"it was not answered: {course.answer.outcome.value}"
    return None


async def _answering(runtime: Runtime, item: EvalItem, terms: Terms) -> list[Passage]:
    """Return the passages that answer a question, as they are."""
    name = runtime.settings.profiles[terms.profile].retriever or ""
    retriever = await runtime.retriever(name)
    found: list[Passage] = []
    for document in item.documents:
        every = await retriever.within(document, start=0, end=1 << 40, readable_by=terms.audience)
        found += [one for one in every if item.quotes and item.is_right(one)]
    return found


def _answer(lesson: Lesson, prompt: Prompt) -> str:
    if lesson.teaches is Teaches.REFUSED:
        return prompt.refusal
    said = cited_answer(lesson.item, prompt.passages, _swaps(lesson))
    # What is not found, serving does not find either: then the right answer is to say so.
    return prompt.refusal if said is None else said


def _swaps(lesson: Lesson) -> tuple[Swap | None, ...]:
    """Return as what facts are to be told: of a conflict, as both."""
    return (None, lesson.swap) if lesson.teaches is Teaches.CONFLICT else (lesson.swap,)


def _arranged(lesson: Lesson) -> Arrangement:
    item, swap = lesson.item, lesson.swap
    if lesson.teaches is Teaches.REFUSED:
        return Arrangement(
            leaves_out=lambda passage: (
                (item.unanswerable and is_named(passage.document_id, item.documents))
                or may_answer(item, passage)
            ),
            order=lesson.order,
        )
    if lesson.teaches is Teaches.SWAPPED and swap is not None:
        return Arrangement(changes=lambda passage: changed(passage, swap), order=lesson.order)
    if lesson.teaches is Teaches.CONFLICT and swap is not None:
        return Arrangement(copies=lambda passage: _other(passage, item, swap), order=lesson.order)
    return Arrangement(order=lesson.order)


def may_answer(item: EvalItem, passage: Passage) -> bool:
    """Tell whether a passage may answer a question: too often rather than too seldom."""
    text = f" {plain(passage.text)} "
    if any(f" {plain(quote)} " in text for quote in item.quotes if plain(quote)):
        return True
    asked = set(content_stems(item.question, passage.language))
    shared = asked.intersection(content_stems(passage.text, passage.language))
    is_about = len(shared) >= _SAME * len(asked)
    return is_about and any(f" {plain(one)} " in text for one in item.answers if plain(one))


def _other(passage: Passage, item: EvalItem, swap: Swap) -> Passage | None:
    """Return a passage of another document that says otherwise; None beside any other."""
    if not item.is_right(passage):
        return None
    return replace(changed(passage, swap), id=f"{passage.id}{_OTHER}", title=f"{passage.title} (2)")


def _check(course: Course, lesson: Lesson, prompt: Prompt) -> None:
    """Raise where an answer is not right.

    Raises:
        Declined: says why.
    """
    if course.output == prompt.refusal:
        items = [_exchanged(lesson.item, swap) for swap in dict.fromkeys((None, lesson.swap))]
        if any(may_answer(item, passage) for item in items for passage in prompt.passages):
            raise Declined("a passage may answer what is to be refused")
        if course.answer.outcome is not Outcome.REFUSED:
            raise Declined("the refusal was not taken for one")
        return
    reason = declined(course)
    if reason is not None:
        raise Declined(reason)
    if lesson.teaches is Teaches.SWAPPED and lesson.swap is not None:
        touched = (one for one in prompt.passages if lesson.swap.instead in one.text)
        if any(still_states(one, lesson.swap) for one in touched):
            raise Declined("the fact that was exchanged stands elsewhere too")


def _exchanged(item: EvalItem, swap: Swap | None) -> EvalItem:
    return replace(
        item,
        quotes=tuple(exchanged(one, swap) for one in item.quotes),
        answers=tuple(exchanged(one, swap) for one in item.answers),
    )


def _cited(course: Course, prompt: Prompt) -> list[Passage]:
    ids = {citation.passage_id for citation in course.answer.citations}
    return [one for one in prompt.passages if one.id in ids]


class _Nowhere:
    """Keeps no record: nobody asked."""

    def add(self, record: AnswerRecord) -> None:
        """Keep nothing of it."""
