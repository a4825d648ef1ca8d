"""What was said before in a conversation, read from what was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from citewell.journal.database import explained
from citewell.journal.inbox import Task
from citewell.journal.tables import answers, inbox, questions, replies
from citewell.types.questions import Audience, Turn


class Conversations:
    """The conversations of a journal. Blocking; call it from a thread when an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def turns(self, task: Task, audience: Audience, *, limit: int) -> tuple[Turn, ...]:
        """Return what was asked and answered before a question, oldest first.

        Only what was answered to the same audience: whoever reads more or less now must not read
        it through what the model remembers.

        Args:
            task: the question.
            audience: of its answer.
            limit: earlier questions, the last ones.
        """
        earlier = (
            sa
            .select(inbox.c.text, questions.c.readers, answers)
            .join_from(inbox, replies, replies.c.question == inbox.c.seq)
            .join(answers, answers.c.id == replies.c.answer)
            .join(questions, questions.c.id == answers.c.question_id)
            .where(
                inbox.c.conversation == task.asked.venue.conversation,
                inbox.c.seq < task.seq,
                inbox.c.is_withdrawn.is_(False),
            )
            .order_by(inbox.c.seq.desc())
            .limit(limit)
        )
        with explained("the conversation cannot be read"), self._engine.connect() as connection:
            rows = connection.execute(earlier).all()
        mine = sorted(sorted(labels) for labels in audience.readers)
        kept: list[dict[str, Any]] = [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
        same = [row for row in kept if sorted(row["readers"]) == mine]
        return tuple(turn for row in reversed(same) for turn in _turns(row))


def _turns(row: Mapping[str, Any]) -> tuple[Turn, Turn]:
    labels = frozenset(row["labels"])
    claims = [claim for claim in row["claims"] if claim["shown"]]
    said = "".join(claim["lead"] + claim["text"] for claim in claims).strip()
    return Turn("user", row["text"] or "", labels), Turn("assistant", said or row["notice"], labels)
