"""`citewell tune init`: writes a recipe to begin with."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import cast

import click

from citewell.cli.options import examples
from citewell.cli.tune.starters import TASKS, Task, recipe_text
from citewell.cli.wording import safe_line
from citewell.errors import ConfigError


@click.command(
    "init",
    epilog=examples(
        "citewell tune init", "citewell tune init sort.toml --task classifier --base models/small"
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--task",
    type=click.Choice(TASKS),
    default=TASKS[0],
    show_default=True,
    help="What the model is to do: answer with citations; sort or extract.",
)
@click.option(
    "--base", default="models/base", show_default=True, help="Folder of the model, from here."
)
@click.option("--force", is_flag=True, help="Replace FILE.")
def command(file: Path | None, task: str, base: str, force: bool) -> None:
    """Write a recipe with comments into FILE, by default TASK.toml.

    Begin with retrieval, and train only where a measurement on your own questions says so.
    """
    from citewell.engine.replacing import replace_content

    path = file or Path(f"{task}.toml")
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already; --force replaces it")
    text = recipe_text(cast("Task", task), base=_seen_from(path.parent, base))
    replace_content(path, text.encode())
    said, typed = safe_line(str(path)), safe_line(shlex.quote(str(path)))
    click.echo(f"wrote {said}; name your data in it, then run: citewell tune check {typed}")


def _seen_from(folder: Path, base: str) -> str:
    """Return where the base is from a recipe, whose paths start at its own folder."""
    if Path(base).expanduser().is_absolute():
        return base
    return Path(os.path.relpath(base, folder)).as_posix()
