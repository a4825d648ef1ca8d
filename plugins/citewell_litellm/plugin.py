"""Registers the components `litellm`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from citewell import (
    Context,
    Embedder,
    EmbedderSpec,
    MissingExtra,
    Model,
    ModelCapabilities,
    ModelSpec,
    PluginError,
    Reranker,
    RerankerSpec,
    hookimpl,
)
from citewell_litellm.settings import ApiConfig, EmbedderConfig, LiteLLMConfig, RerankerConfig

# Published by whoever had stolen the key of the project, with code that sends secrets away.
_COMPROMISED = frozenset({"1.82.7", "1.82.8"})


@asynccontextmanager
async def build(config: LiteLLMConfig, context: Context) -> AsyncIterator[Model]:
    """Open the model; nothing is sent yet.

    Raises:
        MissingExtra: litellm is not installed.
        PluginError: a version of it is installed that must not be used.
    """
    _need_library(f'model "{context.name}"')
    from citewell_litellm.model import LiteLLMModel

    model = LiteLLMModel(config, log=context.log, is_local=is_local(config))
    try:
        yield model
    finally:
        await model.close()


@asynccontextmanager
async def build_embedder(config: EmbedderConfig, context: Context) -> AsyncIterator[Embedder]:
    """Open the embedder; nothing is sent yet.

    Raises:
        MissingExtra: litellm is not installed.
        PluginError: a version of it is installed that must not be used.
    """
    _need_library(f'embedder "{context.name}"')
    from citewell_litellm.embedder import LiteLLMEmbedder

    embedder = LiteLLMEmbedder(config, log=context.log, is_local=is_local(config))
    try:
        yield embedder
    finally:
        await embedder.close()


@asynccontextmanager
async def build_reranker(config: RerankerConfig, context: Context) -> AsyncIterator[Reranker]:
    """Open the reranker; nothing is sent yet.

    Raises:
        MissingExtra: litellm is not installed.
        PluginError: a version of it is installed that must not be used.
    """
    _need_library(f'reranker "{context.name}"')
    from citewell_litellm.reranker import LiteLLMReranker

    reranker = LiteLLMReranker(config, log=context.log, is_local=is_local(config))
    try:
        yield reranker
    finally:
        await reranker.close()


def capabilities(config: LiteLLMConfig) -> ModelCapabilities:
    """Return what the model claims with these settings."""
    return ModelCapabilities(
        streams=True, local=is_local(config), max_context_tokens=config.context
    )


def is_local(config: ApiConfig) -> bool:
    """Tell whether what is sent to the API stays in the hands of whoever set this."""
    return _is_on_this_machine(config.api_base) if config.local is None else config.local


def _need_library(what: str) -> None:
    version = _installed_version()
    if version is None:
        raise MissingExtra(what, package="litellm", extra="litellm")
    if version in _COMPROMISED:
        raise PluginError(
            f"litellm {version} is a compromised release, which steals secrets; it was not "
            'imported: run pip install --upgrade "citewell[litellm]", and change every key that '
            "was on this machine"
        )


def _installed_version() -> str | None:
    try:
        return metadata.version("litellm")
    except metadata.PackageNotFoundError:
        return None


def _is_on_this_machine(api_base: str | None) -> bool:
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    host = urlsplit(api_base or "").hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@hookimpl
def register_models() -> Iterable[ModelSpec[Any]]:
    """Offer `litellm`."""
    return (
        ModelSpec(
            name="litellm",
            summary="any API that LiteLLM knows: OpenAI, Anthropic, Azure, Ollama, vLLM, ...",
            config=LiteLLMConfig,
            build=build,
            capabilities=capabilities,
            extra="litellm",
        ),
    )


@hookimpl
def register_embedders() -> Iterable[EmbedderSpec[Any]]:
    """Offer `litellm`."""
    return (
        EmbedderSpec(
            name="litellm",
            summary="vectors from any API that LiteLLM knows: OpenAI, Cohere, Voyage, vLLM, ...",
            config=EmbedderConfig,
            build=build_embedder,
            local=is_local,
            extra="litellm",
        ),
    )


@hookimpl
def register_rerankers() -> Iterable[RerankerSpec[Any]]:
    """Offer `litellm`."""
    return (
        RerankerSpec(
            name="litellm",
            summary="any reranking API that LiteLLM knows: Cohere, Jina, Voyage, vLLM, ...",
            config=RerankerConfig,
            build=build_reranker,
            local=is_local,
            extra="litellm",
        ),
    )
