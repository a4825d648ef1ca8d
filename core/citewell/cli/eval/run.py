"""`citewell eval run`: asks every arm every question, and says which to take."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from citewell.cli.options import FAILED, Where, config_option, examples, reader_option
from citewell.cli.wording import counted, safe_line
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from citewell.engine.runtime import Runtime
    from citewell.engine.settings import Settings
    from citewell.evaluation.asking import Progress, Terms
    from citewell.evaluation.session import Outcome
    from citewell.types.evaluation import EvalItem


_RENEWED = 0.9
"""Of the age at which the gate finds an answer too old, so much renews it."""


class Chosen(Struct, frozen=True, kw_only=True):
    """What the command line says."""

    where: Where
    arms: tuple[str, ...]
    questions: Path | None
    max_cost: float | None
    max_age: float | None
    at_once: int
    labels: tuple[str, ...]
    asks_leaked: bool


def _names(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in (value or "").split(","))))


def _finite(
    _context: click.Context, _parameter: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no amount; expected a number, like 2.5")
    return value


@click.command(
    "run",
    epilog=examples(
        "citewell eval run",
        "citewell eval run --arms base,rag --questions questions.jsonl",
        "citewell eval run --max-cost 2.50 --at-once 4",
        "citewell eval run --max-age 7",
    ),
)
@click.option(
    "--arms",
    metavar="NAMES",
    callback=_names,
    help="Arms of the settings or profiles, with commas between; by default all arms.",
)
@click.option(
    "-q",
    "--questions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The questions; by default those of the settings, or questions.jsonl.",
)
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    callback=_finite,
    metavar="AMOUNT",
    help="End before the run costs more, in the currency of the models' prices, if no answer is "
    "dearer than those of its model before. A model without a price is given up.",
)
@click.option(
    "--max-age",
    type=click.FloatRange(min=0, max=36_500),
    callback=_finite,
    metavar="DAYS",
    help="Ask again what was answered longer ago; by default what [gate] soon finds too old.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Questions to one model elsewhere at the same time.",
)
@click.option(
    "--ask-leaked", "asks_leaked", is_flag=True, help="Ask also what stands in the training data."
)
@reader_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@config_option
def command(*, config: Path | None, as_json: bool, **options: Any) -> int:
    """Ask every arm every question once, and say which arm to take.

    Answers are kept as they come: what is interrupted goes on where it was, and nothing is asked
    twice while neither the question, the arm nor the documents change, and until it is too old: a
    model elsewhere may change without notice. Before anything is asked it
    says what so many questions can show.

    The exit code is 1 when an arm was given up or the run ended at its highest cost.
    """
    chosen = Chosen(where=Where(config), **options)
    outcome = asyncio.run(_evaluated(chosen))
    _show(outcome, as_json=as_json)
    return FAILED if _complain(outcome) else 0


async def _evaluated(chosen: Chosen) -> Outcome:
    from citewell.engine.runtime import open_runtime
    from citewell.evaluation.answers import open_answers
    from citewell.evaluation.labels import load_labels
    from citewell.evaluation.ranking import need_statistics
    from citewell.evaluation.session import (
        Wanted,
        answers_path,
        evaluate,
        labels_path,
        report_path,
        save_report,
    )

    need_statistics("citewell eval run")
    settings = chosen.where.settings()
    asked = _asked(chosen, settings)
    # What is wrong with the file is said before anything is paid for.
    labels = load_labels(labels_path(settings))
    async with open_runtime(settings) as runtime:
        wanted = Wanted(
            items=asked.items,
            terms=_terms(chosen, runtime, asked.items),
            arms=chosen.arms,
            questions_hash=asked.set_hash,
            warnings=asked.warnings,
            leaked=asked.leaked,
            labels=labels,
        )
        _announce(asked.items)
        with open_answers(answers_path(settings)) as answers, asking_bar() as told:
            outcome = await evaluate(runtime, answers, wanted, _noting(told))
    save_report(report_path(settings), outcome.report)
    return outcome


class _Asked(Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        set_hash: of the whole set.
        warnings: what makes it doubtful.
        leaked: how many of `items` stand in the training data.
    """

    items: Sequence[EvalItem]
    set_hash: str
    warnings: tuple[str, ...] = ()
    leaked: int = 0


