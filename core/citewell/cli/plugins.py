"""`citewell plugins`: what is installed, what each offers, which files may run, a new one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from citewell.cli.forms import document
from citewell.cli.offering import offer_fields, offered, show_offer
from citewell.cli.options import config_option, examples
from citewell.cli.plugin_check import check
from citewell.cli.scaffold import new
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError

if TYPE_CHECKING:
    from citewell.engine.registry import PluginState, Registry

_COLOURS = {"on": "green", "off": None}
_WORDS = {"needs newer": "needs a newer citewell"}


@click.group("plugins")
def command() -> None:
    """List plugins, check them, trust a plugin file, or begin a plugin of your own."""


command.add_command(check)
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
    rows = [_row(state) for state in states]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    for plugin, row in zip(states, rows, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[3] = click.style(cells[3], fg=_COLOURS.get(plugin.state, "yellow"))
        click.echo("  ".join([*cells, safe_line(", ".join(plugin.offers))]).rstrip())
    for plugin in states:
        if plugin.reason:
            click.echo(f"\n{safe_line(plugin.reason)}")
        for use in plugin.deprecated:
            click.echo(f"\n{safe_line(f'{plugin} {use}')}")


def _row(plugin: PluginState) -> tuple[str, str, str, str]:
    """Return name, package, interface and state."""
    group = f"citewell.v{plugin.api}"
    return plugin.name, _package(plugin), group, _WORDS.get(plugin.state, plugin.state)


@command.command("show", epilog=examples("citewell plugins show embedded"))
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, config: Path | None, as_json: bool) -> None:
    """Show what the plugin NAME offers: each component's settings, and a section to paste."""
    registry = _registry(config)
    registry.named(name)
    states = [state for state in _states(config) if state.name == name]
    found = [_described(registry, state) for state in states]
    if as_json:
        click.echo(document("plugin", {"plugins": found}))
        return
    for state in states:
        click.secho(f"{state.name}  {_package(state)}  {state.state}", bold=True)
        if state.reason:
            click.echo(safe_line(state.reason))
        for offer in offered(registry, state):
            show_offer(offer)


def _described(registry: Registry, state: PluginState) -> dict[str, object]:
    offers = [offer_fields(offer) for offer in offered(registry, state)]
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
