"""`citewell data stats`: how many examples there are, and how long they are."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from citewell.cli.data.options import by_option, tokenizer_option
from citewell.cli.forms import document
from citewell.cli.options import examples
from citewell.cli.progress import staged_bar
from citewell.cli.wording import counted, safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.tuning.data.lengths import Lengths
    from citewell.tuning.data.loading import Loaded

_WIDTH = 40


@click.command(
    "stats",
    epilog=examples(
        "citewell data stats train.jsonl", "citewell data stats train.jsonl --tokenizer models/base"
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@by_option
@tokenizer_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(file: Path, by: str | None, tokenizer: Path | None, as_json: bool) -> None:
    """Show what FILE holds: its form, its examples, their documents, and how long they are.

    Without a tokenizer, a token is taken for four characters.
    """
    from citewell.tuning.data.lengths import counter, measured
    from citewell.tuning.data.loading import load

    count = counter(tokenizer)
    with staged_bar(sys.stderr) as told:
        loaded = load(file, lambda done: told("Reading", done, 0), by=by)
    if not loaded.rows and loaded.errors:
        raise ConfigError(loaded.errors[0].text)
    lengths = measured([count(one) for one in loaded.examples])
    if as_json:
        click.echo(document("data-stats", plain(loaded, lengths)))
        return
    click.secho(safe_line(sentence(loaded, lengths)), bold=True)
    if loaded.errors:
        click.echo(f"  {counted(len(loaded.errors), 'error')}; see: citewell data check")
    documents = Counter(name for one in loaded.examples for name in one.documents)
    if documents:
        click.echo(f"  of {counted(len(documents), 'document')}; the most from:")
        for name, number in documents.most_common(5):
            click.echo(f"    {number:>7,}  {safe_line(name)}")
    for name, number in sorted(_roles(loaded).items()):
        click.echo(f"  {number:,} messages of the {name}")
    if lengths is not None:
        click.echo(f"  tokens an example{'' if tokenizer else ', estimated'}:")
        _plot(lengths)


def plain(loaded: Loaded, lengths: Lengths | None) -> dict[str, Any]:
    """Return what is known of a file, as JSON holds it."""
    return {
        "file": str(loaded.path),
        "form": loaded.schema.name if loaded.schema else None,
        "kind": loaded.schema.kind.value if loaded.schema else None,
        "rows": loaded.rows,
        "examples": len(loaded.examples),
        "errors": len(loaded.errors),
        "documents": len({name for one in loaded.examples for name in one.documents}),
        "tokens": None if lengths is None else msgspec.to_builtins(lengths),
        "unused": dict(loaded.unused),
    }


def sentence(loaded: Loaded, lengths: Lengths | None) -> str:
    """Say in a line what a file holds."""
    if loaded.schema is None:
        return f"{loaded.path}: no example"
    said = f"{loaded.path}: {counted(len(loaded.examples), 'sound example')}"
    if loaded.rows != len(loaded.examples):
        said += f" of {counted(loaded.rows, 'row')}"
    said += f", {loaded.schema.name}"
    if lengths is None:
        return said
    return f"{said}; about {lengths.p50:,} tokens each, {lengths.longest:,} at most"


def _roles(loaded: Loaded) -> Counter[str]:
    return Counter(message.role for one in loaded.examples for message in one.messages)


def _plot(lengths: Lengths) -> None:
    most = max(number for _, number in lengths.bins)
    width = len(f"{lengths.bins[-1][0]:,}")
    for bound, number in lengths.bins:
        bar = "━" * (-(-_WIDTH * number // most))
        click.echo(f"    up to {bound:>{width},}  {bar:<{_WIDTH}}  {number:,}")
    click.echo(
        f"    the shortest {lengths.shortest:,}, half up to {lengths.p50:,}, 95% up to "
        f"{lengths.p95:,}, the longest {lengths.longest:,}; {lengths.total:,} in all"
    )
