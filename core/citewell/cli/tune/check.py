"""`citewell tune check`: what is wrong with recipes and their data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.data.options import not_looked_for
from citewell.cli.forms import document
from citewell.cli.options import FAILED, config_option, examples
from citewell.cli.progress import staged_bar
from citewell.cli.tune.run import load_recipes, recipes_argument
from citewell.cli.wording import safe_line

if TYPE_CHECKING:
    from citewell.tuning.data.inspecting import Told
    from citewell.tuning.recipes.recipe import Recipe
    from citewell.tuning.runs.checking import Checked


@click.command("check", epilog=examples("citewell tune check support.toml"))
@recipes_argument
@click.option("--all", "is_all", is_flag=True, help="Show every problem of the data.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(recipes: tuple[Path, ...], is_all: bool, as_json: bool, config: Path | None) -> int:
    """Say what is wrong with RECIPES, and with the examples that they name.

    The trainer need not be installed with all that it needs. Nothing is written. The exit code is 1
    where something is wrong.
    """
    from citewell.cli.tune.home import home

    found = load_recipes(home(config), recipes)
    with staged_bar(sys.stderr) as told:
        looked = [(one, _looked(one, told)) for one in found]
    if as_json:
        click.echo(document("tune-check", {"recipes": _fields(looked)}))
    else:
        _show(looked, is_all=is_all)
    return FAILED if any(one is not None and one.errors for _, one in looked) else 0


def _looked(recipe: Recipe, told: Told) -> Checked | None:
    from citewell.tuning.runs.checking import check

    if recipe.data is None:
        return None
    return check(recipe, told)


def _fields(looked: Sequence[tuple[Recipe, Checked | None]]) -> list[dict[str, object]]:
    from citewell.cli.data.check import fields

    return [
        {
            "recipe": str(recipe.file),
            "name": recipe.name,
            **({} if one is None else fields(one.found, one.limits, one.missing)),
        }
        for recipe, one in looked
    ]


def _show(looked: Sequence[tuple[Recipe, Checked | None]], *, is_all: bool) -> None:
    from citewell.cli.data.check import show

    for recipe, one in looked:
        click.echo(f"{safe_line(str(recipe.file))}: the recipe is right")
        if one is None:
            continue
        show(one.found, one.limits, is_all=is_all)
        if note := not_looked_for(one.missing):
            click.echo(f"note: {note}", err=True)
