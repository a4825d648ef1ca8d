"""What a plugin registers: frozen descriptions, cheap to make, that know how to build the object.

`build(config, context)` is an async context manager; entering it opens the component, leaving it
closes it. It must be importable by its module and name (not a lambda, not a local function).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from msgspec import Struct, field
from pydantic import BaseModel

from citewell.chatting import Adapter, Rehearsal
from citewell.configs import ChatConfig
from citewell.protocols import Embedder, Formatter, Loader, Model, Retriever, Source, Verifier

if TYPE_CHECKING:
    import click


C = TypeVar("C", bound=BaseModel)
T = TypeVar("T")
ChatC = TypeVar("ChatC", bound=ChatConfig)


class Context(Struct, frozen=True, kw_only=True):
    """What the core hands to a component that it builds.

    Attributes:
        name: of the config section, for messages.
        log: a logger named after the component.
        data_dir: where the component may keep files; exists.
        base_dir: what relative paths of the config are relative to; see `resolve`.
        suffixes: for a source, what some loader reads: lower case, with the dot; None when
            unknown. Of other files it need not open, hash or fetch anything.
    """

    name: str
    log: logging.Logger
    data_dir: Path
    base_dir: Path
    suffixes: frozenset[str] | None = None

    def resolve(self, path: Path) -> Path:
        """Return where a `LocalPath` of the config leads: from `base_dir`, with `~` replaced."""
        return self.base_dir / path.expanduser()


Builder: TypeAlias = Callable[[C, Context], AbstractAsyncContextManager[T]]


class SourceSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A place to read documents from.

    Attributes:
        watched: given what `build` is given, the local folders whose changes mean that a sync is
            due. It opens nothing, and `data_dir` need not exist yet.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Source]
    watched: Callable[[C, Context], tuple[Path, ...]] | None = None


class LoaderSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """File types turned into text with places.

    Attributes:
        suffixes: lower case, with the dot.
        version: raise it when the text or the places of the same file would differ.
        extra: the optional dependency that `build` needs, when there is one.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Loader]
    suffixes: tuple[str, ...]
    version: int = 1
    extra: str | None = None


class RetrieverSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to keep and find passages."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Retriever]
    extra: str | None = None


class ModelCapabilities(Struct, frozen=True, kw_only=True):
    """Claims about a model, each checked by `citewell.testing`.

    Attributes:
        streams: the first delta comes before the whole output is known.
        local: no text leaves this machine.
        seeded: equal prompt and seed give equal output.
        constrains: a `Constraint` is enforced while decoding.
        max_context_tokens: None when unlimited or unknown.
    """

    streams: bool = False
    local: bool = False
    seeded: bool = False
    constrains: bool = False
    max_context_tokens: int | None = None


class ModelSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to write an answer.

    Attributes:
        capabilities: what it claims; a function of its settings where they decide that.
        memory: given what `build` is given, the memory that an open model takes, in bytes, by a
            name of each part; parts of one name are shared by the models that have them. It opens
            nothing and may raise what `build` raises. None for one that takes none worth counting.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Model]
    capabilities: ModelCapabilities | Callable[[C], ModelCapabilities] = field(
        default_factory=ModelCapabilities
    )
    memory: Callable[[C, Context], Mapping[str, int]] | None = None
    extra: str | None = None

    def claims(self, config: C) -> ModelCapabilities:
        """Return what a model with these settings claims."""
        if isinstance(self.capabilities, ModelCapabilities):
            return self.capabilities
        return self.capabilities(config)


class EmbedderSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to turn texts into vectors."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Embedder]
    extra: str | None = None


class VerifierSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A further judge of support."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Verifier]
    extra: str | None = None


class FormatterSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to show an answer."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Formatter]


class AdapterSpec(Struct, Generic[ChatC], frozen=True, kw_only=True):
    """A chat service.

    Attributes:
        config: what every chat service has, and more.
        rehearsal: opens a stand-in for the service on this machine; None where there is none.
    """

    name: str
    summary: str
    config: type[ChatC]
    build: Builder[ChatC, Adapter]
    rehearsal: Callable[[], AbstractAsyncContextManager[Rehearsal]] | None = None
    extra: str | None = None


class CommandSpec(Struct, frozen=True, kw_only=True):
    """A command of the command line, loaded when it is run.

    Attributes:
        load: imports and returns the command.
    """

    name: str
    summary: str
    load: Callable[[], click.Command]


class HealthCheck(Struct, frozen=True, kw_only=True):
    """A check for `citewell doctor`.

    Attributes:
        run: returns a problem and its fix in one line, or None.
    """

    name: str
    summary: str
    run: Callable[[], Awaitable[str | None]]


ComponentSpec: TypeAlias = (
    SourceSpec[Any]
    | LoaderSpec[Any]
    | RetrieverSpec[Any]
    | ModelSpec[Any]
    | EmbedderSpec[Any]
    | VerifierSpec[Any]
    | FormatterSpec[Any]
    | AdapterSpec[Any]
)
