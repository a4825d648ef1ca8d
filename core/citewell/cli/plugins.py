"""`citewell plugins`: what is installed, what each offers, which files may run, a new one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from citewell.cli.forms import document
from citewell.cli.options import config_option, examples
from citewell.cli.scaffold import new
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError, UnknownComponent

if TYPE_CHECKING:
    from citewell.engine.registry import PluginState, Registry

_COLOURS = {"on": "green", "off": None}


@click.group("plugins")
def command() -> None:
    """List plugins, trust a plugin file, or begin a plugin of your own."""


command.add_command(new)


@command.command("list", epilog=examples("citewell plugins list", "citewell plugins list --json"))
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_(config: Path | None, as_json: bool) -> None:
    """List every plugin: whether it is on, what it offers, and if not, why not."""
    states = _states(config)
    if as_json:
        click.echo(document("plugins", {"plugins": to_builtins(states)}))
        return
    rows = [(state.name, _package(state), state.state, ", ".join(state.offers)) for state in states]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    for name, package, state, offers in rows:
        mark = click.style(state.ljust(widths[2]), fg=_COLOURS.get(state, "yellow"))
        line = f"{name.ljust(widths[0])}  {package.ljust(widths[1])}  {mark}  {safe_line(offers)}"
        click.echo(line.rstrip())
    for plugin in states:
        if plugin.reason:
            click.echo(f"\n{safe_line(plugin.reason)}")


@command.command("show", epilog=examples("citewell plugins show embedded"))
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, config: Path | None, as_json: bool) -> None:
    """Show what the plugin NAME offers, with the settings of each component."""
    registry = _registry(config)
    states = [state for state in _states(config) if state.name == name]
    if not states:
        from citewell.engine.nearest import did_you_mean

        known = [state.name for state in registry.plugins]
        listed = f"plugins there are: {', '.join(known)}"
        raise UnknownComponent(f'no plugin is called "{name}"{did_you_mean(name, known, listed)}')
    found = [_described(registry, state) for state in states]
    if as_json:
        click.echo(document("plugin", {"plugins": found}))
        return
    for state in states:
        click.secho(f"{state.name}  {_package(state)}  {state.state}", bold=True)
        if state.reason:
            click.echo(safe_line(state.reason))
        for component in _components(registry, state):
            _show(*component)


def _show(offer: str, summary: str, settings: Iterable[tuple[str, str]]) -> None:
    click.echo(f"\n{offer}: {safe_line(summary)}")
    for setting, description in settings:
        click.echo(f"  {setting}: {safe_line(description)}")


def _components(
    registry: Registry, state: PluginState
) -> Iterable[tuple[str, str, list[tuple[str, str]]]]:
    """Yield offer, summary, and each setting with its description."""
    for offer in state.offers:
        kind, _, name = offer.rpartition(" ")
        spec = registry.offer(kind, name)
        model = getattr(spec, "config", None)
        fields = {} if model is None else model.model_fields
        settings = [(key, field.description or "") for key, field in fields.items()]
        yield offer, spec.summary, settings


def _described(registry: Registry, state: PluginState) -> dict[str, object]:
    offers = [
        {"offer": offer, "summary": summary, "settings": dict(settings)}
        for offer, summary, settings in _components(registry, state)
    ]
    return {**to_builtins(state), "offers": offers}


@command.command("trust", epilog=examples("citewell plugins trust log_loader.py"))
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def trust(path: Path, yes: bool) -> None:
    """Let the plugin file PATH run, for as long as it stays as it is now.

    A plugin can do whatever you can. Read it first.
    """
    from citewell.engine.plugin_files import digest, read_plugin_file
    from citewell.engine.trust import Trust

    path = path.resolve()
    content = read_plugin_file(path)
    memory = Trust()
    if memory.is_trusted(path, content):
        click.echo(f"{safe_line(str(path))} is trusted already")
        return
    lines = content.count(b"\n")
    click.echo(f"{safe_line(str(path))}\n  {lines} lines, SHA-256 {digest(content)}")
    if not yes:
        _ask(path)
    try:
        memory.add(path, content)
    except OSError as error:
        raise CitewellError(f"{memory.path} cannot be written: {error.strerror}") from error
    click.echo("trusted, until it changes")


def _ask(path: Path) -> None:
    """Return only when the user says yes.

    Raises:
        click.Abort: the user says no, or interrupts.
        CitewellError: there is no terminal, and no answer in its place.
    """
    try:
        click.confirm("It will run with your rights. Have you read it, and trust it?", abort=True)
    except click.Abort as error:
        if sys.stdin.isatty() or not isinstance(error.__context__, EOFError):
            raise
        import shlex

        again = f"citewell plugins trust {shlex.quote(str(path))} --yes"
        click.echo()
        raise CitewellError(
            f"{path} is not trusted: that needs your yes, and there is no terminal to ask at; "
            f"read the file, then run: {again}"
        ) from error


def _registry(config: Path | None) -> Registry:
    from citewell.engine.settings import find_config, load_registry

    return load_registry(config or find_config(Path.cwd()))


def _states(config: Path | None) -> tuple[PluginState, ...]:
    from citewell.engine.extras import plugin_states

    return plugin_states(_registry(config))


def _package(state: PluginState) -> str:
    return f"{state.distribution} {state.version}".rstrip()
