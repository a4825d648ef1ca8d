"""Questions of the journal, as drafts of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citewell.types.evaluation import EvalItem

if TYPE_CHECKING:
    from citewell.engine.settings import Settings


def from_journal(settings: Settings, number: int) -> list[EvalItem]:
    """Return at most `number` questions that people were not served with, the newest first.

    Raises:
        JournalError: the journal cannot be read.
    """
    from citewell.cli.people import note_words_of_people, open_journal
    from citewell.evaluation.making.remembering import remembered
    from citewell.journal.feedback import Feedback
    from citewell.journal.journal import Journal

    with open_journal(settings) as engine:
        items = remembered(Journal(engine), Feedback(engine), number)
    if items:
        note_words_of_people()
    return items
