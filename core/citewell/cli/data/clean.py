"""`citewell data clean`: the sound examples of a file, each once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citewell.cli.data.options import by_option, look_options, not_looked_for
from citewell.cli.forms import document
from citewell.cli.options import FAILED, examples
from citewell.cli.progress import staged_bar
from citewell.cli.wording import counted, safe_line
from citewell.tuning.data.looking import Looked, limits

if TYPE_CHECKING:
    from citewell.tuning.data.cleaning import Cleaned

_SHOWN = 10


@click.command(
    "clean",
    epilog=examples(
        "citewell data clean raw.csv train.jsonl",
        "citewell data clean raw.jsonl train.jsonl --drop-personal --context 2048",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@by_option
@look_options
@click.option("--drop-personal", is_flag=True, help="Leave out what holds personal data.")
@click.option("--force", is_flag=True, help="Replace OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    file: Path,
    out: Path,
    by: str | None,
    drop_personal: bool,
    force: bool,
    as_json: bool,
    **looked: Any,
) -> int:
    """Write the examples of FILE that can be trained on to OUT, as JSON lines.

    Control characters and blanks around texts are taken out. Left out is what has an error, what
    stands there twice or nearly, what is too long and what holds a secret; each is told with its
    line. FILE stays as it is.
    """
    from citewell.tuning.data.cleaning import clean
    from citewell.tuning.data.loading import load
    from citewell.tuning.data.writing import check_new, save

    check_new(out, file, force=force)
    with limits(Looked(**looked)) as (wanted, missing), staged_bar(sys.stderr) as told:
        loaded = load(file, lambda done: told("Reading", done, 0), by=by)
        cleaned = clean(
            loaded,
            wanted,
            keeps_personal=not drop_personal,
            told=lambda done, of: told("Cleaning", done, of),
        )
    if cleaned.examples:
        save(out, cleaned.examples)
    if as_json:
        fields: dict[str, object] = {
            "file": str(file),
            "out": str(out) if cleaned.examples else None,
            "examples": len(cleaned.examples),
            "mended": cleaned.mended,
            "dropped": [
                {"line": one.line or None, "concern": one.concern.value, "said": one.said}
                for one in cleaned.dropped
            ],
            "not_looked_for": missing,
        }
        click.echo(document("data-clean", fields))
        return 0 if cleaned.examples else FAILED
    if note := not_looked_for(missing):
        click.echo(f"note: {note}", err=True)
    _show(file, out, cleaned)
    return 0 if cleaned.examples else FAILED


def _show(file: Path, out: Path, cleaned: Cleaned) -> None:
    for one in cleaned.dropped[:_SHOWN]:
        where = f"line {one.line}" if one.line else str(file)
        click.echo(safe_line(f"left out: {where}: {one.said}"))
    if len(cleaned.dropped) > _SHOWN:
        click.echo(f"{len(cleaned.dropped) - _SHOWN:,} more left out; see all with --json")
    if not cleaned.examples:
        said = f"nothing of {file} is left; {out} is not written"
        click.echo(f"error: {safe_line(said)}", err=True)
        return
    reasons = ", ".join(f"{concern.value} {n:,}" for concern, n in cleaned.reasons.most_common())
    said = f"{out}: {counted(len(cleaned.examples), 'example')}"
    click.secho(safe_line(said), bold=True, nl=False)
    click.echo(
        f", {cleaned.mended:,} mended, {len(cleaned.dropped):,} left out"
        + (f" ({reasons})" if reasons else "")
    )
