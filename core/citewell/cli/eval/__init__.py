"""`citewell eval`: questions with known answers, and what they tell about a choice."""

from __future__ import annotations

from collections.abc import Mapping

import click

from citewell.cli.grouping import LazyGroup

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


@click.group("eval", cls=LazyGroup, package=__name__, modules=COMMANDS)
def command() -> None:
    """Measure what answers best, on questions of your own.

    A set of questions is a file with a JSON object in each line: the question, and what is right
    about an answer or a passage.
    """
