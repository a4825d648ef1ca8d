"""The settings that the core itself knows, as what a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from citewell.globs import Glob
from citewell.specs import Config
from citewell.types.questions import EVERYONE

DEFAULT_FORMATTER = "footnotes"
Text = Annotated[str, Field(min_length=1)]


class Component(Config):
    """A section that chooses a component; the component's own settings stand beside `use`."""

    use: Text = Field(description="name of the component")


class Library(Component):
    """A set of documents: where they come from and who may read them."""

    labels: dict[Annotated[Glob, Field(min_length=1)], list[Text]] = Field(
        default={"**": [EVERYONE]},
        description="who may read what: file pattern to labels; of the patterns that match, the "
        "one with the longest beginning before its first wildcard holds alone, in whatever order "
        "they stand; what no pattern matches is read by nobody",
    )
    language: str = Field(
        default="en",
        pattern="^[a-z]{2}$",
        description="language of the documents, as two letters (ISO 639-1)",
    )
    max_mb: int = Field(default=50, ge=1, le=10_000, description="larger files are refused")
    max_seconds: int = Field(
        default=9,
        ge=1,
        le=3600,
        description="files that take more computing than this to read are refused",
    )
    passage_chars: int = Field(
        default=1200, ge=200, le=20_000, description="characters that a passage aims at, at most"
    )


class Retriever(Component):
    """A way to find passages."""

    libraries: list[Text] | None = Field(
        default=None, description="the libraries that it holds; default: all"
    )


class Profile(Config):
    """How a question is answered."""

    retriever: str | None = Field(
        default=None,
        description="what finds passages; without it the model answers freely, and the answer is "
        'labelled "answered without sources"',
    )
    model: str = Field(description="what writes the answer")
    fallback: list[str] = Field(
        default=[], description="models to try, in this order, when the first one fails"
    )
    formatter: str = Field(default=DEFAULT_FORMATTER, description="how the answer is shown")
    verifiers: list[str] = Field(
        default=[], description="further judges of each statement, beside the built-in checks"
    )
    instructions: str = Field(default="", description="what the model is told about the answer")
    policy: Literal["drop", "mark", "refuse"] = Field(
        default="drop",
        description="what happens to a statement that its sources do not support: it is dropped, "
        "shown with a mark, or the whole answer is refused",
    )
    passages: int = Field(default=12, ge=1, le=50, description="passages that the model gets")
    history_turns: int = Field(
        default=6, ge=0, le=100, description="earlier messages that the model gets"
    )
    max_output_tokens: int = Field(default=1024, ge=1, description="bound of the answer's length")
    timeout_s: float = Field(default=120, gt=0, description="seconds until a model is given up")


class Journal(Config):
    """Where questions and answers are kept."""

    url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL, given as { env = NAME } or { file = PATH } because it may "
        "hold a password; default: the file journal.sqlite in data_dir",
    )


class Cli(Config):
    """The command line."""

    reads: list[Text] = Field(
        default=[EVERYONE], min_length=1, description="labels of whoever asks in this terminal"
    )
    profile: str | None = Field(
        default=None, description='profile that answers when none is named; default: "default"'
    )


class Plugins(Config):
    """Plugins beside and without the installed ones."""

    paths: list[Path] = Field(
        default=[], description="plugin files; each needs `citewell plugins trust PATH` once"
    )
    disabled: list[str] = Field(default=[], description="names of plugins that are not loaded")


COMPONENTS: Mapping[str, type[Component]] = {
    "library": Library,
    "retriever": Retriever,
    "model": Component,
    "verifier": Component,
    "formatter": Component,
    "loader": Component,
}
SINGLES: Mapping[str, type[Config]] = {"journal": Journal, "cli": Cli, "plugins": Plugins}
TOP_LEVEL = ("data_dir", *COMPONENTS, "profile", *SINGLES)
