"""Runs on a screen, and as data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from citewell.cli.page import Grid, Line, Look, Piece
from citewell.cli.wording import safe_line
from citewell.tuning.runs.happenings import State
from citewell.tuning.runs.saying import (
    duration,
    facts_of,
    figures_of,
    money,
    notes_of,
    short,
    size,
    trained_line,
)

if TYPE_CHECKING:
    from citewell.cli.page import Row
    from citewell.tuning.runs.record import Record
    from citewell.tuning.runs.saying import Facts
    from citewell.tuning.runs.store import Run


def plain(run: Run, record: Record) -> dict[str, Any]:
    """Return a run as JSON holds it."""
    facts = facts_of(record, run.events())
    fields = msgspec.to_builtins(record)
    # The number of the file; what a program gets has a form of its own.
    del fields["schema"]
    return {
        **fields,
        "folder": str(run.folder),
        "steps": facts.last_step,
        "steps_total": facts.curve.total,
        "loss": facts.loss,
        "validation": facts.validation,
        "tokens_per_s": facts.curve.tokens_per_s,
        "training_s": round(facts.training_s, 3),
        "whole_s": round(facts.whole_s, 3),
        "spent": facts.spent,
    }


def listed(found: Sequence[tuple[Run, Record]]) -> Iterator[Row]:
    """Yield the rows of a list of runs."""
    names = ("run", "state", "step", "loss", "validation", "training", "begun (UTC)")
    rows = [_cells(record, facts_of(record, run.events())) for run, record in found]
    yield Grid(_pieces(names), tuple(map(_pieces, rows)))


def shown(run: Run, record: Record) -> Iterator[Row]:
    """Yield what is known of a run."""
    events = run.events()
    facts = facts_of(record, events)
    yield _line(f"{record.id}: {record.state}", Look.STRONG)
    for line in record.reason.splitlines():
        yield _line(f"  {line}", Look.NOTICE)
    if said := trained_line(facts):
        yield _line(f"  {said}")
    yield from (_line(f"  {said}") for said in _figures(facts))
    yield from made_lines(record)
    yield from (_line(f"  note: {one}") for one in notes_of(events))
    yield Line()
    yield from (_line(f"  {name:<11}{said}", Look.FAINT) for name, said in _made_from(record))
    yield _line(f"  {'folder':<11}{run.folder}", Look.FAINT)
    if run.report_file.is_file():
        yield _line(f"  {'report':<11}{run.report_file}", Look.FAINT)
    yield from (_line(hint, Look.FAINT) for hint in _hints(record))


def made_lines(record: Record) -> Iterator[Row]:
    """Yield the files that were made."""
    for one in record.made:
        proof = f"; proven: {figures_of(one)}" if one.figures else "; proven"
        yield _line(f"  {one.kind}: {one.file}, {size(one.size)}{proof}")


def ended(run: Run, record: Record) -> None:
    """Say how a run ended."""
    from citewell.cli.pipe import plain as text

    facts = facts_of(record, run.events())
    said = trained_line(facts)
    rows = [_line(f"{record.id}: {record.state}{f'; {said}' if said else ''}")]
    took = f"{duration(facts.whole_s)} in all, {duration(record.cpu_s)} of computing"
    click.echo(text([*rows, *made_lines(record), _line(f"  {took}")]), nl=False)
    if run.report_file.is_file():
        click.echo(f"  report: {safe_line(str(run.report_file))}")
    kept = run.record()
    if kept.state is not record.state:
        click.echo(f"  {record.id} is {kept.state}, as it was before")
    for hint in _hints(kept):
        click.echo(hint)


def _hints(record: Record) -> Iterator[str]:
    if record.state is State.DONE and record.made:
        yield f"next: citewell deploy {record.id}"
    if record.state is State.DONE or record.state.is_active:
        return
    yield f"to go on: citewell tune run --resume {record.id}"
    if record.state is State.FAILED and Path(record.recipe).is_file():
        # A run keeps to the recipe that it began with.
        recipe = safe_line(shlex.quote(record.recipe))
        yield f"with another recipe, begin anew: citewell tune run {recipe}"


def _figures(facts: Facts) -> Iterator[str]:
    record = facts.record
    if facts.curve.tokens_per_s:
        yield f"{facts.curve.tokens_per_s:,.0f} tokens/s"
    spent = "" if facts.spent is None else f", {money(facts.spent, record.currency)}"
    yield f"{duration(facts.whole_s)} in all, {duration(record.cpu_s)} of computing{spent}"
    if record.estimate is not None:
        yield (
            f"estimated: {duration(record.estimate.seconds)}, "
            f"{size(record.estimate.memory_bytes)} of memory"
        )


def _made_from(record: Record) -> Iterator[tuple[str, str]]:
    yield "recipe", f"{record.recipe}  {short(record.recipe_sha256)}"
    inputs = record.inputs
    if inputs is None:
        return
    yield "base", f"{inputs.base}  {short(inputs.base_sha256)}"
    for name, one in record.data:
        yield name, f"{one.examples:,} examples of {one.file}  {short(one.sha256)}"
    if record.adapter_sha256:
        yield "adapter", short(record.adapter_sha256)


def _cells(record: Record, facts: Facts) -> tuple[str, ...]:
    return (
        record.id,
        record.state.value,
        f"{facts.last_step:,} / {facts.curve.total:,}" if facts.curve.total else "-",
        "-" if facts.loss is None else f"{facts.loss:.4g}",
        "-" if facts.validation is None else f"{facts.validation:.4g}",
        duration(facts.training_s) if facts.training_s else "-",
        record.created[:16].replace("T", " "),
    )


def _pieces(texts: Sequence[str]) -> tuple[tuple[Piece, ...], ...]:
    return tuple((Piece(safe_line(text)),) for text in texts)


def _line(text: str, look: Look = Look.PLAIN) -> Line:
    return Line((Piece(safe_line(text), look),), is_verbatim=True)


def compared_rows(names: tuple[str, str], found: Any) -> Iterator[Row]:
    """Yield two runs beside each other."""
    yield Grid(_pieces(("", *names)), tuple(map(_pieces, found.figures)))
    yield Line()
    if not found.differences:
        yield _line("Their recipes say the same.")
        return
    yield Grid(_pieces(("the recipes differ in", *names)), tuple(map(_pieces, found.differences)))


def written(path: Path) -> None:
    """Say that a file was written."""
    click.echo(f"written: {safe_line(str(path))}", err=True)
