"""`citewell export`: everything that is kept of one person."""

from __future__ import annotations

from pathlib import Path

import click

from citewell.cli.forms import document
from citewell.cli.options import Where, config_option, examples
from citewell.cli.people import checked, open_journal


@click.command(
    "export",
    epilog=examples("citewell export slack/T012/U345", "citewell export discord//80 > person.json"),
)
@click.argument("person")
@config_option
def command(person: str, config: Path | None) -> None:
    """Print everything that is kept of PERSON, as JSON.

    PERSON is SECTION/TEAM/USER: the chat service as its section is called, and the ids that the
    service gives. The team may be empty, as where somebody writes to a Discord bot directly.
    """
    from citewell.journal.people import People

    name = checked(person)
    with open_journal(Where(config).settings()) as engine:
        click.echo(document("person", People(engine).export(name)))
