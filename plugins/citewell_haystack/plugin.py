"""Registers the retriever and the loader `haystack`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, model_validator

from citewell import (
    EVERYONE,
    Config,
    Context,
    EmbedderName,
    Fusion,
    Loader,
    LoaderSpec,
    LocalPath,
    Retriever,
    RetrieverSpec,
    hookimpl,
)

Text = Annotated[str, Field(min_length=1)]

# Each would empty the store whenever it is opened.
_EMPTYING = ("recreate_index", "recreate_table")


class MetaKeys(Config):
    """Where in the meta of somebody else's Haystack documents things stand."""

    title: list[Text] = Field(
        default=["title", "file_name", "file_path", "url"],
        description="keys of the title, of which the first that is there counts",
    )
    uri: list[Text] = Field(
        default=["url", "uri", "link"], description="keys of the web address, likewise"
    )
    page: list[Text] = Field(
        default=["page_number", "page"], description="keys of the page, from 1, likewise"
    )
    line: list[Text] = Field(
        default=[], description="keys of the line of the file where it begins, from 1, likewise"
    )
    headings: list[Text] = Field(
        default=["parent_headers", "header"],
        description="keys of the headings above it, from the outermost inwards, joined",
    )
    document: list[Text] = Field(
        default=["source_id"],
        description="keys of what it was split from, of which the first that is there counts",
    )
    start: list[Text] = Field(
        default=["split_idx_start"],
        description="keys of the character of that document at which it begins, likewise",
    )
    labels: Text | None = Field(
        default=None,
        description="key of who may read it, a text or a list of texts; what has none is read by "
        "nobody",
    )


class HaystackConfig(Config):
    """Settings of the retriever `haystack`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"store": "in-memory"}]})

    store: Text | None = Field(
        default=None,
        description='document store: "in-memory", "pgvector", "qdrant", "opensearch", '
        '"elasticsearch", "weaviate", or module and class of another one of Haystack',
    )
    parameters: Mapping[str, Any] = Field(
        default={}, description="what the store is opened with, as Haystack documents it"
    )
    secrets: Mapping[str, SecretStr] = Field(
        default={},
        description="parameters that are secrets, each given as { env = NAME } or { file = PATH }",
    )
    pipeline: LocalPath | None = Field(
        default=None,
        description="YAML file of a query pipeline that ends with documents; it is code: it runs "
        "after citewell plugins trust PATH",
    )
    python: Text | None = Field(
        default=None,
        description="MODULE:ATTRIBUTE or FILE.py:ATTRIBUTE of a document store, of a query "
        "pipeline, or of a function without arguments that makes one; it is code: its file runs "
        "after citewell plugins trust PATH",
    )
    filled_by: Literal["citewell", "others"] = Field(
        default="citewell",
        description="who writes the store: Citewell, from its libraries, or somebody else",
    )
    embedder: EmbedderName | None = Field(
        default=None,
        description="section of what embeds; of somebody else's store, the same model that it was "
        "filled with; default: found by words alone",
    )
    fusion: Fusion = Field(
        default=Fusion(), description="how what words and what vectors find become one list"
    )
    words: Text | None = Field(
        default=None,
        description="module and class of the retriever of Haystack that finds by words; known "
        "stores need none",
    )
    vectors: Text | None = Field(
        default=None,
        description="module and class of the one that finds by vectors; known stores need none",
    )
    meta: MetaKeys = Field(
        default=MetaKeys(), description="where things stand in the meta of somebody else's store"
    )
    labels: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="who may read all of somebody else's store, where no key of meta says it; "
        f'default: "{EVERYONE}"',
    )
    label_filter: Literal["in", "array_overlaps", "none"] = Field(
        default="in",
        description="operator by which the store of somebody else finds labels; array_overlaps for "
        "lists in pgvector; none reads more than is asked for, and filters here",
    )
    language: str = Field(
        default="en",
        pattern="^[a-z]{2}$",
        description="language of somebody else's documents, as two letters (ISO 639-1)",
    )

    @property
    def is_filled(self) -> bool:
        """Whether somebody else fills it."""
        return self.pipeline is not None or self.filled_by == "others"

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.pipeline is not None and self.python is not None:
            raise ValueError("pipeline and python: expected one of them")
        if self.pipeline is None and self.python is None and self.store is None:
            raise ValueError("expected one of store, pipeline and python")
        for name in _EMPTYING:
            if self.parameters.get(name):
                raise ValueError(f"parameters.{name} would empty the store at each start")
        if self.labels is not None and self.meta.labels is not None:
            raise ValueError("labels and meta.labels: expected one of them")
        if not self.is_filled and (self.labels is not None or self.meta.labels is not None):
            raise ValueError(
                "the labels of what Citewell indexes stand with its libraries; these are for a "
                'store with filled_by = "others"'
            )
        return self


def is_filled(config: HaystackConfig) -> bool:
    """Tell whether somebody else fills a retriever with these settings."""
    return config.is_filled


@asynccontextmanager
async def build(config: HaystackConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the store or the pipeline.

    Raises:
        MissingExtra: Haystack is not installed.
        PluginError: what the settings name cannot be had.
        UntrustedPlugin: they name code that nobody has trusted.
        StoreError: the store cannot be opened.
    """
    from citewell_haystack.opening import opened

    async with opened(config, context) as retriever:
        yield retriever


