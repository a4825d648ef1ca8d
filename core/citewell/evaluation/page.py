"""The report as one HTML page that loads nothing, runs nothing, and escapes all that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from citewell.errors import MissingExtra
from citewell.evaluation.charts import (
    WIDTH,
    Rows,
    arm_bars,
    cost_plane,
    latency_plane,
    pair_bars,
    slice_bars,
)
from citewell.evaluation.report import Report
from citewell.evaluation.saying import (
    interaction_sentence,
    interval,
    percent,
    power_sentence,
    settled_sentence,
    verdict_sentence,
)
from citewell.evaluation.scores import MEASURES, RAW

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


class ScoreRow(Struct, frozen=True):
    """One score of every arm."""

    title: str
    explanation: str
    cells: tuple[str, ...]


def html(report: Report) -> str:
    """Return the page.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    environment = _environment()
    planes = (cost_plane(report), latency_plane(report))
    page: str = environment.get_template("report.html").render(
        report=report,
        verdict=verdict_sentence(report),
        settled=settled_sentence(report),
        power=power_sentence(report),
        interaction=interaction_sentence(report),
        arm_bars=arm_bars(report),
        pair_bars=pair_bars(report),
        slices=slice_bars(report),
        planes=[plane for plane in planes if plane is not None],
        scores=tuple(score_rows(report)),
        unscored=[(arm.name, one) for arm in report.arms for one in arm.unscored],
        rows=partial(_rows, environment),
        percent=percent,
        width=WIDTH,
    )
    return page


def score_rows(report: Report) -> Iterator[ScoreRow]:
    """Yield the scores that some arm has: Citewell's in their order, then those of plugins."""
    known = {one.name: one for one in MEASURES}
    names = [name for one in MEASURES for name in (one.name, one.name + RAW)]
    others = sorted({name for arm in report.arms for name in arm.scores} - {*names})
    for name in (*names, *others):
        if not any(name in arm.scores for arm in report.arms):
            continue
        measure = known.get(name.removesuffix(RAW))
        title = measure.title if measure else name
        yield ScoreRow(
            title=f"{title}, the model's own text" if name.endswith(RAW) else title,
            explanation=measure.explanation if measure else "of a plugin",
            cells=tuple(
                interval(arm.scores[name]) if name in arm.scores else "-" for arm in report.arms
            ),
        )


def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("the page of a report", package="jinja2", extra="eval") from error
    return Environment(
        loader=PackageLoader("citewell.evaluation", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _rows(environment: Environment, chart: Rows) -> Markup:
    from markupsafe import Markup

    # The template has escaped what it was given.
    drawn = environment.get_template("rows.html").render(chart=chart, width=WIDTH)
    return Markup(drawn)  # noqa: S704 - see above
