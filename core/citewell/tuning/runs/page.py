"""A run as one HTML page that loads nothing, runs nothing, and escapes all that it shows."""

from __future__ import annotations

from citewell.engine.replacing import replace_content
from citewell.evaluation.page import environment_of
from citewell.tuning.runs.curves import charts
from citewell.tuning.runs.record import Record
from citewell.tuning.runs.saying import (
    duration,
    facts_of,
    money,
    notes_of,
    short,
    size,
    trained_line,
)
from citewell.tuning.runs.store import Run


def html(run: Run, record: Record) -> str:
    """Return the page about a run.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    events = run.events()
    facts = facts_of(record, events)
    page: str = (
        environment_of("citewell.tuning.runs")
        .get_template("run.html")
        .render(
            record=record,
            facts=facts,
            charts=charts(facts.curve),
            data=record.data,
            recipe=run.recipe_file.read_text(encoding="utf-8", errors="replace"),
            trained=trained_line(facts),
            notes=notes_of(events),
            figures=list(dict.fromkeys(name for one in record.made for name in one.figures)),
            duration=duration,
            money=money,
            short=short,
            size=size,
        )
    )
    return page


def write_page(run: Run, record: Record) -> None:
    """Write the page into the folder of a run.

    Raises:
        MissingExtra: jinja2 is not installed.
        CitewellError: it cannot be written.
    """
    replace_content(run.report_file, html(run, record).encode("utf-8", "replace"))
