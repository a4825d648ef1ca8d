"""Questions of the journal, as drafts of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from citewell.types.evaluation import EvalItem

if TYPE_CHECKING:
    from citewell.engine.settings import Settings


def from_journal(settings: Settings, number: int) -> list[EvalItem]:
    """Return at most `number` questions that people were not served with, the newest first.

    Raises:
        JournalError: the journal cannot be read.
    """
    from citewell.cli.assisting import spool
    from citewell.engine.folders import make_folder
    from citewell.evaluation.making.remembering import remembered
    from citewell.journal.database import open_engine
    from citewell.journal.feedback import Feedback
    from citewell.journal.journal import Journal, journal_url

    make_folder(settings.data_dir)
    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    try:
        journal = Journal(engine)
        journal.take_in(spool(settings))
        items = remembered(journal, Feedback(engine), number)
    finally:
        engine.dispose()
    if items:
        click.echo(
            "note: these are words of people; what is forgotten in the journal stays in this file "
            "until you delete it here too",
            err=True,
        )
    return items
