"""What makes an arm answer as it does, by name, each part with a hash.

Two runs may be compared, and a report stands for a backend, only where the parts are the same; what
differs can be named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

from citewell.configs import references
from citewell.engine.file_states import FileState, file_state
from citewell.engine.prompting import REFUSAL, chat_messages
from citewell.engine.provenance import provenance
from citewell.engine.sections import Section, Settings
from citewell.engine.tables import Profile
from citewell.types.documents import Passage, Place, Placed
from citewell.types.questions import Marks, Prompt, Turn

_BLOCK = 1 << 20
DOCUMENTS = "documents"
"""The part that changes with each change of the index."""

# How an answer is shown changes nothing of what it says; and a model on trial is judged by itself.
_ELSEWHERE = {"formatter", "canary"}


class Identity(Struct, frozen=True):
    """Of an arm.

    Attributes:
        parts: what it is made of, like "model tuned", to a hash.
    """

    parts: Mapping[str, str]

    @property
    def key(self) -> str:
        """All parts in one hash."""
        return _hash(json.dumps(sorted(self.parts.items())))

    @property
    def retrieves(self) -> bool:
        """Whether answers are written from documents."""
        return DOCUMENTS in self.parts

    def of_documents(self, index: str) -> Identity:
        """Return it with other documents, which a retriever names `index`."""
        return Identity({**self.parts, DOCUMENTS: index})

    def differs_from(self, other: Identity) -> list[str]:
        """Return the parts that are not the same, or that only one has."""
        names = sorted(self.parts.keys() | other.parts.keys())
        return [name for name in names if self.parts.get(name) != other.parts.get(name)]


class FileHashes:
    """Hashes of the contents of files; a file that did not change is read once."""

    def __init__(self) -> None:
        self._known: dict[FileState, str] = {}

    def of(self, state: FileState) -> str:
        """Return the SHA-256 of what a file holds, or "missing"."""
        if state.stamp is None:
            return "missing"
        if state not in self._known:
            found = _content_hash(state.path)
            if file_state(state.path) != state:
                # It was written since: what it held is not known, and nothing else is the same.
                return f"gone: {state.stamp}"
            self._known[state] = found
        return self._known[state]


def identity(settings: Settings, profile: Profile, index: str, files: FileHashes) -> Identity:
    """Return what decides the answers of a profile.

    Args:
        settings: in force.
        profile: one of them, or one like it.
        index: what the retriever names its content; empty where nothing is retrieved.
        files: reads model files, in this thread.
    """
    parts = {
        "citewell": version("citewell"),
        "layout of the prompt": _layout(),
        "profile": _hash(profile.model_dump_json(exclude=_ELSEWHERE | _NAMES)),
    }
    if profile.fallback:
        parts["order of the models"] = _hash(json.dumps(profile.chain))
    if len(profile.rerankers) > 1:
        parts["order of the rerankers"] = _hash(json.dumps(profile.rerankers))
    for kind, section in _sections(settings, profile):
        parts[f"{kind} {section.name}"] = _hash(f"{section.use} {section.config.model_dump_json()}")
        if kind == "model" and (proof := provenance(section)):
            parts[f"model {section.name}: proof"] = proof
        names = [state.path.name for state in section.files]
        for at, state in enumerate(section.files):
            # Two files of one name, as of a model and its adapter, are two parts.
            number = f" ({at + 1})" if names.count(state.path.name) > 1 else ""
            parts[f"{kind} {section.name}: {state.path.name}{number}"] = files.of(state)
    for name in _libraries(settings, profile):
        library = settings.libraries[name]
        read = (library.labels, library.language, library.passage_chars, library.max_mb)
        parts[f"library {name}"] = _hash(f"{library.section.config.model_dump_json()} {read!r}")
    if index:
        parts[DOCUMENTS] = index
    return Identity(parts)


# These say which sections answer; the sections themselves are parts.
_NAMES = {"retriever", "model", "fallback", "rerankers", "verifiers"}


def _sections(settings: Settings, profile: Profile) -> Iterator[tuple[str, Section]]:
    for name in profile.chain:
        yield "model", settings.models[name]
    for name in profile.rerankers:
        yield "reranker", settings.rerankers[name]
    for name in profile.verifiers:
        yield "verifier", settings.verifiers[name]
    if profile.retriever is not None:
        section = settings.retrievers[profile.retriever].section
        yield "retriever", section
        for kind, name in references(section.config).values():
            if kind == "embedder":
                yield "embedder", settings.embedders[name]


def _libraries(settings: Settings, profile: Profile) -> tuple[str, ...]:
    return () if profile.retriever is None else settings.retrievers[profile.retriever].libraries


def _layout() -> str:
    """Return a hash of how a prompt is laid out, by laying one out that has everything."""
    passage = Passage(
        id="a",
        document_id="b",
        title="c",
        text="d",
        start=0,
        end=1,
        places=(Placed(0, Place(line=1, headings=("e",))),),
    )
    sourced = Prompt(
        instructions="f",
        question="g",
        refusal=REFUSAL,
        passages=(passage,),
        turns=(Turn("user", "h"), Turn("assistant", "i")),
        constraint=Marks(1),
    )
    free = Prompt(instructions="f", question="g", refusal=REFUSAL)
    return _hash(json.dumps([chat_messages(sourced), chat_messages(free)]))


def _content_hash(path: Path) -> str:
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        return "missing"
    return found.hexdigest()[:16]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
