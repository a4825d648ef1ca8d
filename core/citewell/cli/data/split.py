"""`citewell data split`: examples parted by the documents that they are from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from citewell.cli.data.options import by_option
from citewell.cli.forms import document
from citewell.cli.options import examples, share
from citewell.cli.progress import staged_bar
from citewell.cli.wording import counted, safe_line
from citewell.errors import ConfigError


@click.command(
    "split",
    epilog=examples(
        "citewell data split all.jsonl",
        "citewell data split all.csv --by source --validation 10% --test 10%",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--validation",
    metavar="SHARE",
    default="10%",
    show_default=True,
    callback=share,
    help="So many of the examples validate a training.",
)
@click.option(
    "--test",
    metavar="SHARE",
    default="0%",
    show_default=True,
    callback=share,
    help="So many of the examples are kept for a test.",
)
@by_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the files are written; by default beside FILE.",
)
@click.option("--seed", default=0, show_default=True, help="Another one draws another split.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(file: Path, by: str | None, as_json: bool, **options: Any) -> None:
    """Part the examples of FILE into FILE-train, FILE-validation and FILE-test.

    All examples of a document are in one part, and so are those that other examples join: a model
    that is tested on a document it learnt shows what it knows by heart. Each row has to name its
    document, in the field documents or in that of --by.
    """
    from citewell.tuning.data.loading import load_sound
    from citewell.tuning.data.splitting import split
    from citewell.tuning.data.writing import check_new, save

    shares = {name: options[name] for name in ("validation", "test") if options[name]}
    if not shares or sum(shares.values()) >= 1:
        raise click.UsageError(
            "the shares leave nothing to train on, or nothing to test with; expected more than 0% "
            "and less than 100% together"
        )
    folder = options["out"] or file.parent
    paths = {name: folder / f"{file.stem}-{name}.jsonl" for name in ("train", *shares)}
    for path in paths.values():
        check_new(path, file, force=options["force"])
    with staged_bar(sys.stderr) as told:
        loaded = load_sound(file, lambda done: told("Reading", done, 0), by=by)
    try:
        parts = split(loaded.examples, shares, seed=options["seed"])
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    for name, path in paths.items():
        save(path, parts[name])
    documents = {
        name: len({each for one in found for each in one.documents})
        for name, found in parts.items()
    }
    if as_json:
        fields: dict[str, object] = {
            "file": str(file),
            "seed": options["seed"],
            "parts": {
                name: {
                    "file": str(path),
                    "examples": len(parts[name]),
                    "documents": documents[name],
                }
                for name, path in paths.items()
            },
        }
        click.echo(document("data-split", fields))
        return
    for name, path in paths.items():
        number = len(parts[name])
        click.secho(safe_line(str(path)), bold=True, nl=False)
        click.echo(
            f": {counted(number, 'example')} ({number / len(loaded.examples):.0%}) "
            f"of {counted(documents[name], 'document')}"
        )
