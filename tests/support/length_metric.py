"""A plugin with a metric: whether an answer is as short as people like it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import Field

from citewell import (
    Config,
    Context,
    EvalItem,
    Metric,
    MetricSpec,
    Outcome,
    Response,
    Score,
    Unscored,
    hookimpl,
)


class Length(Config):
    """How long an answer may be."""

    max_words: int = Field(default=40, ge=1, description="an answer with more words loses score")


class LengthMetric:
    """Gives 1 up to so many words, and half of it for twice as many."""

    def __init__(self, max_words: int) -> None:
        self._max_words = max_words

    async def score(self, item: EvalItem, response: Response) -> Score:
        del item
        if response.outcome is Outcome.FAILED:
            return Unscored("there is no answer")
        return min(1.0, self._max_words / max(len(response.text.split()), 1))


@asynccontextmanager
async def build(config: Length, context: Context) -> AsyncIterator[Metric]:
    del context
    yield LengthMetric(config.max_words)


@hookimpl
def register_metrics() -> tuple[MetricSpec[Length], ...]:
    return (
        MetricSpec(name="length", summary="whether an answer is short", config=Length, build=build),
    )
