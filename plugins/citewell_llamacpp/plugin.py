"""Registers the model `llamacpp`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from citewell import (
    Config,
    Context,
    Embedder,
    EmbedderSpec,
    ExporterSpec,
    LocalPath,
    MissingExtra,
    Model,
    ModelCapabilities,
    ModelSpec,
    hookimpl,
)
from citewell_llamacpp.export.settings import GgufConfig
from citewell_llamacpp.export.settings import build as build_exporter
from citewell_llamacpp.export.settings import check as check_export

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class LlamaCppConfig(Config):
    """Settings of the model `llamacpp`."""

    path: LocalPath = Field(
        description="the model, a GGUF file; relative to the config file",
        examples=["models/model.gguf"],
    )
    sha256: Sha256 | None = Field(
        default=None, description="refuse the file unless this is its SHA-256, in 64 hex digits"
    )
    lora: dict[str, LocalPath] = Field(
        default={}, description="LoRA adapters for the model: a name of your choice to a GGUF file"
    )
    lora_sha256: dict[str, Sha256] = Field(
        default={}, description="refuse the adapter of that name unless this is its SHA-256"
    )
    adapter: str | None = Field(
        default=None,
        description="name of the adapter that is used; default: the only one, if there is one",
    )
    context: int = Field(
        default=8192, ge=256, description="tokens of one conversation, prompt and answer together"
    )
    conversations: int = Field(
        default=4,
        ge=1,
        le=64,
        description="answers that are written in turns, and conversations whose prompts are kept; "
        "each takes memory for `context` tokens",
    )
    batches: bool = Field(
        default=False,
        description="compute several answers in one step: faster with some models, but an answer "
        "then depends, in rare words, on what else is asked",
    )
    constrain: bool = Field(
        default=True, description="let a citation mark carry a given number only"
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=512,
        description="that compute; default: half of the processors, and all of them for prompts",
    )
    gpu_layers: int = Field(
        default=0, ge=-1, description="layers of the model that a GPU computes; -1 for all"
    )
    chat_template: LocalPath | None = Field(
        default=None, description="file with a chat template (Jinja), instead of the model's own"
    )
    top_p: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="draw from as many of the likeliest tokens as have this probability together",
    )
    load_timeout_s: float = Field(
        default=120, gt=0, description="seconds that loading the model may take"
    )
    require_proof: bool = Field(
        default=False,
        description="refuse a file, or an adapter, that was not proven equal to what was trained",
    )

    @model_validator(mode="after")
    def _adapter_is_named(self) -> Self:
        if self.adapter is not None and self.adapter not in self.lora:
            known = ", ".join(self.lora) or "none"
            raise ValueError(f'adapter "{self.adapter}" is not in lora; there are: {known}')
        unknown = sorted(self.lora_sha256.keys() - self.lora.keys())
        if unknown:
            raise ValueError(f'lora_sha256: "{unknown[0]}" is not in lora')
        if self.adapter is None and len(self.lora) > 1:
            raise ValueError(f"adapter: choose one of lora: {', '.join(self.lora)}")
        return self


class EmbedderConfig(Config):
    """Settings of the embedder `llamacpp`."""

    path: LocalPath = Field(
        description="the embedding model, a GGUF file; relative to the config file",
        examples=["models/embedding.gguf"],
    )
    sha256: Sha256 | None = Field(
        default=None, description="refuse the file unless this is its SHA-256, in 64 hex digits"
    )
    pooling: Literal["mean", "cls", "last"] | None = Field(
        default=None,
        description="how the vectors of a text's tokens become one; default: as the file says, "
        "else mean",
    )
    query_prefix: str = Field(
        default="", description='what the model expects before a question, like "query: "'
    )
    passage_prefix: str = Field(
        default="", description='what the model expects before a passage, like "passage: "'
    )
    context: int = Field(
        default=512,
        ge=64,
        le=32_768,
        description="tokens that are computed together; longer texts are embedded in parts",
    )
    threads: int | None = Field(
        default=None, ge=1, le=512, description="that compute; default: all processors"
    )
    gpu_layers: int = Field(
        default=0, ge=-1, description="layers of the model that a GPU computes; -1 for all"
    )
    load_timeout_s: float = Field(
        default=120, gt=0, description="seconds that loading the model may take"
    )


@asynccontextmanager
async def build_embedder(config: EmbedderConfig, context: Context) -> AsyncIterator[Embedder]:
    """Load the embedding model into a process of its own.

    Raises:
        MissingExtra: llama-cpp-python is not installed.
        ModelError: the file is damaged, or gives no vectors.
    """
    _need_library(f'embedder "{context.name}"')
    from citewell_llamacpp.opening import open_embedder

    async with open_embedder(config, context) as embedder:
        yield embedder


def _need_library(what: str) -> None:
    if find_spec("llama_cpp") is None:
        raise MissingExtra(what, package="llama-cpp-python", extra="llamacpp")


@asynccontextmanager
async def build(config: LlamaCppConfig, context: Context) -> AsyncIterator[Model]:
    """Load the model into a process of its own, or share one that has it.

    Raises:
        MissingExtra: llama-cpp-python is not installed.
        ModelError: a file is damaged, or does not fit the others.
    """
    _need_library(f'model "{context.name}"')
    from citewell_llamacpp.opening import open_model

    async with open_model(config, context) as model:
        yield model


def capabilities(config: LlamaCppConfig) -> ModelCapabilities:
    """Return what the model claims with these settings."""
    return ModelCapabilities(
        streams=True,
        local=True,
        seeded=not config.batches,
        constrains=True,
        max_context_tokens=config.context,
    )


def memory(config: LlamaCppConfig, context: Context) -> Mapping[str, int]:
    """Estimate the memory of the worker process, and of the adapter in it."""
    from citewell_llamacpp.opening import memory_of

    return memory_of(config, context)


def proof(paths: tuple[Path, ...]) -> str:
    """Tell whether the files were proven equal to what was trained."""
    from citewell_llamacpp.proving import told

    return told(paths)


@hookimpl
def register_exporters() -> Iterable[ExporterSpec[Any]]:
    """Offer `gguf`."""
    return (
        ExporterSpec(
            name="gguf",
            summary="GGUF files for llama.cpp, each proven equal to what was trained",
            config=GgufConfig,
            build=build_exporter,
            check=check_export,
            extra="train",
        ),
    )


@hookimpl
def register_models() -> Iterable[ModelSpec[Any]]:
    """Offer `llamacpp`."""
    return (
        ModelSpec(
            name="llamacpp",
            summary="a GGUF file, with LoRA adapters, run by llama.cpp in a process of its own",
            config=LlamaCppConfig,
            build=build,
            capabilities=capabilities,
            memory=memory,
            proof=proof,
            extra="llamacpp",
        ),
    )


@hookimpl
def register_embedders() -> Iterable[EmbedderSpec[Any]]:
    """Offer `llamacpp`."""
    return (
        EmbedderSpec(
            name="llamacpp",
            summary="vectors from a GGUF file, run by llama.cpp in a process of its own",
            config=EmbedderConfig,
            build=build_embedder,
            local=True,
            extra="llamacpp",
        ),
    )
