"""`citewell use`: changes one line of the settings, which running processes then follow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citewell.cli.options import config_option, examples
from citewell.cli.wording import safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@click.group("use")
def command() -> None:
    """Choose what answers, by changing a line of the settings file.

    The file is checked before it is changed, and keeps its comments. A running process takes the
    change over for new questions, without a restart.
    """


def _named(kind: str, config: Path | None, incomplete: str) -> list[CompletionItem]:
    """Return the sections of `kind` that a shell may complete."""
    from click.shell_completion import CompletionItem

    try:
        tables = settings_document(settings_file(config)).get(kind, {})
    except ConfigError:
        return []
    return [CompletionItem(name) for name in tables if name.startswith(incomplete)]


def complete_model(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the models that a shell may complete."""
    return _named("model", context.params.get("config"), incomplete)


def complete_profile(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the profiles that a shell may complete."""
    return _named("profile", context.params.get("config"), incomplete)


@command.command(
    "model", epilog=examples("citewell use model cloud", "citewell use model tuned -p support")
)
@click.argument("name", shell_complete=complete_model)
@click.option(
    "-p",
    "--profile",
    metavar="NAME",
    shell_complete=complete_profile,
    help="Profile that it answers for; by default the one that answers by default.",
)
@click.option("--force", is_flag=True, help="Whatever the gate says; --why is kept with your name.")
@click.option("--why", metavar="REASON", help="Why the gate is not to decide.")
@config_option
def model(
    name: str, *, profile: str | None, force: bool, why: str | None, config: Path | None
) -> None:
    """Let the model NAME answer first.

    Where NAME stands among the fallbacks, the model that answered so far takes its place there.

    Where the settings have a [gate], the model must have passed it: a fresh report about just this
    model, profile and question set (see: citewell eval gate --help). With --force it need not; who
    forced it, and why, is kept in the audit.
    """
    from citewell.engine.settings import load_settings, save_settings, settings_of

    if force and not (why and why.strip()):
        raise click.UsageError("--force needs --why, which is kept with your name")
    path = settings_file(config)
    settings = load_settings(path)
    profile = profile or settings.default_profile
    document = settings_document(path)
    before = set_model(document, profile, name)
    wanted = settings_of(path, document.as_string())
    if wanted.gate is not None:
        from citewell.cli.gated import let_pass

        let_pass(wanted, settings, profile, by_force=why if force else None)
    save_settings(path, document.as_string())
    if before == name:
        click.echo(f"profile {safe_line(profile)}: {safe_line(name)} answers already")
    else:
        was = f" instead of {safe_line(before)}" if before else ""
        click.echo(f"profile {safe_line(profile)}: {safe_line(name)} answers{was}")


def settings_file(config: Path | None) -> Path:
    """Return the settings file that was named, or the nearest.

    Raises:
        ConfigError: there is none.
    """
    from citewell.engine.settings import find_config

    path = config or find_config(Path.cwd())
    if path is None:
        raise ConfigError("no citewell.toml here or in a folder above; run: citewell init")
    return path


def settings_document(path: Path) -> Any:
    """Return the file as a document that keeps its comments and its form.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(path.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from error
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from error


def set_model(document: Any, profile: str, name: str) -> str:
    """Name the model in the document, and return the one that was named before, if one was.

    Raises:
        ConfigError: there is no such profile.
    """
    import tomlkit

    from citewell.engine.nearest import did_you_mean

    profiles = document.setdefault("profile", tomlkit.table(is_super_table=True))
    if profiles and profile not in profiles:
        hint = did_you_mean(profile, list(profiles), f"there are: {', '.join(profiles)}")
        raise ConfigError(f"there is no [profile.{profile}]{hint}")
    table = profiles.setdefault(profile, tomlkit.table())
    before = str(table.get("model", ""))
    fallback = table.get("fallback", [])
    if name in fallback and before and before != name:
        fallback[fallback.index(name)] = before
    if not before:
        retrievers = list(document.get("retriever", {}))
        if len(retrievers) == 1 and "retriever" not in table:
            table["retriever"] = retrievers[0]
    table["model"] = name
    return before
