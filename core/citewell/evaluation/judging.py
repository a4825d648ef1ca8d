"""What metrics of plugins say about what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from citewell.engine.runtime import Runtime
from citewell.evaluation.reporting import Answered
from citewell.evaluation.scores import metric_score
from citewell.protocols import Metric
from citewell.types.evaluation import EvalItem

Collected: TypeAlias = Mapping[str, Sequence[Answered]]
"""By arm, item for item."""


async def opened_metrics(runtime: Runtime) -> dict[str, Metric]:
    """Return the metrics of plugins that the settings want, by name.

    Raises:
        CitewellError: one cannot be opened.
    """
    wanted = runtime.settings.evaluation.metrics
    names = [*runtime.settings.metrics] if wanted is None else wanted
    return {name: await runtime.metric(name) for name in names}


async def with_metrics(
    metrics: Mapping[str, Metric],
    collected: Collected,
    items: Sequence[EvalItem],
    told: Callable[[int, int], None],
) -> Collected:
    """Add what metrics of plugins say, one after the other: a judge may be a model.

    Args:
        metrics: opened.
        collected: what came back.
        items: what was asked.
        told: given how many answers are judged, of how many.
    """
    if not metrics:
        return collected
    total = sum(one.plain is not None for row in collected.values() for one in row)
    done = 0
    judged: dict[str, list[Answered]] = {arm: [] for arm in collected}
    for at, item in enumerate(items):
        for arm, row in collected.items():
            one = row[at]
            if one.plain is not None:
                more = {
                    name: await metric_score(metric, item, one.plain)
                    for name, metric in metrics.items()
                }
                one = replace(one, more=more)
                done += 1
                told(done, total)
            judged[arm].append(one)
    return judged
