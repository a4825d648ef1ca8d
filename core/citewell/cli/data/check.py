"""`citewell data check`: what is wrong with examples."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
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
    from citewell.tuning.data.inspecting import Limits
    from citewell.tuning.data.lengths import Lengths
    from citewell.tuning.data.loading import Loaded
    from citewell.tuning.data.problems import Problem

_SHOWN = 20


@click.command(
    "check",
    epilog=examples(
        "citewell data check train.jsonl",
        "citewell data check train.jsonl --validation valid.jsonl --questions questions.jsonl",
        "citewell data check train.csv --tokenizer models/base --context 2048",
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--validation",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Examples that a training is validated with: none of FILES may be like one of them.",
)
@click.option(
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Questions of an evaluation, which no example may ask.",
)
@by_option
@look_options
@click.option("--strict", is_flag=True, help="Fail also where there are only warnings.")
@click.option("--all", "is_all", is_flag=True, help=f"Show every problem, not {_SHOWN} a file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(files: tuple[Path, ...], by: str | None, as_json: bool, **options: Any) -> int:
    """Say what is wrong with the examples of FILES, line by line.

    An error keeps an example from being trained on: it cannot be read, its messages are out of
    order, it is empty or too long, it holds a control character or a secret, or it is in what the
    model is tested with. A warning can be meant so: it stands there twice, or holds personal data.

    Names of people are not looked for. The exit code is 1 where there is an error.
    """
    from citewell.tuning.data.inspecting import every_problem
    from citewell.tuning.data.loading import load

    names = ("validation", "questions", "strict", "is_all")
    validation, questions, strict, is_all = (options.pop(name) for name in names)
    with limits(Looked(**options)) as (wanted, missing), staged_bar(sys.stderr) as told:
        every = [load(path, lambda done: told("Reading", done, 0), by=by) for path in files]
        other = load(validation, by=by) if validation is not None else None
        sets = () if questions is None else (questions,)
        found = [(one, every_problem(one, other, sets, wanted, told)) for one in every]
        if other is not None:
            found.append((other, every_problem(other, None, sets, wanted, told)))
        if as_json:
            click.echo(document("data-check", fields(found, wanted, missing)))
        else:
            show(found, wanted, is_all=is_all)
    if not as_json and (note := not_looked_for(missing)):
        click.echo(f"note: {note}", err=True)
    problems = [one for _, each in found for one in each]
    return FAILED if any(one.is_error or strict for one in problems) else 0


def fields(
    found: Sequence[tuple[Loaded, list[Problem]]], wanted: Limits, missing: Sequence[str]
) -> dict[str, object]:
    """Return what was found in files, as JSON holds it."""
    from citewell.cli.data.stats import plain

    return {
        "files": [plain(one, _lengths(one, wanted)) for one, _ in found],
        "problems": [
            {
                "file": str(one.file),
                "line": one.line or None,
                "field": one.field or None,
                "concern": one.concern.value,
                "is_error": one.is_error,
                "said": one.said,
                "expected": one.expected,
                "fix": one.fix,
            }
            for _, problems in found
            for one in problems
        ],
        "not_looked_for": [*missing],
    }


def show(found: Sequence[tuple[Loaded, list[Problem]]], wanted: Limits, *, is_all: bool) -> None:
    """Say of each file what it holds, and what is wrong with it."""
    from citewell.cli.data.stats import sentence

    for loaded, problems in found:
        click.secho(safe_line(sentence(loaded, _lengths(loaded, wanted))), bold=True)
        for name, number in loaded.unused.items():
            click.echo(f"  not used: the field {safe_line(name)} of {counted(number, 'row')}")
        shown = problems if is_all else problems[:_SHOWN]
        for one in shown:
            _show_problem(one)
        if len(problems) > len(shown):
            click.echo(f"  {len(problems) - len(shown):,} more; see all with --all")
        click.echo(f"  {_counts(problems) or 'nothing is wrong'}")


def _lengths(loaded: Loaded, wanted: Limits) -> Lengths | None:
    from citewell.tuning.data.lengths import measured

    return measured([wanted.count(one) for one in loaded.examples])


def _show_problem(problem: Problem) -> None:
    word, colour = ("error", "red") if problem.is_error else ("warning", "yellow")
    click.secho(f"  {word}: ", fg=colour, nl=False)
    click.echo(safe_line(problem.text))


def _counts(problems: Sequence[Problem]) -> str:
    from citewell.tuning.data.inspecting import by_concern

    return ", ".join(_counted(problems, by_concern(problems)))


def _counted(problems: Sequence[Problem], concerns: dict[Any, int]) -> Iterator[str]:
    errors = sum(one.is_error for one in problems)
    warnings = len(problems) - errors
    parts = [f"{concern.value} {number:,}" for concern, number in concerns.items()]
    if errors:
        yield counted(errors, "error")
    if warnings:
        yield counted(warnings, "warning")
    if parts:
        yield f"of: {', '.join(parts)}"
