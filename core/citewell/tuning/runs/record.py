"""What is kept of a run, beside its events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from citewell.engine.replacing import replace_content
from citewell.errors import CitewellError
from citewell.training import Estimate, ExampleKind
from citewell.tuning.runs.happenings import State

SCHEMA = 1


class DataFacts(Struct, frozen=True, kw_only=True):
    """A file of examples as it was when the run began.

    Attributes:
        file: where it was.
        sha256: of it.
        copied_sha256: of the copy that is learnt from.
        documents: that its examples are from.
    """

    file: str
    sha256: str
    copied_sha256: str
    examples: int
    documents: int


class Inputs(Struct, frozen=True, kw_only=True):
    """What a run is made from.

    Attributes:
        questions: of each set that must not be learnt, its SHA-256 by its path.
    """

    base: str
    base_sha256: str
    kind: ExampleKind | None = None
    train: DataFacts | None = None
    validation: DataFacts | None = None
    questions: Mapping[str, str] = {}


class Made(Struct, frozen=True, kw_only=True):
    """An exported file; see `citewell.training.Exported`."""

    kind: str
    file: str
    size: int
    sha256: str
    section: Mapping[str, Any]
    figures: Mapping[str, float]


class Record(Struct, frozen=True, kw_only=True):
    """A run.

    Attributes:
        changed: when it came into its state, ISO 8601.
        reason: why it did, where it ended otherwise than done.
        recipe: where the recipe was.
        base_dir: what relative paths of the recipe are relative to.
        citewell: the version that began it.
        cost: of the training, as it was estimated.
        step: whose weights the adapter holds.
        stopped_early: why the training ended before its last step; else empty.
        cpu_s: seconds of computing, of all processes but those that were killed.
        is_handed: another trainer made the adapter.
    """

    schema: int = SCHEMA
    id: str
    name: str
    created: str
    state: State
    changed: str
    reason: str = ""
    recipe: str
    base_dir: str
    recipe_sha256: str
    citewell: str
    inputs: Inputs | None = None
    estimate: Estimate | None = None
    cost: float | None = None
    currency: str | None = None
    price_per_hour: float | None = None
    step: int | None = None
    stopped_early: str = ""
    adapter_sha256: str = ""
    made: tuple[Made, ...] = ()
    cpu_s: float = 0.0
    is_handed: bool = False

    @property
    def data(self) -> tuple[tuple[str, DataFacts], ...]:
        """The files of examples, each with what it is for; none is learnt where it is handed."""
        if self.inputs is None:
            return ()
        first = "samples" if self.is_handed else "train"
        named = ((first, self.inputs.train), ("validation", self.inputs.validation))
        return tuple((name, facts) for name, facts in named if facts is not None)


class _Versioned(Struct):
    """Any record."""

    schema: int


def save_record(path: Path, record: Record) -> None:
    """Write the record of a run; whoever reads meanwhile finds the old one or the new one.

    Raises:
        CitewellError: it cannot be written.
    """
    content = msgspec.json.format(msgspec.json.encode(record, enc_hook=str), indent=2)
    replace_content(path, content + b"\n")


def load_record(path: Path) -> Record:
    """Read the record of a run.

    Raises:
        CitewellError: it cannot be read, or another version wrote it.
    """
    try:
        content = path.read_bytes()
        schema = msgspec.json.decode(content, type=_Versioned).schema
        if schema != SCHEMA:
            raise CitewellError(
                f"{path} has schema {schema}; this Citewell reads {SCHEMA}; run: pip install "
                "--upgrade citewell"
            )
        return msgspec.json.decode(content, type=Record)
    except OSError as error:
        raise CitewellError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise CitewellError(f"{path} holds no run: {error}; delete its folder") from error
