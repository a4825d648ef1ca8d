"""`citewell data`: what a model is to learn from."""

from __future__ import annotations

from collections.abc import Mapping

import click

from citewell.cli.grouping import LazyGroup

# Module and summary; a command's module is imported only when the command is run.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "build": ("build", "Make examples of documents, of questions, or of votes."),
    "check": ("check", "Say what is wrong with examples, line by line."),
    "preview": ("preview", "Show some examples as a model sees them."),
    "stats": ("stats", "Show how many examples there are, and how long."),
    "clean": ("clean", "Write the sound examples of a file, each once."),
    "split": ("split", "Part examples by document into training and validation."),
    "merge": ("merge", "Join files of examples, whatever their forms."),
    "trace": ("trace", "Show what examples came from."),
}


@click.group("data", cls=LazyGroup, package=__name__, modules=COMMANDS)
def command() -> None:
    """Check and prepare what a model is to learn from.

    A file holds examples in one of five forms: messages; conversations, as ShareGPT has them;
    instruction and output, as Alpaca has them; prompt and completion, or input and output; plain
    text. Preferences (prompt, chosen, rejected) and votes (prompt, completion, label) are read too.
    It ends with .jsonl, .json, .csv, .tsv, .parquet or .txt. The form is found by its fields.
    """
