"""What a plugin registers: frozen descriptions, cheap to make, that know how to build the object.

`build(config, context)` is an async context manager; entering it opens the component, leaving it
closes it. It must be importable by its module and name (not a lambda, not a local function).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct, field
from pydantic import BaseModel

from citewell.chatting import Adapter, Rehearsal
from citewell.configs import ChatConfig
from citewell.noticing import notice
from citewell.protocols import (
    Embedder,
    Engine,
    Exporter,
    Formatter,
    Loader,
    Metric,
    Model,
    Reranker,
    Retriever,
    Source,
    Trainer,
    Verifier,
)
from citewell.training import ExampleKind
from citewell.types.documents import Labels

if TYPE_CHECKING:
    import click


C = TypeVar("C", bound=BaseModel)
T = TypeVar("T")
ChatC = TypeVar("ChatC", bound=ChatConfig)


class Embedders(Protocol):
    """The embedders that the settings of a component name."""

    async def open(self, name: str) -> Embedder:
        """Return the embedder of section `name`; it is closed after the component.

        Raises:
            CitewellError: it cannot be opened.
        """
        ...

    def withholds(self, name: str, labels: Labels) -> bool:
        """Tell whether passages with `labels` must stay here, while what it is given leaves."""
        ...


class Models(Protocol):
    """The models that the settings of a component name."""

    async def open(self, name: str) -> Model:
        """Return the model of section `name`; it is closed after the component.

        Raises:
            CitewellError: it cannot be opened.
        """
        ...

    def identity(self, name: str) -> str:
        """Name the settings and the files of section `name`; another name where one changed."""
        ...

    def withholds(self, name: str, labels: Labels) -> bool:
        """Tell whether passages with `labels` must stay here, while what it is given leaves."""
        ...


class Trusted(Protocol):
    """The user's memory of files that may run."""

    def content(self, path: Path) -> bytes:
        """Return what the file `path` holds, if that is what was trusted.

        Raises:
            UntrustedPlugin: nobody has trusted it, or it changed since; says how to.
            PluginError: there is no such file.
        """
        ...


class Context(Struct, frozen=True, kw_only=True):
    """What the core hands to a component that it builds.

    Attributes:
        name: of the config section, for messages.
        log: a logger named after the component.
        data_dir: where the component may keep files; exists.
        base_dir: what relative paths of the config are relative to; see `resolve`.
        suffixes: for a source, what some loader reads: lower case, with the dot; None when
            unknown. Of other files it need not open, hash or fetch anything.
        embedders: for a component whose settings have an `EmbedderName`.
        models: for a component whose settings have a `ModelName`.
        trusted: for a component whose settings name code: what it runs it takes from here, or a
            folder that was cloned would run code by its settings.
    """

    name: str
    log: logging.Logger
    data_dir: Path
    base_dir: Path
    suffixes: frozenset[str] | None = None
    embedders: Embedders | None = None
    models: Models | None = None
    trusted: Trusted | None = None

    def notice(self, text: str, *, detail: str = "") -> None:
        """Let people know something about the answer in work.

        Args:
            text: shown below the answer, also to strangers in a chat: a short plain line that names
                no path, no command, no setting and nothing that identifies a component.
            detail: the same for whoever runs the assistant: what is wrong, and what mends it. It
                stands in the log, in `citewell why` and `citewell doctor`, and below what the
                command line answers; no secret belongs into it.
        """
        notice(text, detail=detail)

    def resolve(self, path: Path) -> Path:
        """Return where a `LocalPath` of the config leads: from `base_dir`, with `~` replaced."""
        return self.base_dir / path.expanduser()


Builder: TypeAlias = Callable[[C, Context], AbstractAsyncContextManager[T]]


class Membership(Struct, frozen=True, kw_only=True):
    """A label that is given to the members of a group of a chat service, and to nobody else.

    Attributes:
        service: name of the adapter, as it is registered.
        group: as that adapter's settings name it.
        label: of what the members may read.
    """

    service: str
    group: str
    label: str


class SourceSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A place to read documents from.

    Attributes:
        memberships: given the settings, who has the labels that the source gives its documents,
            where these are the members of groups; without I/O.
        watched: given what `build` is given, the local folders whose changes mean that a sync is
            due. It opens nothing, and `data_dir` need not exist yet.
        extra: the optional dependency that `build` needs, when there is one.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Source]
    memberships: Callable[[C], tuple[Membership, ...]] | None = None
    watched: Callable[[C, Context], tuple[Path, ...]] | None = None
    extra: str | None = None


class LoaderSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """File types turned into text with places.

    Attributes:
        suffixes: lower case, with the dot.
        chosen: where its settings decide which files it reads, their suffixes.
        version: raise it when the text or the places of the same file would differ.
        memory_mb: given the settings, how much memory reading one file may take, where that is more
            than usual.
        is_private: a source of the same plugin makes such files, and nobody else.
        extra: the optional dependency that `build` needs, when there is one.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Loader]
    suffixes: tuple[str, ...]
    chosen: Callable[[C], tuple[str, ...]] | None = None
    version: int = 1
    memory_mb: Callable[[C], int] | None = None
    is_private: bool = False
    extra: str | None = None

    def reads(self, config: C) -> tuple[str, ...]:
        """Return how the names of the files end that a loader with these settings reads."""
        return self.suffixes if self.chosen is None else self.chosen(config)


class RetrieverSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to keep and find passages.

    Attributes:
        filled: whether somebody else fills it: it holds no libraries and nothing is ever indexed
            or deleted; a function of its settings where they decide.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Retriever]
    filled: bool | Callable[[C], bool] = False
    extra: str | None = None

    def is_filled(self, config: C) -> bool:
        """Tell whether somebody else fills a retriever with these settings."""
        return self.filled if isinstance(self.filled, bool) else self.filled(config)


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
        proof: given the files that its settings name, whether these were proven equal to what was
            trained, in a few words; it reads no more than their heads. None for what nobody trains.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Model]
    capabilities: ModelCapabilities | Callable[[C], ModelCapabilities] = field(
        default_factory=ModelCapabilities
    )
    memory: Callable[[C, Context], Mapping[str, int]] | None = None
    proof: Callable[[tuple[Path, ...]], str] | None = None
    extra: str | None = None

    def claims(self, config: C) -> ModelCapabilities:
        """Return what a model with these settings claims."""
        if isinstance(self.capabilities, ModelCapabilities):
            return self.capabilities
        return self.capabilities(config)


class EmbedderSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to turn texts into vectors.

    Attributes:
        local: whether no text leaves this machine; a function of its settings where they decide.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Embedder]
    local: bool | Callable[[C], bool] = False
    extra: str | None = None


class RerankerSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to put passages into a better order.

    Attributes:
        local: whether no text leaves this machine; a function of its settings where they decide.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Reranker]
    local: bool | Callable[[C], bool] = False
    extra: str | None = None


def is_local(spec: EmbedderSpec[C] | RerankerSpec[C], config: C) -> bool:
    """Tell whether what it is given stays on this machine."""
    return spec.local if isinstance(spec.local, bool) else spec.local(config)


class EngineSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """Workers that read documents for `citewell sync --engine`."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Engine]
    extra: str | None = None


class VerifierSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A further judge of support."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Verifier]
    extra: str | None = None


class MetricSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A further score of an evaluation."""

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Metric]
    extra: str | None = None


Faults: TypeAlias = Iterable[tuple[str, str]]
"""What is wrong: each time a setting, or an empty text for the base, and why with the fix."""


class TrainerSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to fit a model to examples.

    Attributes:
        learns: given its settings, the kinds of examples that it learns from.
        check: given its settings, the folder of the base, and the folder at which paths of settings
            start, what keeps a training from being begun; fast, and without its extra.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Trainer]
    learns: Callable[[C], frozenset[ExampleKind]]
    check: Callable[[C, Path, Path], Faults] | None = None
    extra: str | None = None


class ExporterSpec(Struct, Generic[C], frozen=True, kw_only=True):
    """A way to make of what was trained what a model loads.

    Attributes:
        check: see `TrainerSpec.check`.
    """

    name: str
    summary: str
    config: type[C]
    build: Builder[C, Exporter]
    check: Callable[[C, Path, Path], Faults] | None = None
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
    | RerankerSpec[Any]
    | EngineSpec[Any]
    | VerifierSpec[Any]
    | MetricSpec[Any]
    | TrainerSpec[Any]
    | ExporterSpec[Any]
    | FormatterSpec[Any]
    | AdapterSpec[Any]
)
