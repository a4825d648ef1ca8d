"""What a sync works on, and what it tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from msgspec import Struct, field
from pydantic import BaseModel

from citewell.library.failures import Failure
from citewell.library.labelling import Labelling
from citewell.protocols import Engine, Retriever, Source
from citewell.specs import LoaderSpec

if TYPE_CHECKING:
    from citewell.engine.sections import Section


class Loading(Struct, frozen=True):
    """A loader and its settings."""

    spec: LoaderSpec[Any]
    config: BaseModel


def loadings(sections: Mapping[str, Section]) -> dict[str, Loading]:
    """Return the loader for each suffix; where several offer one, the first."""
    found: dict[str, Loading] = {}
    for section in sections.values():
        spec = cast("LoaderSpec[Any]", section.spec)
        for suffix in spec.reads(section.config):
            found.setdefault(suffix, Loading(spec, section.config))
    return found


class Library(Struct, frozen=True, kw_only=True):
    """A library as a sync sees it.

    Attributes:
        name: without a colon.
        open: returns the opened source.
        settings: of the source; where they differ, every document is read again.
        loadings: by suffix, lower case, with the dot.
        off: why plugins are off that nobody switched off. One of them may hold the loader of a
            document that no loader reads, so what is indexed of it stays.
        max_mb: a larger file is refused.
        max_seconds: a file that takes more computing to read is refused.
        passage_chars: a passage's usual bound.
    """

    name: str
    open: Callable[[], Awaitable[Source]]
    settings: str
    loadings: Mapping[str, Loading]
    labelling: Labelling
    off: tuple[str, ...] = ()
    language: str = "en"
    max_mb: float = 50.0
    max_seconds: float = 9.0
    passage_chars: int = 1200


class Index(Struct, frozen=True, kw_only=True):
    """A retriever and the libraries that it shall hold; it loses documents of all others."""

    name: str
    retriever: Retriever
    libraries: tuple[Library, ...]


class Readers(Struct, frozen=True):
    """What reads documents.

    Attributes:
        number: of processes; None for the default, or for what the engine can.
        engine: reads on its workers; None for processes of this machine.
    """

    number: int | None = None
    engine: Engine | None = None


class Progress(Struct, kw_only=True):
    """How far a sync is.

    Attributes:
        found: changed documents met so far.
        is_listing: whether `found` may still grow.
        done: of these, indexed, failed or left out.
        failed: of these, could not be read.
        passages: indexed.
        to_embed: of passages that had no vector when everything was indexed; 0 before.
        embedded: of these, embedded.
    """

    found: int = 0
    is_listing: bool = True
    done: int = 0
    failed: int = 0
    passages: int = 0
    to_embed: int = 0
    embedded: int = 0


class SyncReport(Struct, kw_only=True):
    """What a sync did.

    Attributes:
        libraries: that were synced.
        failed: documents that cannot be read, also those known from before; not in the index,
            unless their source could not hand them over, when they stay as they were.
        errors: libraries that could not be listed to their end, with the reason; what was not
            listed of them stays as it was.
        unlabelled: library and id of documents that no label pattern matches: nobody may read
            them, so they are not in the index.
        unmatched: library and label pattern, where no document of the library matches it.
        ignored: files that no loader reads, by suffix.
        off: why plugins are off, while there are such files.
        kept: library and id of documents among them that stay as they were.
        withheld: library and id of the failed that their source could not hand over.
        lacking: retrievers of which some passages have no vector and are found by words alone,
            with the reason.
    """

    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    passages: int = 0
    seconds: float = 0.0
    libraries: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    unlabelled: list[tuple[str, str]] = field(default_factory=list)
    unmatched: list[tuple[str, str]] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    off: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    withheld: list[tuple[str, str]] = field(default_factory=list)
    lacking: dict[str, str] = field(default_factory=dict)

    def put_in_order(self) -> None:
        """Sort what came of libraries that were synced at once: by library, as these are."""
        rank = {name: place for place, name in enumerate(self.libraries)}
        self.failed.sort(key=lambda failure: (failure.library, failure.id))
        self.errors = dict(sorted(self.errors.items(), key=lambda told: rank[told[0]]))
        for listed in (self.unlabelled, self.unmatched, self.kept, self.withheld):
            listed.sort(key=lambda one: rank[one[0]])


ProgressListener: TypeAlias = Callable[[Progress], None]
