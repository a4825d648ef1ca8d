"""What can be set of the components `onnx`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints

from citewell import Config, LocalPath

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Pooling = Literal["mean", "cls"]


def _inside(path: Path) -> Path:
    if path.is_absolute() or ".." in path.parts or path == Path():
        raise ValueError('expected a path inside the folder, like "onnx/model.onnx"')
    return path


Inside: TypeAlias = Annotated[LocalPath, AfterValidator(_inside)]


class OnnxConfig(Config):
    """Where a model is, and how it is run."""

    path: LocalPath = Field(
        description="the folder with the model and its tokenizer; relative to the config file",
        examples=["models/network"],
    )
    model: Inside = Field(
        default=Path("model.onnx"), description="the model, an ONNX file, inside the folder"
    )
    tokenizer: Inside = Field(
        default=Path("tokenizer.json"),
        description="the tokenizer that belongs to the model, inside the folder",
    )
    sha256: Sha256 | None = Field(
        default=None,
        description="refuse the model unless this is its SHA-256, in 64 hex digits",
    )
    output: str | None = Field(
        default=None,
        min_length=1,
        description="name of the output that is used; default: the first",
    )
    threads: int | None = Field(
        default=None, ge=1, le=512, description="that compute; default: all processors"
    )
    load_timeout_s: float = Field(
        default=120, gt=0, description="seconds that loading the model may take"
    )


class EmbedderConfig(OnnxConfig):
    """Settings of the embedder `onnx`."""

    pooling: Pooling = Field(
        default="mean",
        description="how the vectors of a text's tokens become one: their mean, or the first",
    )
    query_prefix: str = Field(
        default="", description='what the model expects before a question, like "query: "'
    )
    passage_prefix: str = Field(
        default="", description='what the model expects before a passage, like "passage: "'
    )
    max_tokens: int = Field(
        default=512,
        ge=16,
        le=32_768,
        description="tokens that are computed together; longer texts are embedded in parts",
    )


class RerankerConfig(OnnxConfig):
    """Settings of the reranker `onnx`."""

    max_tokens: int = Field(
        default=512,
        ge=16,
        le=32_768,
        description="tokens of a question and a passage together; what is beyond is not read",
    )
