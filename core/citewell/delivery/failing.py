"""What is kept of a question that failed before there was an answer: it can be explained."""

from __future__ import annotations

from datetime import UTC, datetime

from citewell.engine.assistant import new_id
from citewell.journal.inbox import Task
from citewell.journal.names import asker_name
from citewell.journal.records import AnswerRecord
from citewell.redaction import redact
from citewell.types.answers import Outcome


def failed_record(task: Task, cause: str, generation: str) -> AnswerRecord:
    """Return the record of a question that got no answer.

    Args:
        task: the question.
        cause: why, in a line; secrets are taken out.
        generation: names the settings in force.
    """
    return AnswerRecord(
        id=new_id(),
        question_id=new_id(),
        question=task.text,
        asker=asker_name(task.asked.venue, task.asked.user),
        asked_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        profile="",
        readers=(),
        outcome=Outcome.FAILED.value,
        notice="it failed before an answer was begun",
        model="",
        model_identity="",
        retriever="",
        index_identity="",
        prompt_hash="",
        claims=(),
        passages=(),
        errors=(redact(cause),),
        generation=generation,
    )
