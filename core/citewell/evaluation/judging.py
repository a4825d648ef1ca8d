"""What metrics of plugins say about what came back; what is dear is computed once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, TypeAlias, cast

from msgspec import Struct
from msgspec import json as msgjson
from msgspec.structs import replace

from citewell import blocking
from citewell.configs import references
from citewell.engine.runtime import Runtime
from citewell.engine.sections import Section, Settings
from citewell.evaluation.answers import Answers, Judged
from citewell.evaluation.reporting import Answered
from citewell.evaluation.scores import metric_score
from citewell.protocols import Metric
from citewell.specs import MetricSpec
from citewell.types.evaluation import EvalItem, Response, Score

Collected: TypeAlias = Mapping[str, Sequence[Answered]]
"""By arm, item for item."""


class _Opened(Struct, frozen=True):
    """A metric.

    Attributes:
        key: what its scores are kept under; empty where they are not kept.
    """

    name: str
    metric: Metric
    key: str


async def with_metrics(
    runtime: Runtime,
    answers: Answers,
    collected: Collected,
    items: Sequence[EvalItem],
    told: Callable[[int, int], None],
) -> Collected:
    """Add what the metrics of plugins say, one after the other: a judge may be a model.

    Args:
        runtime: the components.
        answers: keeps what is dear.
        collected: what came back.
        items: what was asked.
        told: given how many answers are judged, of how many.

    Raises:
        CitewellError: a metric cannot be opened, or a score cannot be kept.
    """
    opened = await _opened(runtime)
    if not opened:
        return collected
    total = sum(one.plain is not None for row in collected.values() for one in row)
    done = 0
    judged: dict[str, list[Answered]] = {arm: [] for arm in collected}
    for at, item in enumerate(items):
        for arm, row in collected.items():
            one = row[at]
            if one.plain is not None:
                more = {each.name: await _score(each, answers, item, one.plain) for each in opened}
                one = replace(one, more=more)
                done += 1
                told(done, total)
            judged[arm].append(one)
    return judged


async def _opened(runtime: Runtime) -> list[_Opened]:
    settings = runtime.settings
    named = settings.evaluation.metrics
    names = [*settings.metrics] if named is None else named
    return [
        _Opened(name, await runtime.metric(name), _key(settings, settings.metrics[name]))
        for name in names
    ]


def _key(settings: Settings, section: Section) -> str:
    """Return what names a metric with all that its scores depend on, as far as settings say."""
    spec = cast("MetricSpec[Any]", section.spec)
    if not spec.is_dear:
        return ""
    parts = [_plain(section), version("citewell")]
    for kind, name in references(section.config).values():
        if kind == "model":
            parts.append(_plain(settings.models[name]))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _plain(section: Section) -> str:
    return f"{section.use} {section.config.model_dump_json()} {section.files}"


async def _score(one: _Opened, answers: Answers, item: EvalItem, response: Response) -> Score:
    if not one.key:
        return await metric_score(one.metric, item, response)
    # When it was asked, how long it took and what it cost changes no judgement.
    said = replace(response, seconds={}, cost=None, asked_at="")
    judged = Judged(one.key, _hash(item), _hash(said))
    kept = await blocking.call(answers.score, judged)
    if kept is not None:
        return kept
    score = await metric_score(one.metric, item, response)
    if isinstance(score, float):
        await blocking.call(answers.add_score, judged, score)
    return score


def _hash(value: EvalItem | Response) -> str:
    text = msgjson.encode(value, order="sorted")
    return hashlib.sha256(text).hexdigest()[:32]
