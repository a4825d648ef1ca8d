"""Where the lines of a training's charts go; the page's template draws them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from citewell.tuning.runs.events import Curve

WIDTH = 640
"""Of a chart, in its own units."""

HEIGHT = 240

_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 16, 36
_MOST_POINTS = 400

Point = tuple[float, float]


class Drawn(Struct, frozen=True, kw_only=True):
    """A line of a chart.

    Attributes:
        points: as SVG writes them.
        is_mark: whether it is what the chart is about.
        dots: places of its values, where there are few.
    """

    name: str
    points: str
    is_mark: bool
    dots: tuple[Point, ...] = ()


class Chart(Struct, frozen=True, kw_only=True):
    """Lines over the steps of a training.

    Attributes:
        marks: places of horizontal lines, and what they say.
        last: the last step.
    """

    title: str
    lines: tuple[Drawn, ...]
    marks: tuple[tuple[float, str], ...]
    last: int
    width: int = WIDTH
    height: int = HEIGHT


def charts(curve: Curve) -> tuple[Chart, ...]:
    """Return the charts of a training: losses, and the learning rate."""
    if not curve.steps:
        return ()
    losses = [(float(one.step), one.loss) for one in curve.steps]
    tried = [(float(one.step), one.loss) for one in curve.validated]
    rates = [(float(one.step), one.learning_rate) for one in curve.steps]
    found = (
        _chart("Loss", (("training", losses), ("validation", tried))),
        _chart("Learning rate", (("learning rate", rates),)),
    )
    return tuple(chart for chart in found if chart is not None)


def _chart(title: str, named: Sequence[tuple[str, list[Point]]]) -> Chart | None:
    thinned = [(name, _thinned(points)) for name, points in named]
    there = [(name, points) for name, points in thinned if points]
    if not there:
        return None
    every = [point for _, points in there for point in points]
    last = max(step for step, _ in every)
    lowest, highest = min(value for _, value in every), max(value for _, value in every)
    low, high = (lowest, highest) if highest > lowest else (lowest - 0.5, highest + 0.5)

    def place(point: Point) -> Point:
        x = _LEFT + point[0] / max(last, 1.0) * (WIDTH - _LEFT - _RIGHT)
        y = _TOP + (high - point[1]) / (high - low) * (HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    lines = []
    for at, (name, points) in enumerate(there):
        placed = [place(point) for point in points]
        drawn = " ".join(f"{x},{y}" for x, y in placed)
        # A validation has few values, and its line alone would hide when they were taken.
        dots = tuple(placed) if len(placed) <= _MOST_POINTS // 10 else ()
        lines.append(Drawn(name=name, points=drawn, is_mark=at == 0, dots=dots))
    marks = tuple(
        (place((0.0, value))[1], f"{value:.3g}") for value in (low, (low + high) / 2, high)
    )
    return Chart(title=title, lines=tuple(lines), marks=marks, last=int(last))


def _thinned(points: list[Point]) -> list[Point]:
    """Return at most so many points, each the mean of neighbours; what is no number is left out."""
    points = [(step, value) for step, value in points if abs(value) < float("inf")]
    if len(points) <= _MOST_POINTS:
        return points
    size = -(-len(points) // _MOST_POINTS)
    groups = [points[at : at + size] for at in range(0, len(points), size)]
    return [(one[-1][0], sum(value for _, value in one) / len(one)) for one in groups]