def _asked(chosen: Chosen, settings: Settings) -> _Asked:
    """Read the questions.

    Raises:
        ConfigError: there is nothing to ask.
    """
    from citewell.evaluation.questions import load_questions
    from citewell.evaluation.reporting import questions_hash
    from citewell.evaluation.session import questions_path

    path = chosen.questions or questions_path(settings)
    found = load_questions(path)
    items = [item for item in found if not item.is_draft]
    if drafts := len(found) - len(items):
        click.echo(
            f"note: {counted(drafts, 'draft')} not asked; see: citewell eval review", err=True
        )
    if not items:
        raise ConfigError(f"{path}: holds drafts alone; run: citewell eval review {path}")
    set_hash = questions_hash(items)
    leaked = _leaked(items, settings)
    if not leaked:
        return _Asked(items=items, set_hash=set_hash)
    warning = (
        f"{counted(len(leaked), 'question')} of {len(items)} in the training data, like "
        f"{leaked[0]}; {'asked all the same' if chosen.asks_leaked else 'not asked'}"
    )
    click.echo(f"warning: {safe_line(warning)}", err=True)
    if chosen.asks_leaked:
        return _Asked(items=items, set_hash=set_hash, warnings=(warning,), leaked=len(leaked))
    items = [item for item in items if item.id not in leaked]
    if not items:
        raise ConfigError(
            f"{path}: every question stands in the training data; write others, or use --ask-leaked"
        )
    return _Asked(items=items, set_hash=set_hash, warnings=(warning,))


def _leaked(items: Sequence[EvalItem], settings: Settings) -> list[str]:
    """Return the ids of the questions that models were tuned on."""
    paths = [settings.base_dir / one.expanduser() for one in settings.evaluation.training_data]
    if not paths:
        return []
    from citewell.evaluation.leaks import leaks

    return [*dict.fromkeys(one.id for one in leaks(items, paths))]


def _terms(chosen: Chosen, runtime: Runtime, items: Sequence[EvalItem]) -> Terms:
    from citewell.cli.assisting import open_ledger, reader
    from citewell.evaluation.asking import Terms
    from citewell.evaluation.questions import held_out

    settings = runtime.settings
    bound = settings.evaluation.max_cost if chosen.max_cost is None else chosen.max_cost
    max_age = chosen.max_age
    if max_age is None and settings.gate is not None:
        # The gate is to find it fresh for a while.
        max_age = _RENEWED * settings.gate.max_age_days
    return Terms(
        audience=reader(chosen.labels, settings),
        held_out=held_out(items),
        since=None if max_age is None else datetime.now(UTC) - timedelta(days=max_age),
        max_cost=bound,
        at_once=chosen.at_once,
        ledger=open_ledger(settings),
    )


def _announce(items: Sequence[EvalItem]) -> None:
    """Say what so many questions can show, before they cost anything."""
    from citewell.evaluation.power import smallest_gain
    from citewell.evaluation.reporting import document_of
    from citewell.evaluation.saying import points

    documents = len(set(map(document_of, items)))
    gain = points(smallest_gain(len(items), documents=documents))
    click.echo(
        f"{counted(len(items), 'question')} about {counted(documents, 'document')}: a gain of "
        f"{gain} or more shows in four of five such sets; a smaller one hardly does",
        err=True,
    )


def _noting(told: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Say before anything is asked how much is asked again."""

    def noted(progress: Progress) -> None:
        if progress.too_old and not progress.asked:
            click.echo(
                f"note: {counted(progress.too_old, 'answer')} too old, asked again", err=True
            )
        told(progress)

    return noted


@contextmanager
def asking_bar() -> Iterator[Callable[[Progress], None]]:
    """Yield what draws how far a run is, what it has cost, and how long it takes."""
    from citewell.cli.printing import is_screen

    if not is_screen(sys.stderr):
        yield lambda _progress: None
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.TextColumn("Asking"),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[said]}", style="dim"),
        rich.TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    task = bar.add_task("", total=None, said="")

    def draw(progress: Progress) -> None:
        if progress.to_judge:
            bar.update(
                task,
                total=progress.to_judge,
                completed=progress.judged,
                said="answers judged by metrics",
            )
            return
        failed = f", {progress.failed} failed" if progress.failed else ""
        bar.update(
            task,
            total=progress.total,
            completed=progress.kept + progress.asked,
            said=f"answers, cost so far {progress.cost:.4g}{failed}",
        )

    with bar:
        yield draw


def _show(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        from citewell.evaluation.session import encoded

        click.echo(encoded(outcome.report).decode(), nl=False)
        return
    from citewell.cli.eval.screen import screen
    from citewell.cli.printing import open_printer

    open_printer(sys.stdout).write(screen(outcome.report))


def _complain(outcome: Outcome) -> bool:
    """Say what was not asked; tell whether there was anything."""
    progress = outcome.progress
    for name, reason in progress.given_up.items():
        click.echo(
            f"error: arm {safe_line(name)} was given up: {safe_line(reason)}",
            err=True,
        )
    if progress.ended_by_cost:
        click.echo(
            f"error: ended at a cost of {progress.cost:.4g}, since one more answer could cost too "
            "much; raise --max-cost to go on",
            err=True,
        )
    return bool(progress.given_up) or progress.ended_by_cost
