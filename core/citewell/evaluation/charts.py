"""Where the marks of a chart go; the page's template draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from citewell.evaluation.estimating import Estimate
from citewell.evaluation.report import ArmResult, Report
from citewell.evaluation.saying import interval, signed

WIDTH = 640
"""Of a chart, in its own units."""

_LABEL = 150
_EDGE = 20
_ROW = 28
_HEIGHT = 240


class Bar(Struct, frozen=True, kw_only=True):
    """An interval with its mean, in a row of its own; None for marks that do not exist."""

    label: str
    value: str
    y: int
    low: float
    mean: float | None
    high: float


class Rows(Struct, frozen=True, kw_only=True):
    """Intervals below each other.

    Attributes:
        lines: place of a vertical line, and what stands below it.
        zero: place of the line of no difference; None where there is none.
    """

    bars: tuple[Bar, ...]
    height: int
    lines: tuple[tuple[float, str], ...]
    zero: float | None = None


class Dot(Struct, frozen=True, kw_only=True):
    """An arm in a plane."""

    label: str
    x: float
    y: float
    low: float
    high: float


class Plane(Struct, frozen=True, kw_only=True):
    """Quality against something that costs."""

    title: str
    dots: tuple[Dot, ...]
    most: str
    height: int = _HEIGHT


def arm_bars(report: Report) -> Rows:
    """Return the primary score of each arm."""
    estimates = {arm.name: arm.primary for arm in report.arms if arm.primary is not None}
    return _rows(estimates, lowest=0.0, highest=1.0, shown=interval)


def pair_bars(report: Report) -> Rows:
    """Return how much better each arm is than each other, on as narrow a scale as holds it."""
    gains = {f"{one.better} - {one.other}": one.gain for one in report.pairs}
    reach = max((max(abs(gain.low), abs(gain.high)) for gain in gains.values()), default=1.0)
    reach = max(0.1, math.ceil(10 * reach) / 10)
    return _rows(gains, lowest=-reach, highest=reach, shown=signed)


def slice_bars(report: Report) -> dict[str, Rows]:
    """Return the primary score of each arm, slice by slice."""
    names = dict.fromkeys(name for arm in report.arms for name in arm.slices)
    return {
        name: _rows(
            {arm.name: arm.slices[name] for arm in report.arms if name in arm.slices},
            lowest=0.0,
            highest=1.0,
            shown=interval,
        )
        for name in names
    }


def cost_plane(report: Report) -> Plane | None:
    """Return quality against what a question costs; None where that is not known of every arm."""
    costs = {
        arm.name: arm.spent.cost
        for arm in report.arms
        if arm.spent is not None and arm.spent.cost is not None
    }
    if len(costs) < len(report.arms) or not any(costs.values()):
        return None
    return _plane(report.arms, costs, title="cost of a question", unit="")


def latency_plane(report: Report) -> Plane | None:
    """Return quality against the seconds until an answer is whole, at the median."""
    seconds = {
        arm.name: arm.spent.whole.p50
        for arm in report.arms
        if arm.spent is not None and arm.spent.whole is not None
    }
    if len(seconds) < len(report.arms):
        return None
    return _plane(report.arms, seconds, title="seconds until an answer is whole", unit=" s")


def _rows(
    estimates: Mapping[str, Estimate],
    *,
    lowest: float,
    highest: float,
    shown: Callable[[Estimate], str],
) -> Rows:
    def x(value: float) -> float:
        share = (value - lowest) / (highest - lowest)
        return round(_LABEL + share * (WIDTH - _LABEL - _LABEL - _EDGE), 1)

    bars = tuple(
        Bar(
            label=name,
            value=shown(one),
            y=_ROW * at + _ROW // 2 + 4,
            low=x(one.low),
            mean=None if one.mean is None else x(one.mean),
            high=x(one.high),
        )
        for at, (name, one) in enumerate(estimates.items())
    )
    is_difference = lowest < 0
    marks = (lowest, (lowest + highest) / 2, highest)
    lines = tuple(
        (x(mark), f"{100 * mark:+.0f}" if is_difference else f"{mark:.0%}") for mark in marks
    )
    height = _ROW * len(bars) + _ROW
    return Rows(bars=bars, height=height, lines=lines, zero=x(0.0) if is_difference else None)


def _plane(
    arms: Sequence[ArmResult], values: Mapping[str, float], *, title: str, unit: str
) -> Plane:
    most = max(values.values()) or 1.0
    return Plane(
        title=title,
        dots=tuple(_dots(arms, values, most)),
        most=f"{most:.3g}{unit}",
    )


def _dots(arms: Sequence[ArmResult], values: Mapping[str, float], most: float) -> Iterable[Dot]:
    def y(share: float) -> float:
        return round(_EDGE + (1 - share) * (_HEIGHT - 3 * _EDGE), 1)

    for arm in arms:
        if arm.primary is None or arm.primary.mean is None:
            continue
        yield Dot(
            label=arm.name,
            x=round(3 * _EDGE + values[arm.name] / most * (WIDTH - _LABEL - 3 * _EDGE), 1),
            y=y(arm.primary.mean),
            low=y(arm.primary.low),
            high=y(arm.primary.high),
        )
