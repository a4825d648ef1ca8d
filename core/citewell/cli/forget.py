"""`citewell forget`: deletes what is kept of one person."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from citewell.cli.forms import document
from citewell.cli.options import Where, config_option, examples
from citewell.cli.people import checked, open_journal
from citewell.cli.wording import counted, safe
from citewell.errors import CitewellError


@click.command(
    "forget",
    epilog=examples("citewell forget slack/T012/U345", "citewell forget slack/T012/U345 --yes"),
)
@click.argument("person")
@config_option
@click.option("--yes", is_flag=True, help="Do not ask whether to.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(person: str, config: Path | None, yes: bool, as_json: bool) -> None:
    """Delete what PERSON asked and was answered, their votes and their name.

    That something was asked, answered and judged stays, for counting, without what it was and who
    it was. Questions that are being answered are taken back. Done while the bot runs or not.
    """
    from msgspec import to_builtins

    from citewell.journal.forgetting import Forgetting

    name = checked(person)
    if not yes:
        _ask(name)
    with open_journal(Where(config).settings()) as engine:
        told = Forgetting(engine).forget(name)
    if as_json:
        click.echo(document("forgotten", {"person": name, **to_builtins(told)}))
        return
    parts = [
        counted(told.messages, "message"),
        counted(told.questions, "question"),
        counted(told.answers, "answer"),
        counted(told.votes, "vote"),
    ]
    click.echo(f"forgotten: {', '.join(parts)}")
    if told.in_work:
        click.echo(f"{counted(told.in_work, 'question')} in work will be, when its answer is gone")


def _ask(name: str) -> None:
    """Return only when the user says yes.

    Raises:
        click.Abort: the user says no, or interrupts.
        CitewellError: there is no terminal, and no answer in its place.
    """
    try:
        click.confirm(f"Delete what is kept of {safe(name)}? It cannot be undone", abort=True)
    except click.Abort as error:
        if sys.stdin.isatty() or not isinstance(error.__context__, EOFError):
            raise
        click.echo()
        raise CitewellError(
            f"{name} is not forgotten: that needs your yes, and there is no terminal to ask at; "
            f"run: citewell forget {shlex.quote(name)} --yes"
        ) from error
