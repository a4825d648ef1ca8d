"""`citewell eval init`: a set of questions, from documents, a file, or the journal."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import Struct

from citewell.cli.forms import document
from citewell.cli.options import Where, examples, reader_option, share, where, where_options
from citewell.cli.use import complete_model, complete_profile
from citewell.cli.wording import safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.cli.eval.sets import Made

_MOST = 10_000


class Chosen(Struct, frozen=True, kw_only=True):
    """What the command line says.

    Attributes:
        number: of questions.
        from_file: questions to take over.
        held_out: share of the documents.
        several: share of the questions that need two documents.
        in_form: share of the questions that ask for a form.
        model: drafts the questions.
    """

    where: Where
    file: Path
    number: int
    from_file: Path | None
    from_journal: bool
    held_out: float
    several: float
    in_form: float
    model: str | None
    profile: str | None
    labels: tuple[str, ...]
    gaps: bool
    seed: int
    add: bool
    force: bool


@click.command(
    "init",
    epilog=examples(
        "citewell eval init",
        "citewell eval init --docs handbook/ --number 200 --hold-out-docs 20%",
        "citewell eval init --from questions.csv",
        "citewell eval init --model cloud --number 50",
        "citewell eval init asked.jsonl --from-journal",
    ),
)
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False), default=Path("questions.jsonl")
)
@where_options
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1, _MOST),
    default=100,
    show_default=True,
    help="So many questions, or as many as can be made.",
)
@click.option(
    "--from",
    "from_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take the questions of a CSV file, or of JSON lines.",
)
@click.option(
    "--from-journal",
    is_flag=True,
    help="Take what people asked and were not served with, as drafts.",
)
@click.option(
    "--hold-out-docs",
    "held_out",
    metavar="SHARE",
    callback=share,
    help="Leave out so many documents, like 20%: their questions become unanswerable.",
)
@click.option(
    "--several-docs",
    "several",
    metavar="SHARE",
    default="10%",
    show_default=True,
    callback=share,
    help="So many of the questions need two documents at once.",
)
@click.option(
    "--in-form",
    metavar="SHARE",
    default="10%",
    show_default=True,
    callback=share,
    help="So many of the questions ask for a form, like one sentence.",
)
@click.option(
    "-m",
    "--model",
    metavar="NAME",
    shell_complete=complete_model,
    help="Let this model write drafts; see: citewell eval review --help",
)
@click.option(
    "-p",
    "--profile",
    metavar="NAME",
    shell_complete=complete_profile,
    help="Profile whose documents are asked about; by default the one that answers.",
)
@reader_option
@click.option(
    "--gaps/--no-gaps",
    default=True,
    help="Fill up with sentences that have a gap, where too few questions can be made.",
)
@click.option("--seed", default=0, show_default=True, help="Another one makes another set.")
@click.option("--add", is_flag=True, help="Add to FILE; a question that it has stays as it is.")
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(file: Path, as_json: bool, **options: Any) -> None:
    """Make a set of questions, and write it to FILE, by default questions.jsonl.

    Without a model, questions are made of headings, definitions, tables and sentences, each with
    its answer and the text that holds it. Most repeat words of that text: they are marked as easy
    and reported apart. Without a settings file the folder is asked in which the command is run.

    Drafts of a model, and questions from the journal, are not asked before somebody accepts them.

    Some questions need two documents at once, and some ask for a form; the report shows both groups
    apart.

    With --hold-out-docs, some documents are left out, and the questions about them become
    unanswerable; each names the document, which is not to be found while it is asked.
    """
    from citewell.cli.eval.counting import counted_up, page
    from citewell.cli.eval.sets import made, merged
    from citewell.evaluation.questions import save_questions

    chosen = _chosen(file, options)
    found = asyncio.run(made(chosen))
    items = merged(found.items, file) if chosen.add else found.items
    if not items:
        raise ConfigError(_nothing(chosen, found))
    save_questions(file, items)
    counts = counted_up(items)
    if as_json:
        fields = {"file": str(file), **msgspec.to_builtins(counts), "dropped": dict(found.dropped)}
        click.echo(document("eval-init", fields))
        return
    from citewell.cli.printing import open_printer

    open_printer(sys.stdout).write(page(file, counts, found))


def _chosen(file: Path, options: dict[str, Any]) -> Chosen:
    config, docs = options.pop("config"), options.pop("docs")
    chosen = Chosen(where=_place(where(config, docs)), file=file, **options)
    sources = [
        name
        for name, is_given in (
            ("--from", chosen.from_file is not None),
            ("--from-journal", chosen.from_journal),
            ("--model", chosen.model is not None),
        )
        if is_given
    ]
    if len(sources) > 1:
        raise click.UsageError(
            f"{sources[0]} and {sources[1]} exclude each other; run one, then the other with --add"
        )
    if chosen.add and chosen.force:
        raise click.UsageError("--add and --force exclude each other")
    if file.exists() and not (chosen.add or chosen.force):
        raise ConfigError(
            f"{file} is there already; expected a new file: name another, or use --add or --force"
        )
    if not file.parent.is_dir():
        raise ConfigError(f"{file} cannot be written: there is no folder {file.parent}; make it")
    return chosen


def _place(named: Where) -> Where:
    """Return what was named, or else this folder where no settings file is near."""
    from citewell.engine.settings import find_config

    if named.config is None and named.docs is None and find_config(Path.cwd()) is None:
        click.echo("note: no citewell.toml is near; reading the documents of this folder", err=True)
        return Where(docs=Path())
    return named


def _nothing(chosen: Chosen, found: Made) -> str:
    if chosen.from_journal:
        return (
            "the journal holds no question that was not served; expected some with a thumb down, "
            "or without an answer: let people ask first"
        )
    dropped = "; ".join(f"{number} dropped: {reason}" for reason, number in found.dropped.items())
    return safe_line(
        "no question can be made of these documents; expected headings that ask, definitions, "
        "tables or English sentences that state a fact: write some, and use --from"
        + (f" ({dropped})" if dropped else "")
    )
