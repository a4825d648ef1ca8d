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
    kappa,
    labels,
    of_plugins,
    percent,
    power_sentence,
    settled_sentence,
    unknown_sentence,
    verdict_sentence,
)
from citewell.evaluation.scores import MEASURES, RAW

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_PACKAGE = "citewell.evaluation"


class ScoreRow(Struct, frozen=True):
    """A row about one score; one of all arms has a cell for each."""

    title: str
    explanation: str
    cells: tuple[str, ...]


def html(report: Report) -> str:
    """Return the page.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    environment = environment_of(_PACKAGE)
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
        agreement=tuple(agreement_rows(report)),
        unknown=unknown_sentence(report),
        unscored=[(arm.name, one) for arm in report.arms for one in arm.unscored],
        rows=partial(_rows, environment),
        percent=percent,
        width=WIDTH,
    )
    return page


def score_rows(report: Report) -> Iterator[ScoreRow]:
    """Yield the scores that some arm has: Citewell's in their order, then those of plugins."""
    names = [name for one in MEASURES for name in (one.name, one.name + RAW)]
    for name in (*names, *of_plugins(report)):
        if not any(name in arm.scores for arm in report.arms):
            continue
        title, explanation = _described(name.removesuffix(RAW))
        yield ScoreRow(
            title=f"{title}, the model's own text" if name.endswith(RAW) else title,
            explanation=explanation,
            cells=tuple(
                interval(arm.scores[name]) if name in arm.scores else "-" for arm in report.arms
            ),
        )


def agreement_rows(report: Report) -> Iterator[ScoreRow]:
    """Yield how far scores agree with people: kappa, the share of the same, labels, and a note."""
    for one in report.agreement:
        title, explanation = _described(one.score)
        unscored = f"{one.unscored:,} more could not be scored" if one.unscored else ""
        yield ScoreRow(
            title=title,
            explanation=explanation,
            cells=(
                kappa(one),
                percent(one.share),
                labels(one),
                "; ".join(filter(None, (one.reason, unscored))),
            ),
        )


def _described(name: str) -> tuple[str, str]:
    """Return the title of a score and what it is."""
    measure = next((one for one in MEASURES if one.name == name), None)
    return (measure.title, measure.explanation) if measure else (name, "of a plugin")


def environment_of(package: str) -> Environment:
    """Return what fills the pages of a package; those of an evaluation lend them their look.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("the page of a report", package="jinja2", extra="eval") from error
    places = dict.fromkeys((package, _PACKAGE))
    return Environment(
        loader=ChoiceLoader([PackageLoader(one, "pages") for one in places]),
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
