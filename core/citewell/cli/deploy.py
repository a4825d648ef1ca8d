"""`citewell deploy`: lets what a run made answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from citewell.cli.options import config_option, examples
from citewell.cli.tune.home import complete_run
from citewell.cli.use import complete_profile, set_model, settings_document, settings_file
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError, ConfigError

if TYPE_CHECKING:
    from citewell.engine.settings import Settings
    from citewell.tuning.recipes.tables import Deploy, Form
    from citewell.tuning.runs.record import Made, Record
    from citewell.tuning.runs.store import Run


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line says, and the recipe where that says nothing."""

    kind: str | None
    model: str
    profile: str


@click.command(
    "deploy",
    epilog=examples(
        "citewell deploy support-3",
        "citewell deploy support-3 --file Q8_0 --model tuned --profile support",
        "citewell deploy support-3 --no-switch",
    ),
)
@click.argument("name", metavar="RUN", shell_complete=complete_run)
@click.option("--file", "kind", metavar="KIND", help="Which of its files; by default the first.")
@click.option("--model", metavar="NAME", help="Of the section; by default that of the recipe.")
@click.option(
    "-p",
    "--profile",
    metavar="NAME",
    shell_complete=complete_profile,
    help="Profile that it answers for; by default the one that answers by default.",
)
@click.option(
    "--switch/--no-switch",
    default=True,
    help="Whether it answers from now on; without, only its section is written.",
)
@click.option("--force", is_flag=True, help="Whatever the gate says; --why is kept with your name.")
@click.option("--why", metavar="REASON", help="Why the gate is not to decide.")
@config_option
def command(
    *, name: str, switch: bool, force: bool, why: str | None, config: Path | None, **options: Any
) -> None:
    """Write what RUN made into the settings as a model, and let it answer.

    The settings are checked before they are changed, and keep their comments; a running process
    takes the change over. A section of an earlier run names the new file from then on, and keeps
    what else it says; any other is not touched.

    Where the settings have a [gate], the model must have passed it: write a section of another name
    with --no-switch --model OTHER, evaluate it, and deploy it then.
    """
    from citewell.cli.tune.home import home
    from citewell.engine.settings import load_settings, save_settings, settings_of

    if force and not (why and why.strip()):
        raise click.UsageError("--force needs --why, which is kept with your name")
    if force and not switch:
        raise click.UsageError("--force lets it answer; leave out --no-switch, or --force")
    path = settings_file(config)
    found = home(path)
    run = found.run(name)
    answering = run.answering(found.registry)
    settings = load_settings(path)
    record = run.record()
    wanted = _wanted(answering.deploy, record, settings, **options)
    made = _made(run, record, wanted.kind)
    document = settings_document(path)
    _write_section(document, wanted.model, made, settings, runs=found.runs.folders)
    before = set_model(document, wanted.profile, wanted.model) if switch else ""
    changed = settings_of(path, document.as_string())
    # A section alone changes what answers, too, where a profile names it already.
    if changed.gate is not None:
        _pass_gate(changed, settings, wanted, run, by_force=why if force else None)
    save_settings(path, document.as_string())
    _say(run, wanted, before, switched=switch)
    _note_form(answering.form, changed, wanted)


def _wanted(
    told: Deploy,
    record: Record,
    settings: Settings,
    *,
    kind: str | None,
    model: str | None,
    profile: str | None,
) -> Wanted:
    return Wanted(
        kind=kind or told.file,
        model=model or told.model or record.name,
        profile=profile or told.profile or settings.default_profile,
    )


def _made(run: Run, record: Record, kind: str | None) -> Made:
    """Return the file that is to answer, which is what was proven.

    Raises:
        CitewellError: there is none, or it has changed since.
    """
    from citewell.engine.nearest import did_you_mean
    from citewell.tuning.runs.happenings import State
    from citewell.tuning.runs.hashing import file_hash

    if record.state is not State.DONE:
        raise CitewellError(f"run {run.id} is {record.state}; expected one that is done")
    known = {one.kind: one for one in record.made}
    if not known:
        raise CitewellError(
            f"run {run.id} has no file that a model loads; run: citewell tune export {run.id}"
        )
    if kind is not None and kind not in known:
        listed = f"there are: {', '.join(known)}"
        hint = did_you_mean(kind, known, listed)
        raise CitewellError(f'run {run.id} has no file of the kind "{kind}"{hint}')
    made = record.made[0] if kind is None else known[kind]
    if file_hash(Path(made.file)) != made.sha256:
        raise CitewellError(
            f"{made.file} has changed since it was proven; run: citewell tune export {run.id}"
        )
    return made