class ConverterConfig(Config):
    """Settings of the loader `haystack`."""

    converter: Text = Field(
        description="module and class of a converter of Haystack, like "
        '"haystack.components.converters.msg.MSGToDocument"',
        examples=["haystack.components.converters.msg.MSGToDocument"],
    )
    parameters: Mapping[str, Any] = Field(
        default={}, description="what the converter is made with, as Haystack documents it"
    )
    suffixes: list[Annotated[str, Field(pattern=r"^\.[^A-Z/]+$")]] = Field(
        min_length=1,
        description='how the names of its files end: lower case, like ".msg"',
        examples=[[".msg"]],
    )
    splitter: Text | None = Field(
        default=None,
        description="module and class of a splitter of Haystack, whose pieces passages are made "
        "of; default: the text is split at blank lines",
    )
    splitter_parameters: Mapping[str, Any] = Field(
        default={}, description="what the splitter is made with; its pieces must not overlap"
    )
    form_feeds: Literal["page", "slide"] = Field(
        default="page", description="what ends where the converter puts a form feed"
    )
    lines: bool = Field(
        default=False,
        description="whether each line of the converter's text is one line of the file, as it is "
        "with TextFileToDocument",
    )


def memory_mb(_config: ConverterConfig) -> int:
    """Return what a converter may take: Haystack imports PyTorch where that is installed."""
    return 1_024


def suffixes(config: ConverterConfig) -> tuple[str, ...]:
    """Return how the names of the files end that a loader with these settings reads."""
    return tuple(config.suffixes)


@asynccontextmanager
async def build_loader(config: ConverterConfig, context: Context) -> AsyncIterator[Loader]:
    """Make the converter and the splitter.

    Raises:
        MissingExtra: Haystack is not installed.
        PluginError: what the settings name cannot be had.
    """
    from citewell_haystack.converting import open_loader

    yield open_loader(config, context)


@hookimpl
def register_retrievers() -> Iterable[RetrieverSpec[Any]]:
    """Offer `haystack`."""
    return (
        RetrieverSpec(
            name="haystack",
            summary="a document store or query pipeline of Haystack, filled by Citewell or not",
            config=HaystackConfig,
            build=build,
            filled=is_filled,
            extra="haystack",
        ),
    )


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer `haystack`."""
    return (
        LoaderSpec(
            name="haystack",
            summary="files that a converter of Haystack reads, with the places that it keeps",
            config=ConverterConfig,
            build=build_loader,
            suffixes=(".json", ".msg"),
            chosen=suffixes,
            memory_mb=memory_mb,
            extra="haystack",
        ),
    )
