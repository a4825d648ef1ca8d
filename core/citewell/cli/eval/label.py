"""`citewell eval label`: a person says which of the last run's answers are right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click
import msgspec

from citewell.cli.forms import document
from citewell.cli.keys import Typed, typed_choices
from citewell.cli.options import Where, config_option, examples
from citewell.cli.page import Line, Look, Piece, Row, quoted
from citewell.cli.wording import counted, safe, safe_line
from citewell.errors import CitewellError

if TYPE_CHECKING:
    from citewell.engine.settings import Settings
    from citewell.evaluation.sitting import Counts, Sitting
    from citewell.types.evaluation import EvalItem, Response

_Word: TypeAlias = Literal["right", "wrong", "skip", "back", "quit"]
_WORDS: tuple[_Word, ...] = ("right", "wrong", "skip", "back", "quit")
_AT_THE_END: tuple[_Word, ...] = ("back", "quit")
_WITHOUT_BACK: tuple[_Word, ...] = ("right", "wrong", "skip", "quit")
_INDENT = " " * 12


@click.command(
    "label",
    epilog=examples(
        "citewell eval label",
        "citewell eval label --number 60",
        "citewell eval label --questions questions.jsonl",
    ),
)
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1, 100_000),
    default=30,
    show_default=True,
    help="So many answers are to have a label, with those that have one already.",
)
@click.option(
    "-q",
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The questions of the last run; by default those of the settings, or questions.jsonl.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON document.")
@config_option
def command(number: int, questions: Path | None, as_json: bool, config: Path | None) -> None:
    """Say which answers of the last run are right, so that a report can tell which scores are.

    Shows one answer after the other, with its question, what is expected and its quotes, but not
    which arm gave it, nor any score. Type r where it is right, w where it is wrong, s where nobody
    can tell, b to go back to the one before, q to quit. Each label is saved at once, and the
    command goes on where it was when it is run again.

    Half of the answers, as long as there are such, are to questions on which arms disagree.
    """
    with _opened(Where(config).settings(), questions) as sitting:
        with typed_choices() as typed:
            # What is for programs stands alone on standard output.
            _label(sitting, number, typed, err=as_json)
        counts = sitting.counts(wanted=number)
    if as_json:
        click.echo(document("eval-label", msgspec.to_builtins(counts)))
        return
    for line in _said(counts):
        click.echo(safe_line(line))


@contextmanager
def _opened(settings: Settings, questions: Path | None) -> Iterator[Sitting]:
    """Open what was answered in the last run, and what is labelled of it.

    Raises:
        CitewellError: nothing was answered, or it cannot be told what was expected.
    """
    from citewell.cli.user import user_name
    from citewell.evaluation.answers import open_answers
    from citewell.evaluation.labelling import LastRun, drawn
    from citewell.evaluation.questions import load_questions
    from citewell.evaluation.session import (
        answers_path,
        labels_path,
        load_report,
        questions_path,
        report_path,
    )
    from citewell.evaluation.sitting import Sitting
    from citewell.journal.records import storable

    report = load_report(report_path(settings))
    items = load_questions(questions or questions_path(settings))
    candidates = drawn(report, settings.evaluation.seed)
    if not candidates:
        raise CitewellError("the last run gave no answer to label; run: citewell eval run")
    with open_answers(answers_path(settings)) as answers:
        last_run = LastRun(report, [item for item in items if not item.is_draft], answers)
        yield Sitting(last_run, candidates, labels_path(settings), who=storable(user_name()))


def _label(sitting: Sitting, number: int, typed: Typed, *, err: bool) -> None:
    """Ask about one answer after the other, until so many are labelled or somebody quits."""
    from citewell.cli.printing import open_printer

    printer = open_printer(sys.stderr if err else sys.stdout)
    while True:
        found = sitting.next(wanted=number)
        if found is not None:
            printer.write(_shown(*found, f"{sitting.labelled + 1:,} of {number:,}"))
        elif not sitting.has_before:
            return
        asked = _WORDS if sitting.has_before else _WITHOUT_BACK
        choices = _AT_THE_END if found is None else asked
        word = _chosen(choices, typed, err=err)
        if word == "quit":
            return
        if word == "back":
            sitting.back()
        elif word == "skip":
            sitting.skip()
        else:
            sitting.say(word)


def _shown(item: EvalItem, response: Response, position: str) -> Iterator[Row]:
    from citewell.evaluation.showing import expected_of, sources_of

    yield Line()
    yield Line((Piece(position, Look.FAINT),))
    yield Line((Piece(safe_line(item.question), Look.STRONG),))
    expected = safe_line(expected_of(item)) or "(see the question set)"
    yield Line((Piece(expected),), "  expected  ", _INDENT)
    text = "(it says that the documents do not say)" if response.refuses else response.text.strip()
    yield Line((Piece(safe(text)),), "  answer    ", _INDENT)
    for source in sources_of(response):
        named = ", ".join(filter(None, (source.document_id, source.place)))
        yield Line((Piece(safe_line(named), Look.FAINT),), "  quoted    ", _INDENT)
        yield from quoted(source.quote, _INDENT)


def _chosen(choices: tuple[_Word, ...], typed: Typed, *, err: bool) -> _Word:
    """Ask until one of the words is chosen; the end of what is typed quits."""
    prompt = ", ".join(f"[{word[0]}]{word[1:]}" for word in choices)
    named: dict[str, _Word] = {name: word for word in choices for name in (word, word[0])}
    while True:
        click.echo(f"{prompt} > ", nl=False, err=err)
        read = typed()
        given = "quit" if read is None else read.strip().lower()
        word = named.get(given)
        click.echo(word or safe_line(given), err=err)
        if word is not None:
            return word


def _said(counts: Counts) -> Iterator[str]:
    yield (
        f"{counted(counts.labelled, 'answer')} labelled: {counts.right:,} right, "
        f"{counts.wrong:,} wrong; they are in {counts.file}"
    )
    if counts.gone:
        yield (
            f"{counted(counts.gone, 'answer')} of the last run not kept any more; "
            "run: citewell eval run"
        )
    if counts.labelled < counts.wanted:
        yield f"{counts.wanted - counts.labelled:,} more would make {counts.wanted:,}"
    yield "how far scores agree with them: citewell eval report"
