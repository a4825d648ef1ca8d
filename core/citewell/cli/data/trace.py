"""`citewell data trace`: where examples came from."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citewell.cli.forms import document
from citewell.cli.options import (
    FAILED,
    Where,
    config_option,
    examples,
    profile_option,
    reader_option,
)
from citewell.cli.wording import counted, place_in, safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.tuning.building.tracing import Trace
    from citewell.tuning.data.examples import Example


@click.command(
    "trace",
    epilog=examples(
        "citewell data trace train.jsonl --line 17", "citewell data trace train.jsonl --sample 20"
    ),
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--line", type=click.IntRange(1), help="The example of this line alone.")
@click.option("--sample", type=click.IntRange(1), metavar="NUMBER", help="So many, drawn.")
@click.option("--seed", default=0, show_default=True, help="Another one draws others.")
@profile_option
@reader_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    file: Path,
    line: int | None,
    sample: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Look up the passages and answers that the examples of FILE came from.

    The exit code is 1 where something is not there any more, says something else by now, or may not
    be read by this reader.
    """
    from citewell.tuning.data.loading import load

    seed = options.pop("seed")
    found = [one for one in load(file).examples if line in {None, one.line}]
    if sample is not None:
        drawn = random.Random(seed)  # noqa: S311 - a draw is no secret
        found = sorted(drawn.sample(found, min(sample, len(found))), key=lambda one: one.line)
    if not found:
        where = f"line {line} of {file}" if line is not None else str(file)
        raise ConfigError(
            f"{where} holds no sound example; expected one: run citewell data check {file}"
        )
    traces = asyncio.run(_traced(found, **options))
    if as_json:
        click.echo(document("data-trace", {"examples": [*map(_plain, traces)]}))
    else:
        for trace in traces:
            _show(trace)
        lost = sum(not trace.is_whole for trace in traces)
        click.echo(f"{counted(len(traces), 'example')} looked up, {lost:,} not as it was")
    return 0 if all(trace.is_whole for trace in traces) else FAILED


async def _traced(
    found: list[Example],
    *,
    profile: str | None,
    labels: tuple[str, ...],
    config: Path | None,
) -> list[Trace]:
    from citewell.cli.assisting import named_profile, reader, spool
    from citewell.engine.runtime import open_runtime
    from citewell.journal.journal import Journal, journal_url
    from citewell.tuning.building.tracing import Tracer

    settings = Where(config).settings()
    name = settings.profiles[named_profile(profile, settings)].retriever
    if name is None:
        raise ConfigError(
            "the profile has no retriever; expected one that holds the documents: name it with "
            "--profile"
        )
    url = journal_url(settings.journal_url, settings.data_dir)
    with Journal.open(url, spool(settings)) as journal:
        async with open_runtime(settings) as runtime:
            retriever = await runtime.retriever(name)
            tracer = Tracer(retriever, reader(labels, settings), journal.find)
            return [await tracer.trace(one) for one in found]


def _show(trace: Trace) -> None:
    example = trace.example
    teaches = f": {example.teaches}" if example.teaches else ""
    click.secho(safe_line(f"line {example.line}{teaches}"), bold=True)
    for passage in trace.passages:
        place = place_in(passage.title, passage.place)
        click.echo(safe_line(f"  {passage.document_id}, {place}" if place else f"  {passage.id}"))
    for record in trace.answers:
        click.echo(safe_line(f"  answer {record.id} of {record.asked_at[:10]}: {record.question}"))
    for name in trace.documents:
        click.echo(safe_line(f"  {name}, which does not say it, or is left out"))
    for name in trace.gone:
        click.echo(safe_line(f"  not there any more, or not for this reader: {name}"))
    if not trace.gone and not trace.is_whole:
        click.echo("  it does not say what it was made from")


def _plain(trace: Trace) -> dict[str, object]:
    return {
        "line": trace.example.line,
        "teaches": trace.example.teaches or None,
        "passages": [
            {"id": one.id, "document": one.document_id, "title": one.title}
            for one in trace.passages
        ],
        "documents": [*trace.documents],
        "answers": [one.id for one in trace.answers],
        "gone": [*trace.gone],
    }
