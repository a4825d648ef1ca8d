"""`citewell eval`: questions with known answers, and what they tell about a choice."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

# Module and summary; a command's module is imported only when the command is run.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init", "Make a set of questions from documents, a file or the journal."),
    "review": ("review", "Accept, change or drop drafts of questions."),
    "run": ("run", "Ask every arm every question, and say which to take."),
    "label": ("label", "Say which answers of the last run are right."),
    "report": ("report", "Show the last report, also as a page, as JSON or as JUnit."),
    "compare": ("compare", "Show what two arms differ in."),
    "gate": ("gate", "Say whether what is to answer has passed."),
}


class _Group(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it
        """Return the commands in the order of their use."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click calls it
        """Import the command `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group("eval", cls=_Group)
def command() -> None:
    """Measure what answers best, on questions of your own.

    A set of questions is a file with a JSON object in each line: the question, and what is right
    about an answer or a passage.
    """
