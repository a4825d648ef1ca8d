"""Registers the model `litellm`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from pydantic import Field, SecretStr, field_validator

from citewell import (
    Config,
    Context,
    MissingExtra,
    Model,
    ModelCapabilities,
    ModelSpec,
    PluginError,
    hookimpl,
)

# Published by whoever had stolen the key of the project, with code that sends secrets away.
_COMPROMISED = frozenset({"1.82.7", "1.82.8"})


class Price(Config):
    """What a model costs."""

    input: float = Field(ge=0, description="a million input tokens, in `currency`")
    output: float = Field(ge=0, description="a million output tokens, in `currency`")


# Set by other settings, or they would change where it is sent, how often, or what it costs.
_NO_OPTIONS = frozenset(
    ("api_base", "api_key", "base_url", "client", "custom_llm_provider", "max_completion_tokens",
     "max_output_tokens", "max_retries", "max_tokens", "messages", "mock_response", "model", "n",
     "num_retries", "organization", "proxy", "request_timeout", "response_format", "seed", "stop",
     "stream", "stream_options", "temperature", "timeout", "use_litellm_proxy")
)  # fmt: skip


class LiteLLMConfig(Config):
    """Settings of the model `litellm`."""

    model: str = Field(
        min_length=1, description='provider and model, as LiteLLM names them: "openai/gpt-5-mini"'
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="given as { env = NAME } or { file = PATH }; default: the provider's own "
        "environment variable",
    )
    api_base: str | None = Field(
        default=None,
        pattern="^https?://",
        description="address of the API, where it is not the provider's own",
    )
    local: bool | None = Field(
        default=None,
        description="whether what is sent there stays in your hands, so that it may hold what is "
        "local_only; default: whether api_base is on this machine",
    )
    context: int | None = Field(
        default=None, ge=256, description="tokens that fit, prompt and answer together; for notes"
    )
    price: Price | None = Field(
        default=None, description="for budgets and costs; default: what LiteLLM's own table says"
    )
    response_format: bool = Field(
        default=True,
        description="ask the API to enforce choices and output_schema; the output is checked in "
        "any case",
    )
    retries: int = Field(
        default=3, ge=0, le=10, description="further tries when the API is busy or unreachable"
    )
    patience_s: float = Field(
        default=8,
        gt=0,
        description="seconds without a word until a request is given up; it is not tried again; "
        "more for a model that thinks longer before its first word",
    )
    options: dict[str, str | int | float | bool] = Field(
        default={}, description='further options of the API, like { reasoning_effort = "low" }'
    )

    @field_validator("options")
    @classmethod
    def _options_are_further(
        cls, value: dict[str, str | int | float | bool]
    ) -> dict[str, str | int | float | bool]:
        refused = sorted(value.keys() & _NO_OPTIONS)
        if refused:
            raise ValueError(
                f"{refused[0]} is no further option; the model and its profile have settings for "
                "what they allow"
            )
        return value


@asynccontextmanager
async def build(config: LiteLLMConfig, context: Context) -> AsyncIterator[Model]:
    """Open the model; nothing is sent yet.

    Raises:
        MissingExtra: litellm is not installed.
        PluginError: a version of it is installed that must not be used.
    """
    version = _installed_version()
    if version is None:
        raise MissingExtra(f'model "{context.name}"', package="litellm", extra="litellm")
    if version in _COMPROMISED:
        raise PluginError(
            f"litellm {version} is a compromised release, which steals secrets; it was not "
            'imported: run pip install --upgrade "citewell[litellm]", and change every key that '
            "was on this machine"
        )
    from citewell_litellm.model import LiteLLMModel

    model = LiteLLMModel(config, log=context.log, is_local=capabilities(config).local)
    try:
        yield model
    finally:
        await model.close()


def capabilities(config: LiteLLMConfig) -> ModelCapabilities:
    """Return what the model claims with these settings."""
    local = _is_on_this_machine(config.api_base) if config.local is None else config.local
    return ModelCapabilities(streams=True, local=local, max_context_tokens=config.context)


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
