"""`citewell plugins check`: what the authors of plugins got wrong, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec import to_builtins

from citewell.cli.forms import document
from citewell.cli.options import FAILED, config_option, examples
from citewell.cli.wording import counted, safe_line


@click.command(
    "check", epilog=examples("citewell plugins check", "citewell plugins check mine --json")
)
@click.argument("name", required=False)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check(context: click.Context, name: str | None, config: Path | None, as_json: bool) -> None:
    """Check every plugin, or the plugin NAME: what its author got wrong.

    Each plugin is loaded as always, and a second time in a process of its own, where its costs are
    measured. The exit code is 1 when something is wrong. Contracts of citewell.testing check what
    a plugin does; this checks what it says.
    """
    from citewell.engine.plugin_checks import faults
    from citewell.engine.settings import find_config, load_registry

    registry = load_registry(config or find_config(Path.cwd()))
    states = registry.named(name) if name is not None else registry.plugins
    found = [fault for state in states for fault in faults(registry, state)]
    checked = [state.name for state in states if state.state != "off"]
    if as_json:
        fields = {"checked": checked, "faults": to_builtins(found)}
        click.echo(document("plugin-check", fields))
    else:
        for fault in found:
            click.secho(safe_line(str(fault)), fg="red")
        wrong = counted(len(found), "problem") if found else "nothing is wrong"
        click.echo(f"{counted(len(checked), 'plugin')} checked: {wrong}")
    if found:
        context.exit(FAILED)
