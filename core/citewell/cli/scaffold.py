"""`citewell plugins new`: begins a plugin, as a package or as one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.forms import document
from citewell.cli.options import examples
from citewell.cli.wording import safe, safe_line
from citewell.scaffolding.kinds import KINDS

if TYPE_CHECKING:
    from citewell.scaffolding.writing import Written


@click.command(
    "new",
    epilog=examples(
        "citewell plugins new intranet --kind retriever",
        'citewell plugins new wiki --kind source --folder plugins --author "Ada Lovelace"',
        "citewell plugins new log --kind loader --single-file",
    ),
)
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), help="What it offers.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where it is written; default: here.",
)
@click.option("--author", default="", help="Who writes it.")
@click.option("--description", default="", help="What it does, in a few words.")
@click.option(
    "--single-file", is_flag=True, help="Write one short file, which settings name by its path."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def new(
    name: str, *, kind: str | None, folder: Path, single_file: bool, as_json: bool, **said: str
) -> None:
    """Begin the plugin NAME: one that works and passes its tests at once, for you to change.

    A package, citewell-NAME, holds the component, its contract test, an example that uses it, and
    what checks it on GitHub. Without a terminal nothing is asked, and nothing is ever written over.
    """
    from citewell.cli.main import COMMANDS
    from citewell.engine.registry import Registry
    from citewell.scaffolding.naming import checked
    from citewell.scaffolding.writing import Order, write_file, write_package

    kind = kind or _asked()
    order = Order(
        names=checked(name, kind, Registry.load(), commands=frozenset(COMMANDS)),
        kind=kind,
        folder=folder,
        author=said["author"],
        description=said["description"].rstrip("."),
    )
    written = write_file(order) if single_file else write_package(order)
    if as_json:
        click.echo(document("plugin-new", {"name": name, "kind": kind, **_fields(written)}))
    else:
        _show(written)


def _asked() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"there is no terminal to ask at; give --kind, one of: {', '.join(KINDS)}"
        )
    click.echo("What does it offer?")
    for name, kind in KINDS.items():
        click.echo(f"  {name.ljust(max(map(len, KINDS)))}  {kind.description}")
    answer: str = click.prompt("Kind", type=click.Choice(list(KINDS)), show_choices=False)
    return answer


def _fields(written: Written) -> dict[str, object]:
    return {
        "path": str(written.path),
        "files": [str(path) for path in written.files],
        "next": list(written.next),
        "settings": written.settings,
    }


def _show(written: Written) -> None:
    count = len(written.files)
    click.echo(f"wrote {safe_line(str(written.path))}" + (f": {count} files" if count > 1 else ""))
    click.echo("next:")
    for command in written.next:
        click.echo(f"  {safe_line(command)}")
    click.echo("\nused in citewell.toml:\n")
    click.echo(safe(written.settings), nl=False)
