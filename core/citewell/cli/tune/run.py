"""`citewell tune run`: trains by recipes, one after another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.options import config_option, examples
from citewell.cli.progress import staged_bar
from citewell.cli.tune.home import complete_run
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from citewell.cli.tune.home import Home
    from citewell.tuning.recipes.recipe import Recipe
    from citewell.tuning.runs.record import Record
    from citewell.tuning.runs.store import Run

yes_option = click.option("-y", "--yes", is_flag=True, help="Begin without asking.")
recipes_argument = click.argument(
    "recipes",
    nargs=-1,
    required=True,
    metavar="RECIPE...",
    type=click.Path(path_type=Path, dir_okay=False),
)


@click.command(
    "run",
    epilog=examples(
        "citewell tune run support.toml",
        "citewell tune run small.toml large.toml --yes",
        "citewell tune run --resume support-3",
    ),
)
@click.argument(
    "recipes",
    nargs=-1,
    metavar="[RECIPE]...",
    type=click.Path(path_type=Path, dir_okay=False),
)
@click.option(
    "--resume",
    "resumed",
    metavar="RUN",
    shell_complete=complete_run,
    help="Go on with a run that did not end.",
)
@yes_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document in the end.")
@config_option
def command(
    recipes: tuple[Path, ...], resumed: str | None, yes: bool, as_json: bool, config: Path | None
) -> int:
    """Train by the RECIPES, one after another.

    Each becomes a run: its examples are checked, steps are measured to tell what it will take, the
    model learns, and what it learnt is exported and proven. Nothing begins before all recipes are
    right; at a terminal you are asked before a training begins.

    A run whose process ended, however it did, goes on with --resume. The exit code is 1 where a run
    did not come to its end.
    """
    from citewell.cli.tune.home import home
    from citewell.cli.tune.working import work_on

    if bool(recipes) == bool(resumed):
        raise click.UsageError("expected recipes, or --resume RUN")
    found = home(config)
    runs = _begun(found, recipes) if resumed is None else [_resumed(found, resumed)]
    return work_on(found, runs, asks=not yes, as_json=as_json)


def load_recipes(home: Home, paths: Sequence[Path]) -> list[Recipe]:
    """Read recipes.

    Raises:
        ConfigError: with every problem of all of them.
    """
    from citewell.tuning.recipes.reading import load_recipe

    recipes: list[Recipe] = []
    problems: list[str] = []
    for path in paths:
        try:
            recipes.append(load_recipe(path, home.registry))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)
    return recipes


def _begun(home: Home, paths: Sequence[Path]) -> list[tuple[Run, Recipe]]:
    from citewell.cli.tune.working import need_components

    recipes = load_recipes(home, paths)
    for recipe in recipes:
        need_components(home, recipe)
    if len(recipes) > 1:
        # A single one is checked as it begins.
        _check_data(recipes)
    return [(home.runs.new(recipe), recipe) for recipe in recipes]


def _check_data(recipes: Sequence[Recipe]) -> None:
    """Find what is wrong with the data of the last before hours are spent on the first.

    Raises:
        ConfigError: with the problems of all of them.
    """
    from citewell.tuning.runs.checking import check, refuse

    problems: list[str] = []
    with staged_bar(sys.stderr) as told:
        for recipe in recipes:
            try:
                if recipe.data is not None:
                    refuse(check(recipe, told), recipe)
            except ConfigError as error:
                problems += error.problems
    if problems:
        raise ConfigError(*problems)


def _resumed(home: Home, name: str) -> tuple[Run, Recipe]:
    from citewell.cli.tune.working import need_components
    from citewell.tuning.runs.happenings import State

    run = home.run(name)
    record = run.record()
    if record.state is State.DONE:
        raise CitewellError(f"run {run.id} is done; to make its files anew: citewell tune export")
    recipe = run.recipe(home.registry)
    need_components(home, recipe)
    _note_change(record)
    return run, recipe


def _note_change(record: Record) -> None:
    """Say where the recipe says something else by now, which a run that goes on does not use."""
    from citewell.tuning.runs.hashing import file_hash

    path = Path(record.recipe)
    if path.is_file() and file_hash(path) != record.recipe_sha256:
        said = f"{record.id} goes on with the recipe as it was, and {path} has changed since"
        click.echo(safe_line(f"note: {said}; start a new run for the change"), err=True)
