"""Registers the metrics `ragas` and `deepeval`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from citewell import Context, Metric, MetricSpec, hookimpl
from citewell_judges.settings import DeepevalConfig, JudgeConfig, RagasConfig


@asynccontextmanager
async def build(config: JudgeConfig, context: Context) -> AsyncIterator[Metric]:
    """Start the process in which the package judges.

    Raises:
        PluginError: the package is not there, or its environment is not trusted.
        CitewellError: the model that judges cannot be opened.
    """
    from citewell_judges.opening import open_judge

    async with open_judge(config, context) as judge:
        yield judge


@hookimpl
def register_metrics() -> Iterable[MetricSpec[Any]]:
    """Offer `ragas` and `deepeval`."""
    return (
        MetricSpec(
            name="ragas",
            summary="what ragas has a language model of yours say about an answer",
            config=RagasConfig,
            build=build,
        ),
        MetricSpec(
            name="deepeval",
            summary="what DeepEval has a language model of yours say about an answer",
            config=DeepevalConfig,
            build=build,
        ),
    )
