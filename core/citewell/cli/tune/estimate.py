"""`citewell tune estimate`: what trainings will take."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from citewell.cli.forms import document
from citewell.cli.options import config_option, examples
from citewell.cli.progress import staged_bar
from citewell.cli.tune.run import load_recipes, recipes_argument
from citewell.cli.wording import safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.cli.tune.home import Home
    from citewell.tuning.recipes.recipe import Recipe
    from citewell.tuning.runs.happenings import Estimated


@click.command(
    "estimate",
    epilog=examples("citewell tune estimate support.toml", "citewell tune estimate a.toml b.toml"),
)
@recipes_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(recipes: tuple[Path, ...], as_json: bool, config: Path | None) -> None:
    """Measure some steps of the trainings of RECIPES, and say what each will take.

    Time, memory, and the cost where the recipe names a price. Nothing of the steps stays.
    """
    from citewell.cli.tune.home import home
    from citewell.tuning.runs.saying import estimate_lines

    place = home(config)
    found = [(one, _estimated(place, one)) for one in load_recipes(place, recipes)]
    if as_json:
        fields: dict[str, object] = {"recipes": [_fields(*one) for one in found]}
        click.echo(document("tune-estimate", fields))
        return
    for recipe, one in found:
        for line in estimate_lines(one):
            click.echo(safe_line(f"{recipe.name}: {line}"))


def _estimated(home: Home, recipe: Recipe) -> Estimated:
    from citewell.cli.tune.working import need_components
    from citewell.tuning.runs.adapting import Place, estimate_apart
    from citewell.tuning.runs.checking import check, refuse

    if recipe.trainer is None or recipe.data is None:
        raise ConfigError(f"{recipe.file}: names an adapter, so there is nothing to train")
    need_components(home, recipe)
    with staged_bar(sys.stderr) as told:
        checked = check(recipe, told)
        refuse(checked, recipe)
        told("Measuring steps", 0, 0)
        return asyncio.run(estimate_apart(Place(home.data_dir), recipe, checked))


def _fields(recipe: Recipe, found: Estimated) -> dict[str, object]:
    return {
        "recipe": str(recipe.file),
        "name": recipe.name,
        "seconds": found.estimate.seconds,
        **msgspec.to_builtins(found.estimate),
        "cost": found.cost,
        "currency": found.currency,
    }
