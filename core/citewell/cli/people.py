"""What the commands share that read or write what people said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from citewell.cli.wording import safe

if TYPE_CHECKING:
    import sqlalchemy as sa

    from citewell.engine.settings import Settings


def checked(person: str) -> str:
    """Return the name of a person, if it is one.

    Raises:
        click.UsageError: it is none.
    """
    from citewell.journal.names import Person

    if Person.of(person) is None:
        raise click.UsageError(
            f'"{safe(person)}" names nobody; expected SECTION/TEAM/USER, like slack/T012/U345'
        )
    return person


@contextmanager
def open_journal(settings: Settings) -> Iterator[sa.Engine]:
    """Yield the database of the journal, with everything in it that waited to be."""
    from citewell.cli.assisting import spool
    from citewell.engine.folders import make_folder
    from citewell.journal.database import open_engine
    from citewell.journal.journal import Journal, journal_url

    make_folder(settings.data_dir)
    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    try:
        Journal(engine).take_in(spool(settings))
        yield engine
    finally:
        engine.dispose()


def note_words_of_people() -> None:
    """Say that a file holds what people said, which the journal cannot delete."""
    click.echo(
        "note: these are words of people; what is forgotten in the journal stays in this file "
        "until you delete it here too",
        err=True,
    )
