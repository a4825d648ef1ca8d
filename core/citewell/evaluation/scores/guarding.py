"""What is no score is counted as none: NaN, numbers out of range, exceptions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from citewell.protocols import Metric
from citewell.redaction import redact
from citewell.types.evaluation import EvalItem, Response, Score, Unscored

METRIC_TIMEOUT_S = 600.0
"""Until a metric of a plugin is given up; a judge on this machine may take minutes."""

_MAX_REASON_CHARS = 200
# A mean of ones may be a little more than one.
_ROUNDING = 1e-9


def checked(score: object) -> Score:
    """Return a score that can be counted on, of whatever a metric gave."""
    if score is None:
        return None
    if isinstance(score, Unscored):
        return Unscored(_line(score.reason) or "no reason given")
    if isinstance(score, bool) or not isinstance(score, float | int):
        return Unscored(_line(f"gave {score!r}; expected a number from 0 to 1"))
    if math.isfinite(score) and -_ROUNDING <= score <= 1 + _ROUNDING:
        return min(max(float(score), 0.0), 1.0)
    return Unscored(f"gave {score}; expected a number from 0 to 1")


def guarded(compute: Callable[[], Score]) -> Score:
    """Return what `compute` gives, or why it is no score."""
    try:
        return checked(compute())
    except Exception as error:  # noqa: BLE001 - whatever fails costs this score alone
        return failed(error)


async def metric_score(metric: Metric, item: EvalItem, response: Response) -> Score:
    """Return what a metric of a plugin gives, or why it is no score."""
    limit = asyncio.timeout(METRIC_TIMEOUT_S)
    try:
        async with limit:
            return checked(await metric.score(item, response))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        if limit.expired():
            return Unscored(f"took more than {METRIC_TIMEOUT_S:g} s")
        return failed(error)


def failed(error: Exception) -> Unscored:
    """Return that a score could not be computed, because of `error`."""
    return Unscored(_line(f"{type(error).__name__}: {error}").removesuffix(":"))


def _line(text: object) -> str:
    # What is cut first may leave half a secret.
    line = " ".join(redact(str(text)).split())
    return line if len(line) <= _MAX_REASON_CHARS else f"{line[: _MAX_REASON_CHARS - 3]}..."
