"""`citewell tune`: from training data to a model that answers."""

from __future__ import annotations

from collections.abc import Mapping

import click

from citewell.cli.grouping import LazyGroup

# Module and summary; a command's module is imported only when the command is run.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init", "Write a recipe to begin with."),
    "check": ("check", "Say what is wrong with a recipe and its data."),
    "estimate": ("estimate", "Measure what a training will take."),
    "run": ("run", "Train by recipes, one after another."),
    "export": ("export", "Make of an adapter the files that a model loads."),
}


@click.group("tune", cls=LazyGroup, package=__name__, modules=COMMANDS)
def command() -> None:
    """Let a model learn from examples, and prove that what it learnt is what answers.

    A recipe is a TOML file: the base, the data, the trainer, and what is exported. Each training is
    a run, which citewell runs shows and citewell deploy puts into the settings.
    """
