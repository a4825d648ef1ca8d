"""What the commands about one person share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.options import Where
from citewell.cli.wording import safe

if TYPE_CHECKING:
    import sqlalchemy as sa


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
def open_journal(config: Path | None) -> Iterator[sa.Engine]:
    """Yield the database of the journal, with everything in it that waited to be."""
    from citewell.cli.assisting import spool
    from citewell.engine.folders import make_folder
    from citewell.journal.database import open_engine
    from citewell.journal.journal import Journal, journal_url

    settings = Where(config).settings()
    make_folder(settings.data_dir)
    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    try:
        Journal(engine).take_in(spool(settings))
        yield engine
    finally:
        engine.dispose()
