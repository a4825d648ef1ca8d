"""`citewell data preview`: examples as a model sees them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.data.options import by_option
from citewell.cli.options import examples
from citewell.cli.wording import counted, safe, safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.tuning.data.examples import Example


@click.command(
    "preview",
    epilog=examples(
        "citewell data preview train.jsonl",
        "citewell data preview train.jsonl --line 17",
        "citewell data preview train.jsonl -n 10 --random",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-n", "--number", type=click.IntRange(1), default=3, show_default=True, help="So many examples."
)
@click.option("--line", type=click.IntRange(1), help="The example of this line alone.")
@click.option("--random", "is_random", is_flag=True, help="Draw them instead of the first ones.")
@click.option("--seed", default=0, show_default=True, help="Another one draws others.")
@by_option
def command(
    file: Path, number: int, line: int | None, is_random: bool, seed: int, by: str | None
) -> None:
    """Show examples of FILE, message by message, whatever their form is."""
    from citewell.tuning.data.loading import load

    loaded = load(file, by=by)
    found = loaded.examples
    if line is not None:
        found = [one for one in found if one.line == line]
    elif is_random:
        drawn = random.Random(seed)  # noqa: S311 - a draw is no secret
        found = drawn.sample(found, min(number, len(found)))
    if not found:
        where = f"line {line} of {file}" if line is not None else str(file)
        raise ConfigError(
            f"{where} holds no sound example; expected one: run citewell data check {file}"
        )
    for one in found[:number]:
        _show(one)
    if loaded.errors:
        click.echo(
            f"note: {counted(len(loaded.errors), 'error')} elsewhere; "
            f"run: citewell data check {safe_line(str(file))}",
            err=True,
        )


def _show(example: Example) -> None:
    made = f", of {', '.join(example.documents)}" if example.documents else ""
    origin = f", from {example.origin}" if example.origin else ""
    click.secho(safe_line(f"line {example.line}{made}{origin}"), bold=True)
    for name, text in _said(example):
        click.secho(f"  {name}", fg="cyan")
        for part in safe(text).splitlines():
            click.echo(f"    {part}")
    click.echo()


def _said(example: Example) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = [(one.role, one.content) for one in example.messages]
    vote = "assistant, thumb up" if example.is_good else "assistant, thumb down"
    others = (
        ("text", example.text),
        ("assistant, better", example.chosen),
        ("assistant, worse", example.rejected),
        (vote, example.answer),
    )
    return said + [(name, text) for name, text in others if text]
