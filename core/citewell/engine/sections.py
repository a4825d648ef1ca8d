"""The settings of one run, as values that never change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct
from pydantic import BaseModel

from citewell.engine.file_states import FileState
from citewell.engine.registry import Registry
from citewell.engine.tables import Budget, Chat, Eval, Gate, Monitoring, Profile
from citewell.errors import ConfigError
from citewell.specs import ComponentSpec
from citewell.types.documents import Labels


class Section(Struct, frozen=True, kw_only=True):
    """A component with its settings.

    Attributes:
        name: of the section; of a component that has none, the component's own.
        use: name of the component.
        config: an instance of `spec.config`.
        missing: why it cannot be opened yet, one line for each secret that is not there.
        files: that the settings name and that are no documents, as they were when these were read.
        secret_files: that its secrets stand in, likewise.
    """

    name: str
    use: str
    spec: ComponentSpec
    config: BaseModel
    missing: tuple[str, ...] = ()
    files: tuple[FileState, ...] = ()
    secret_files: tuple[FileState, ...] = ()


class LibrarySettings(Struct, frozen=True, kw_only=True):
    """A library: its source, and what the core does with its documents.

    Attributes:
        labels: file pattern and labels, in the order of the file; which pattern holds is decided
            by `library.labelling`.
        max_mb: larger files are refused.
        max_seconds: files that take more computing than this to read are refused.
    """

    section: Section
    labels: tuple[tuple[str, Labels], ...]
    language: str
    max_mb: int
    max_seconds: int
    passage_chars: int


class RetrieverSettings(Struct, frozen=True, kw_only=True):
    """A retriever and the libraries that it holds.

    Attributes:
        is_filled: somebody else fills it, so it holds no library.
    """

    section: Section
    libraries: tuple[str, ...]
    is_filled: bool = False


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that one run needs to know.

    Attributes:
        path: the file that they were read from; None when a folder is asked without one.
        base_dir: what relative paths are relative to.
        data_dir: where indexes and the journal are; not made yet.
        engines: beside the sections of the file, each engine under its own name.
        formatters: likewise each formatter.
        loaders: one section for each loader, with the file's settings where it has any.
        journal: URL of the journal, or why it is not known.
        reads: labels of whoever asks in the terminal.
        evaluation: what is compared.
        gate: None where every backend may go live.
        budgets: by name.
        local_only: labels of passages that never leave this machine.
        generation: names the file's content, and the state of the files that it depends on, so
            that an answer can tell what it was given with; empty without a file.
        missing: one line for each secret that is named and not there.
    """

    path: Path | None
    base_dir: Path
    data_dir: Path
    registry: Registry
    libraries: Mapping[str, LibrarySettings]
    retrievers: Mapping[str, RetrieverSettings]
    models: Mapping[str, Section]
    embedders: Mapping[str, Section]
    rerankers: Mapping[str, Section]
    engines: Mapping[str, Section]
    verifiers: Mapping[str, Section]
    metrics: Mapping[str, Section]
    formatters: Mapping[str, Section]
    loaders: Mapping[str, Section]
    profiles: Mapping[str, Profile]
    journal: str | ConfigError | None
    reads: Labels
    default_profile: str
    adapters: Mapping[str, Section]
    chat: Chat
    monitoring: Monitoring
    evaluation: Eval
    gate: Gate | None
    budgets: Mapping[str, Budget] = MappingProxyType({})
    local_only: Labels = frozenset()
    generation: str = ""
    missing: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[FileState, ...]:
        """The files that sections name and that are no documents: models, templates, secrets."""
        sections = [
            *(one.section for one in self.libraries.values()),
            *(one.section for one in self.retrievers.values()),
            *self.models.values(),
            *self.embedders.values(),
            *self.rerankers.values(),
            *self.engines.values(),
            *self.verifiers.values(),
            *self.metrics.values(),
            *self.formatters.values(),
            *self.loaders.values(),
            *self.adapters.values(),
        ]
        return tuple(
            state for section in sections for state in (*section.files, *section.secret_files)
        )

    @property
    def journal_url(self) -> str | None:
        """The URL of the journal; None for the file `journal.sqlite` in `data_dir`.

        Raises:
            ConfigError: it is a secret that is not there.
        """
        if isinstance(self.journal, ConfigError):
            raise self.journal
        return self.journal
