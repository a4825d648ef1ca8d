"""Registers what tests need: `scripted` components and the chat service `plainchat`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Literal

from pydantic import Field

from citewell import (
    AdapterSpec,
    Config,
    Context,
    Embedder,
    EmbedderSpec,
    LocalPath,
    Model,
    ModelCapabilities,
    ModelSpec,
    Reranker,
    RerankerSpec,
    hookimpl,
)
from citewell.chat import Adapter, ChatConfig, Rehearsal


class ScriptedConfig(Config):
    """Settings of the model `scripted`."""

    behaviour: Literal["obedient", "hostile", "slow", "failing", "odd-pieces"] = Field(
        default="obedient",
        description="obedient cites the passages' first sentences; hostile tries everything that "
        "the checks must stop; slow waits before each piece; failing stops with an error; "
        "odd-pieces cuts its output at random, through marks and characters",
    )
    script: list[str] = Field(
        default=[], description="lines that are said instead, one after the other"
    )
    answers: dict[str, str] = Field(
        default={}, description="what it says to a question, whatever the passages say"
    )
    cost: float | None = Field(default=None, ge=0, description="what each answer costs")
    delay_s: float = Field(
        default=0.2, ge=0, le=60, description="seconds before each piece, if slow"
    )
    pieces: int = Field(
        default=3, ge=0, le=10_000, description="pieces before the error, if failing"
    )
    seed: int = Field(default=0, description="where odd-pieces cuts, and what hostile tries")
    local: bool = Field(default=True, description="whether it says that no text leaves")


class ScriptedEmbedderConfig(Config):
    """Settings of the embedder `scripted`."""

    dimension: int = Field(default=256, ge=2, le=4096, description="of the vectors")
    seed: int = Field(default=0, description="another one makes another embedder")
    delay_s: float = Field(default=0.0, ge=0, le=60, description="seconds before each answer")
    texts: int | None = Field(
        default=None, ge=0, description="texts after which it fails; default: never"
    )
    local: bool = Field(default=True, description="whether it says that no text leaves")


class ScriptedRerankerConfig(Config):
    """Settings of the reranker `scripted`."""

    local: bool = Field(default=True, description="whether it says that no text leaves")


class PlainChatConfig(ChatConfig):
    """Settings of the chat service `plainchat`."""

    path: LocalPath = Field(description="the file that everything is written in")
    max_chars: int = Field(default=500, ge=60, description="characters of one message")
    pace_s: float = Field(default=0.0, ge=0, description="seconds between two changes of a reply")
    hand_off: str = Field(
        default="", description="the channel in which questions are handed off; empty: nowhere"
    )


@asynccontextmanager
async def build_chat(config: PlainChatConfig, context: Context) -> AsyncIterator[Adapter]:
    """Open the chat; there is nothing to close."""
    from citewell.testing.plaintalk import TalkingAdapter
    from citewell.testing.plainworld import PlainWorld

    yield TalkingAdapter(
        PlainWorld(context.resolve(config.path)),
        platform=context.name,
        max_chars=config.max_chars,
        pace_s=config.pace_s,
        hand_off=config.hand_off,
    )


@asynccontextmanager
async def rehearse_chat() -> AsyncIterator[Rehearsal]:
    """Open people in a chat of their own."""
    from citewell.testing.plainrehearsal import rehearsed

    async with rehearsed() as rehearsal:
        yield rehearsal


@asynccontextmanager
async def build(config: ScriptedConfig, _context: Context) -> AsyncIterator[Model]:
    """Open the model; there is nothing to close."""
    from citewell.testing.scripts import ScriptedModel

    yield ScriptedModel(config)


@asynccontextmanager
async def build_embedder(
    config: ScriptedEmbedderConfig, _context: Context
) -> AsyncIterator[Embedder]:
    """Open the embedder; there is nothing to close."""
    from citewell.testing.embedding import ScriptedEmbedder

    yield ScriptedEmbedder(config)


@asynccontextmanager
async def build_reranker(
    _config: ScriptedRerankerConfig, _context: Context
) -> AsyncIterator[Reranker]:
    """Open the reranker; there is nothing to close."""
    from citewell.testing.embedding import ScriptedReranker

    yield ScriptedReranker()


def stays(config: ScriptedEmbedderConfig | ScriptedRerankerConfig) -> bool:
    """Tell whether it says that no text leaves."""
    return config.local


def capabilities(config: ScriptedConfig) -> ModelCapabilities:
    """Return what the model claims."""
    return ModelCapabilities(streams=True, local=config.local, seeded=True)


@hookimpl
def register_embedders() -> Iterable[EmbedderSpec[Any]]:
    """Offer `scripted`."""
    return (
        EmbedderSpec(
            name="scripted",
            summary="vectors of texts that share words are near each other: for tests",
            config=ScriptedEmbedderConfig,
            build=build_embedder,
            local=stays,
        ),
    )


@hookimpl
def register_rerankers() -> Iterable[RerankerSpec[Any]]:
    """Offer `scripted`."""
    return (
        RerankerSpec(
            name="scripted",
            summary="passages that share words with the question come first: for tests",
            config=ScriptedRerankerConfig,
            build=build_reranker,
            local=stays,
        ),
    )


@hookimpl
def register_models() -> Iterable[ModelSpec[Any]]:
    """Offer `scripted`."""
    return (
        ModelSpec(
            name="scripted",
            summary="says what a test needs: obedient, hostile, slow, failing, or in odd pieces",
            config=ScriptedConfig,
            build=build,
            capabilities=capabilities,
        ),
    )


@hookimpl
def register_adapters() -> Iterable[AdapterSpec[Any]]:
    """Offer `plainchat`."""
    return (
        AdapterSpec(
            name="plainchat",
            summary="a chat of nothing but text, kept in one file: for tests",
            config=PlainChatConfig,
            build=build_chat,
            rehearsal=rehearse_chat,
        ),
    )
