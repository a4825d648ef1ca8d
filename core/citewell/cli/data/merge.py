"""`citewell data merge`: files of examples, whatever their forms, as one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from citewell.cli.data.options import by_option
from citewell.cli.forms import document
from citewell.cli.options import examples
from citewell.cli.progress import staged_bar
from citewell.cli.wording import counted, safe_line
from citewell.errors import ConfigError


@click.command("merge", epilog=examples("citewell data merge chat.jsonl alpaca.csv all.jsonl"))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@by_option
@click.option("--force", is_flag=True, help="Replace OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(files: tuple[Path, ...], out: Path, by: str | None, force: bool, as_json: bool) -> None:
    """Write the examples of FILES to OUT in one form, each once.

    The forms of the files may differ, what they teach may not: conversations, plain text,
    preferences and votes are kept apart. Where one file has an error, nothing is written.
    """
    from citewell.tuning.data.likeness import twins
    from citewell.tuning.data.loading import load_sound
    from citewell.tuning.data.writing import check_new, save

    check_new(out, *files, force=force)
    with staged_bar(sys.stderr) as told:
        loaded = [load_sound(path, lambda done: told("Reading", done, 0), by=by) for path in files]
    kinds = {one.schema.kind: one.path for one in loaded if one.schema is not None}
    if len(kinds) > 1:
        said = ", ".join(f"{path} holds {kind.value} examples" for kind, path in kinds.items())
        raise ConfigError(f"{said}; expected one kind: merge them apart")
    every = [example for one in loaded for example in one.examples]
    twice = {id(twin.example) for twin in twins(every, is_near=False)}
    kept = [example for example in every if id(example) not in twice]
    save(out, kept)
    if as_json:
        fields: dict[str, object] = {
            "files": [{"file": str(one.path), "examples": len(one.examples)} for one in loaded],
            "out": str(out),
            "examples": len(kept),
            "duplicates": len(twice),
        }
        click.echo(document("data-merge", fields))
        return
    click.secho(safe_line(str(out)), bold=True, nl=False)
    left_out = f", {len(twice):,} left out as they stand there twice" if twice else ""
    click.echo(f": {counted(len(kept), 'example')} of {counted(len(files), 'file')}{left_out}")
