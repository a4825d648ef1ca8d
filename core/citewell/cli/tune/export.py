"""`citewell tune export`: the files of a run, or of an adapter that another trainer made."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from citewell.cli.options import config_option, examples
from citewell.cli.tune.home import complete_run
from citewell.errors import CitewellError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from citewell.cli.tune.home import Home
    from citewell.tuning.recipes.recipe import Recipe
    from citewell.tuning.runs.store import Run

_FOLDER = click.Path(path_type=Path, file_okay=False)


class Handed(Struct, frozen=True, kw_only=True):
    """What another trainer made, as the command line says it."""

    base: Path | None
    adapter: Path | None
    samples: Path | None
    name: str | None
    license: str | None


def _settings(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> dict[str, Any]:
    """Read settings that are written like KEY=VALUE, the value as in TOML."""
    found: dict[str, Any] = {}
    for one in values:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f'"{one}" is no setting; expected one like files=["adapter"]')
        try:
            found[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            # A text without quotes is one all the same.
            found[name.strip()] = value
    return found


@click.command(
    "export",
    epilog=examples(
        "citewell tune export support-3",
        'citewell tune export support-3 --set \'files=["adapter", "Q8_0"]\'',
        "citewell tune export --base models/base --adapter outputs/lora --samples valid.jsonl",
    ),
)
@click.argument("name", metavar="[RUN]", required=False, shell_complete=complete_run)
@click.option("--base", type=_FOLDER, metavar="FOLDER", help="The model that learnt.")
@click.option("--adapter", type=_FOLDER, metavar="FOLDER", help="What it learnt: a PEFT folder.")
@click.option(
    "--samples",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Examples whose prompts the proof of --adapter uses.",
)
@click.option("--name", "called", metavar="NAME", help="Of the run that --adapter becomes.")
@click.option("--license", metavar="TEXT", help="Of --base, for the model card.")
@click.option("--use", metavar="NAME", help="The exporter; by default that of the recipe.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_settings,
    help="A setting of the exporter, in place of the recipe's.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document in the end.")
@config_option
def command(
    *,
    name: str | None,
    use: str | None,
    settings: dict[str, Any],
    as_json: bool,
    config: Path | None,
    called: str | None,
    **handed: Any,
) -> int:
    """Make the files of RUN, or of an adapter that another trainer made, and prove each.

    An adapter of Unsloth, axolotl or any other trainer is a folder as PEFT saves it, with
    adapter_config.json and adapter_model.safetensors. It becomes a run of its own, with a report
    and a model card, that citewell deploy knows.
    """
    from citewell.cli.tune.home import home
    from citewell.cli.tune.working import need_components, work_on

    given = Handed(name=called, **handed)
    if (name is None) == (given.adapter is None) or (given.base is None) != (given.adapter is None):
        raise click.UsageError("expected RUN, or --base FOLDER and --adapter FOLDER")
    found = home(config)
    if name is None:
        recipe = _handed_recipe(found, given, use, settings)
        need_components(found, recipe)
        run = found.runs.new(recipe)
    else:
        run = found.run(name)
        recipe = _recipe_again(found, run, use, settings)
        need_components(found, recipe)
    return work_on(found, [(run, recipe)], asks=False, as_json=as_json)


def _recipe_again(home: Home, run: Run, use: str | None, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a run, with another export where one is named."""
    from citewell.tuning.recipes.reading import recipe_of

    if run.record().state.is_active:
        raise CitewellError(f"run {run.id} goes on; wait until it ends")
    if not run.adapter.is_dir():
        raise CitewellError(
            f"run {run.id} has no adapter yet; run: citewell tune run --resume {run.id}"
        )
    recipe = run.recipe(home.registry)
    if recipe.export is not None and use is None and not settings:
        return recipe
    import tomlkit

    document: Any = tomlkit.parse(recipe.content.decode())
    table = document.setdefault("export", tomlkit.table())
    if use is not None and table.get("use") != use:
        # The settings of one exporter are not those of another.
        document["export"] = table = tomlkit.table()
    table["use"] = use or table.get("use") or _only_exporter(home)
    table.update(settings)
    found = recipe_of(
        # What is wrong is said of what was typed.
        Path("command line"),
        document.as_string().encode(),
        home.registry,
        base_dir=recipe.base_dir,
        is_begun=True,
    )
    assert found.export is not None  # noqa: S101 - it was just named
    faults = [*found.export.faults(found.base, found.base_dir)]
    if faults:
        raise ConfigError(*(f"command line: {name or 'base'}: {said}" for name, said in faults))
    return replace(found, name=recipe.name)


def _handed_recipe(
    home: Home, given: Handed, use: str | None, settings: Mapping[str, Any]
) -> Recipe:
    """Return the recipe that says what the command line does."""
    import tomlkit

    from citewell.tuning.recipes.reading import name_from, recipe_of

    assert given.adapter is not None  # noqa: S101 - whoever calls has looked
    document: Any = tomlkit.document()
    document.add(tomlkit.comment("What citewell tune export was told."))
    document["name"] = given.name or name_from(given.adapter.resolve())
    document["base"] = str(given.base)
    document["adapter"] = str(given.adapter)
    if given.license is not None:
        document["license"] = given.license
    if given.samples is not None:
        document["data"] = {"train": str(given.samples)}
    document["export"] = {"use": use or _only_exporter(home), **settings}
    # What is wrong is said of what was typed.
    said = Path("command line")
    return recipe_of(said, document.as_string().encode(), home.registry, base_dir=Path.cwd())


def _only_exporter(home: Home) -> str:
    known = [*home.registry.exporters]
    if len(known) == 1:
        return known[0]
    listed = f"there are: {', '.join(known)}; name one with --use" if known else "there are none"
    raise ConfigError(f"no exporter is named; {listed}")
