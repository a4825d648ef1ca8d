"""`citewell fit`: finds how much words weigh beside vectors, on a user's own questions."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.forms import document
from citewell.cli.options import FAILED, Where, config_option, examples
from citewell.cli.wording import counted, safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.cli.page import Row
    from citewell.engine.settings import Settings
    from citewell.evaluation.fitting import Fit
    from citewell.fusion import Fusion
    from citewell.protocols import Retriever
    from citewell.types.evaluation import EvalItem

_LEAST = 20
"""Of fewer questions no half says anything."""

_SHOWN = 3
"""Names that are shown of many."""


@click.command(
    "fit",
    epilog=examples(
        "citewell fit main --questions questions.jsonl",
        "citewell fit main --questions questions.jsonl --write",
    ),
)
@click.argument("retriever")
@click.option(
    "-q",
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    required=True,
    help="Questions with what is to be found: a JSON object a line.",
)
@click.option("--write", is_flag=True, help="Change the settings, if the fitted weight holds.")
@click.option("--seed", default=0, show_default=True, help="Of the drawing of the two halves.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(
    retriever: str, questions: Path, write: bool, seed: int, as_json: bool, config: Path | None
) -> int:
    """Fit the weight of words beside vectors for RETRIEVER.

    One half of the questions chooses the weight, the other half judges it. A line of the file is
    like {"question": "How long is parental leave?", "documents": ["leave.md"]}; with "quotes", a
    right passage contains one of them.

    The exit code is 1 when the fitted weight is, on the other half, worse than words or vectors
    alone; the settings stay as they are then.
    """
    found = asyncio.run(_fitted(Where(config).settings(), retriever, questions, seed))
    if as_json:
        click.echo(document("fit", _described(retriever, found)))
    else:
        from citewell.cli.printing import open_printer

        open_printer(sys.stdout).write(_page(found))
    if not found.holds:
        click.echo("the fitted weight does not hold on other questions", err=True)
        return FAILED
    if write:
        _write(config, retriever, found.fusion)
    elif not as_json:
        click.echo(f"to use it: citewell fit {retriever} --questions {questions} --write")
    return 0


async def _fitted(settings: Settings, name: str, file: Path, seed: int) -> Fit:
    from citewell.cli.progress import counting_bar
    from citewell.engine.runtime import open_runtime
    from citewell.evaluation.fitting import fit, gathered
    from citewell.evaluation.ranking import need_statistics
    from citewell.protocols import CatchingUpRetriever, HybridRetriever
    from citewell.types.questions import Audience

    need_statistics("citewell fit")
    questions = placed_questions(file)
    if len(questions) < _LEAST:
        raise ConfigError(
            f"{file}: holds {counted(len(questions), 'question')}; expected at least {_LEAST}, of "
            "which one half chooses the weight and the other half judges it"
        )
    async with open_runtime(settings) as runtime:
        retriever = await runtime.retriever(name)
        if not isinstance(retriever, HybridRetriever):
            raise ConfigError(
                f'retriever "{name}" does not find by words and by vectors; there is nothing to fit'
            )
        await tell_unknown(file, questions, retriever)
        audience = Audience.of(*sorted(settings.reads))
        if isinstance(retriever, CatchingUpRetriever):
            # A weight that is fitted while some passages have no vector would lean on words.
            with counting_bar(sys.stderr, "Embedding", "passages") as told:
                await retriever.catch_up(told)
        with counting_bar(sys.stderr, "Asking", "questions") as told:
            halves = await gathered(retriever, questions, audience, told)
        if not any(one.is_answerable for one in halves):
            raise ConfigError(
                f"{file}: for no question is a right passage found, by words or by vectors; "
                '"documents" holds names like "leave.md" or "handbook:leave.md", "quotes" what a '
                "passage says, and both must be readable with the labels under `reads`"
            )
        return fit(halves, retriever.fusion, seed=seed)


def placed_questions(file: Path) -> list[EvalItem]:
    """Return the questions in `file` that tell what is to be found; say how many do not.

    Raises:
        ConfigError: the file is wrong, or none does.
    """
    from citewell.evaluation.questions import load_questions, placed

    found, others = placed(file, load_questions(file))
    if others:
        click.echo(
            f"note: {file}: {counted(others, 'question')} left out that cannot tell what is to be "
            "found",
            err=True,
        )
    return found


async def tell_unknown(file: Path, questions: Sequence[EvalItem], retriever: Retriever) -> None:
    """Say which documents of the questions in `file` are not indexed, for none finds them."""
    from citewell.evaluation.questions import unknown

    names = unknown(questions, await retriever.versions())
    if names:
        shown = safe_line(", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else ""))
        click.echo(
            f"note: {file} names {counted(len(names), 'document')} that the index does not have, "
            f"and that count as not found: {shown}",
            err=True,
        )


def _described(name: str, found: Fit) -> dict[str, object]:
    from msgspec import to_builtins

    return {
        "retriever": name,
        "fusion": found.fusion.model_dump(),
        "fitted_on": found.fitted_on,
        "judged_on": found.judged_on,
        "holds": found.holds,
        "rows": to_builtins(found.rows),
    }


def _page(found: Fit) -> Iterator[Row]:
    from citewell.cli.page import Grid, Line, Look, Piece

    said = f"fitted on {counted(found.fitted_on, 'question')}, judged on {found.judged_on} others"
    yield Line((Piece(said, Look.FAINT),))
    names = ("", "nDCG@10", "beside the better of the two", "95% interval")
    rows = (
        (
            row.name,
            f"{row.score.mean:.3f}",
            f"{row.beside.mean:+.3f}",
            f"{row.beside.low:+.3f} to {row.beside.high:+.3f}",
        )
        for row in found.rows
    )
    yield Grid(
        tuple((Piece(name, Look.STRONG),) for name in names),
        tuple(tuple((Piece(cell),) for cell in row) for row in rows),
    )


def _write(config: Path | None, name: str, fusion: Fusion) -> None:
    import tomlkit

    from citewell.cli.use import settings_document, settings_file
    from citewell.engine.settings import save_settings

    path = settings_file(config)
    text = settings_document(path)
    table = tomlkit.inline_table()
    table.update(fusion.model_dump())
    text["retriever"][name]["fusion"] = table
    save_settings(path, text.as_string())
    click.echo(f"{safe_line(str(path))}: retriever.{name}.fusion is changed")
