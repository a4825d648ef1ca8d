"""What can be set of the components `litellm`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field, SecretStr

from citewell import Config

# Set by other settings, or they would change where it is sent, how often, or what it costs.
_NO_OPTIONS = frozenset(
    ("api_base", "api_key", "base_url", "client", "custom_llm_provider", "dimensions", "documents",
     "encoding_format", "extra_headers", "headers", "input", "max_completion_tokens",
     "max_output_tokens", "max_retries", "max_tokens", "messages", "mock_response", "model", "n",
     "num_retries", "organization", "proxy", "query", "request_timeout", "response_format",
     "return_documents", "seed", "stop", "stream", "stream_options", "temperature", "timeout",
     "top_n", "use_litellm_proxy")
)  # fmt: skip


def _further(value: dict[str, str | int | float | bool]) -> dict[str, str | int | float | bool]:
    refused = sorted(value.keys() & _NO_OPTIONS)
    if refused:
        raise ValueError(
            f"{refused[0]} is no further option; the section and its profile have settings for "
            "what they allow"
        )
    return value


Options: TypeAlias = Annotated[dict[str, str | int | float | bool], AfterValidator(_further)]


class Price(Config):
    """What a model costs."""

    input: float = Field(ge=0, description="a million input tokens, in `currency`")
    output: float = Field(ge=0, description="a million output tokens, in `currency`")


class ApiConfig(Config):
    """Where an API is, and how it is asked."""

    model: str = Field(
        min_length=1,
        description='provider and model, as LiteLLM names them: "openai/gpt-5-mini"',
        examples=["openai/gpt-5-mini"],
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
    retries: int = Field(
        default=3, ge=0, le=10, description="further tries when the API is busy or unreachable"
    )
    patience_s: float = Field(
        default=8,
        gt=0,
        description="seconds without a word until a request is given up; it is not tried again",
    )
    options: Options = Field(default={}, description="further options of the API")


class LiteLLMConfig(ApiConfig):
    """Settings of the model `litellm`."""

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
    patience_s: float = Field(
        default=8,
        gt=0,
        description="seconds without a word until a request is given up; it is not tried again; "
        "more for a model that thinks longer before its first word",
    )
    options: Options = Field(
        default={}, description='further options of the API, like { reasoning_effort = "low" }'
    )


class EmbedderConfig(ApiConfig):
    """Settings of the embedder `litellm`."""

    model: str = Field(
        min_length=1,
        description="provider and model, as LiteLLM names them: "
        '"openai/text-embedding-3-small", "hosted_vllm/BAAI/bge-m3"',
        examples=["openai/text-embedding-3-small"],
    )
    dimensions: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="asked of the API, where the model lets one choose, and expected of it",
    )
    query_prefix: str = Field(
        default="", description='what the model expects before a question, like "query: "'
    )
    passage_prefix: str = Field(
        default="", description='what the model expects before a passage, like "passage: "'
    )
    query_options: Options = Field(
        default={},
        description='further options for questions, like { input_type = "search_query" }',
    )
    passage_options: Options = Field(
        default={},
        description='further options for passages, like { input_type = "search_document" }',
    )
    together: int = Field(default=64, ge=1, le=2_048, description="texts of one request")
    max_chars: int = Field(
        default=6_000,
        ge=100,
        le=1_000_000,
        description="characters of one text; a longer one is embedded in parts, and has the mean "
        "of their vectors",
    )
    identity: str | None = Field(
        default=None,
        min_length=1,
        pattern=r"^[^\r\n]*$",
        description="names the model, instead of model and api_base: keep it when the same model "
        "moves to another address, change it when another stands at the same",
    )
    patience_s: float = Field(
        default=30,
        gt=0,
        description="seconds that a request may take until it is given up; it is not tried again",
    )


class RerankerConfig(ApiConfig):
    """Settings of the reranker `litellm`."""

    model: str = Field(
        min_length=1,
        description='provider and model, as LiteLLM names them: "cohere/rerank-v3.5", '
        '"hosted_vllm/BAAI/bge-reranker-v2-m3"',
        examples=["cohere/rerank-v3.5"],
    )
    max_chars: int = Field(
        default=6_000,
        ge=100,
        le=1_000_000,
        description="characters of a passage that are sent, from its beginning",
    )
    retries: int = Field(
        default=1, ge=0, le=10, description="further tries when the API is busy or unreachable"
    )
    patience_s: float = Field(
        default=8,
        gt=0,
        description="seconds that a request may take until it is given up; it is not tried again",
    )
