"""What the plugin `extractive` offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pydantic import Field

from citewell import Config, Context, Model, ModelCapabilities, ModelSpec, hookimpl


class ExtractiveConfig(Config):
    """Settings of the model `extractive`."""

    max_sentences: int = Field(
        default=3,
        ge=1,
        le=10,
        description="sentences, list items or table rows in an answer, at most; fewer are written "
        "where the first ones answer better than the rest",
    )
    bar: float = Field(
        default=0.7,
        ge=0,
        le=1,
        description="refuse where the passages hold the answer with a lower probability than this; "
        "a higher bar refuses more and is wrong less",
    )


@asynccontextmanager
async def build_extractive(config: ExtractiveConfig, _context: Context) -> AsyncIterator[Model]:
    """Open the model."""
    from citewell_extractive.model import ExtractiveModel

    yield ExtractiveModel(max_sentences=config.max_sentences, bar=config.bar)


@hookimpl
def register_models() -> Sequence[ModelSpec[ExtractiveConfig]]:
    """Offer the model `extractive`."""
    return [
        ModelSpec(
            name="extractive",
            summary="answers in the sources' own sentences; no weights, no key",
            config=ExtractiveConfig,
            build=build_extractive,
            capabilities=ModelCapabilities(local=True, seeded=True),
        )
    ]