def _write_section(
    document: Any, name: str, made: Made, settings: Settings, *, runs: Sequence[Path]
) -> None:
    """Put the section of a file into the settings; what else a section of a run says stays.

    Raises:
        ConfigError: another section has the name.
    """
    import tomlkit

    models = document.setdefault("model", tomlkit.table(is_super_table=True))
    section = _relative(made.section, settings.base_dir)
    if name not in models:
        models[name] = _table(section)
        return
    if not _is_of_a_run(models[name].unwrap(), settings.base_dir, runs):
        raise ConfigError(
            f"[model.{name}] is there already, and is of no run; name another with --model"
        )
    _update(models[name], section, settings.base_dir, runs)


def _table(section: Mapping[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.table()
    for key, value in section.items():
        table[key] = _inline(value)
    table.add(tomlkit.nl())
    return table


def _update(table: Any, section: Mapping[str, Any], base_dir: Path, runs: Sequence[Path]) -> None:
    """Let a table name other files; what the user added to it stays, with the comments."""
    from tomlkit.items import Table

    for key, value in table.unwrap().items():
        # Files of the run before are nothing to the one that takes its place.
        if key not in section and _is_of_a_run(value, base_dir, runs):
            del table[key]
    for key, value in section.items():
        if isinstance(table.get(key), Table):
            del table[key]
        table[key] = _inline(value)


def _is_of_a_run(section: Any, base_dir: Path, runs: Sequence[Path]) -> bool:
    """Tell whether a section, or a setting of it, names a file of some run."""
    folders = [folder.resolve() for folder in runs]
    paths = [(base_dir / text).resolve() for text in _texts(section)]
    return any(path.is_relative_to(folder) for path in paths for folder in folders)


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return []


def _relative(value: Any, base_dir: Path) -> Any:
    """Return settings whose paths lead from the settings file, where they stand below it."""
    if isinstance(value, Mapping):
        return {name: _relative(one, base_dir) for name, one in value.items()}
    if isinstance(value, str) and Path(value).is_absolute():
        path, above = Path(value).resolve(), base_dir.resolve()
        return str(path.relative_to(above)) if path.is_relative_to(above) else value
    return value


def _inline(value: Any) -> Any:
    import tomlkit

    if not isinstance(value, Mapping):
        return value
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _pass_gate(
    changed: Settings, present: Settings, wanted: Wanted, run: Run, *, by_force: str | None
) -> None:
    from citewell.cli.gated import let_pass

    try:
        let_pass(changed, present, wanted.profile, by_force=by_force)
    except CitewellError as error:
        hint = (
            "to have it evaluated first, under a name that answers nobody yet, run: "
            f"citewell deploy {run.id} --no-switch --model OTHER"
        )
        raise CitewellError(f"{error}\n{hint}") from error


def _say(run: Run, wanted: Wanted, before: str, *, switched: bool) -> None:
    model = safe_line(wanted.model)
    click.echo(f"[model.{model}] is of run {run.id}")
    if not switched:
        click.echo(f"next: name {model} in a profile, and run: citewell eval run")
    elif before == wanted.model:
        click.echo(f"profile {safe_line(wanted.profile)}: {model} answers as before")
    else:
        was = f" instead of {safe_line(before)}" if before else ""
        click.echo(f"profile {safe_line(wanted.profile)}: {model} answers{was}")


def _note_form(form: Form | None, settings: Settings, wanted: Wanted) -> None:
    """Say where a profile asks for answers of another form than those that were learnt."""
    profile = settings.profiles.get(wanted.profile)
    if form is None or profile is None:
        return
    differing = [
        name
        for name in ("instructions", "choices", "output_schema")
        if getattr(form, name) != getattr(profile, name)
    ]
    if differing:
        click.echo(
            f"note: [profile.{safe_line(wanted.profile)}] has other {', '.join(differing)} than "
            "the [form] that was learnt; the model answers best with the same",
            err=True,
        )
