"""`citewell eval review`: a person accepts drafts, changes them, or drops them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from citewell.cli.options import examples
from citewell.cli.wording import counted, safe, safe_line
from citewell.types.evaluation import EvalItem

_CHOICES = "[a]ccept, [e]dit, [n]ot in the documents, [d]rop, [s]kip, [q]uit"
_LETTERS = ("a", "e", "n", "d", "s", "q")


@click.command("review", epilog=examples("citewell eval review questions.jsonl"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def command(file: Path) -> None:
    """Go through the drafts of FILE; what is decided is saved after each.

    A draft is asked only once it is accepted. One that somebody edits is accepted as it is then;
    one that the documents do not answer becomes a question whose right answer is to say so.
    """
    from citewell.evaluation.questions import load_questions

    items = load_questions(file)
    drafts = [item.id for item in items if item.is_draft]
    if not drafts:
        click.echo("there is no draft to look at")
        return
    decided = 0
    for number, id_ in enumerate(drafts, 1):
        index = next(at for at, item in enumerate(items) if item.id == id_)
        _show(items[index], f"{number} of {len(drafts)}")
        found = _decided(items, index)
        if found is None:
            break
        if [*found] != items:
            decided += 1
            items = [*found]
            _save(file, items)
    left = sum(item.is_draft for item in items)
    click.echo(f"{counted(decided, 'draft')} decided, {left:,} left")


def _save(file: Path, items: Sequence[EvalItem]) -> None:
    from citewell.evaluation.questions import save_questions

    save_questions(file, items)


def _show(item: EvalItem, position: str) -> None:
    click.echo()
    click.secho(f"{position}  {item.origin}: {', '.join(item.slices)}", dim=True)
    click.secho(safe_line(item.question), bold=True)
    answers = "(the documents do not say)" if item.unanswerable else " | ".join(item.answers)
    click.echo(f"  answer    {safe_line(answers) or '(none is known)'}")
    for name in item.documents:
        click.echo(f"  document  {safe_line(name)}")
    for quote in item.quotes:
        shown = "\n            ".join(safe(quote).splitlines())
        click.echo(f"  evidence  {shown}")


def _decided(items: Sequence[EvalItem], index: int) -> Sequence[EvalItem] | None:
    """Ask until something right is decided; return the set as it is then, None to quit."""
    while True:
        item = items[index]
        letter = click.prompt(
            _CHOICES, type=click.Choice(_LETTERS), show_choices=False, prompt_suffix=" > "
        )
        if letter == "q":
            return None
        if letter == "s":
            return items
        if letter == "d":
            return [*items[:index], *items[index + 1 :]]
        changed = _changed(item, letter)
        problem = _problem(changed, [*items[:index], *items[index + 1 :]])
        if problem is None:
            return [*items[:index], changed, *items[index + 1 :]]
        click.echo(f"  {safe_line(problem)}")


def _changed(item: EvalItem, letter: str) -> EvalItem:
    if letter == "n":
        return replace(
            item, is_draft=False, unanswerable=True, answers=(), figures=(), quotes=(), documents=()
        )
    return replace(_edited(item) if letter == "e" else item, is_draft=False)


def _edited(item: EvalItem) -> EvalItem:
    """Let somebody write question and answers; a figure belongs to the answer that was there."""
    question = click.prompt("  question", default=item.question).strip()
    if item.unanswerable:
        return replace(item, question=question)
    before = " | ".join(item.answers)
    written = click.prompt("  answers, with | between", default=before)
    answers = tuple(filter(None, (part.strip() for part in written.split("|"))))
    figures = item.figures if answers == item.answers else ()
    return replace(item, question=question, answers=answers, figures=figures)


def _problem(item: EvalItem, others: Sequence[EvalItem]) -> str | None:
    """Return why `item` cannot be asked, or None."""
    from citewell.evaluation.expecting import problems

    if any(other.question.split() == item.question.split() for other in others):
        return "another question of the set asks the same; drop one of them"
    return next(problems(item), None)
