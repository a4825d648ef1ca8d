"""The settings that the core itself knows, as what a user writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from citewell.configs import Config
from citewell.engine.schemas import schema_problem
from citewell.globs import Glob
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
        "they stand; what no pattern matches is read by nobody. Where a source knows by itself who "
        'reads a document, a pattern holds instead, but for "**" with "everyone"',
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


class Canary(Config):
    """A model on trial: it answers a share of the questions, and is taken back by itself."""

    model: Text = Field(description="the model on trial")
    share: float = Field(
        default=0.05, gt=0, le=0.5, description="share of the questions that it answers"
    )
    watch: int = Field(
        default=50, ge=10, le=10_000, description="of its answers, the last ones that are watched"
    )
    max_failed: float = Field(
        default=0.05, ge=0, le=1, description="share of them that may fail before it is taken back"
    )
    max_unhelpful: float = Field(
        default=0.1, ge=0, le=1, description="share of them that people may find not helpful"
    )
    max_refused: float = Field(
        default=0.15,
        ge=0,
        le=1,
        description="by how much it may refuse a larger share of the questions",
    )
    max_slower: float = Field(
        default=3.0, gt=1, description="how many times as long its answers may take, at the median"
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
    canary: Canary | None = Field(
        default=None, description="a model that answers a share of the questions on trial"
    )
    rerankers: list[str] = Field(
        default=[], description="what puts the passages into a better order, one after another"
    )
    candidates: int = Field(
        default=50,
        ge=1,
        le=1000,
        description="passages that are found for the rerankers to choose from",
    )
    formatter: str = Field(default=DEFAULT_FORMATTER, description="how the answer is shown")
    verifiers: list[str] = Field(
        default=[], description="further judges of each statement, beside the built-in checks"
    )
    instructions: str = Field(default="", description="what the model is told about the answer")
    choices: list[Text] = Field(
        default=[],
        description="the output is exactly one of these texts; for a profile without a retriever",
    )
    output_schema: dict[str, Any] | None = Field(
        default=None,
        description="the output is JSON that satisfies this JSON Schema; for a profile without a "
        "retriever",
    )
    policy: Literal["drop", "mark", "refuse"] = Field(
        default="drop",
        description="what happens to a statement that its sources do not support: it is dropped, "
        "shown with a mark, or the whole answer is refused",
    )
    passages: int = Field(default=12, ge=1, le=50, description="passages that the model gets")
    neighbours: int = Field(
        default=0,
        ge=0,
        le=10,
        description="passages before and after each of them, of the same document, that the model "
        "gets too",
    )
    whole_tables: bool = Field(
        default=True,
        description="whether a passage that is part of a table brings the rest of it",
    )
    brought_chars: int = Field(
        default=6_000,
        ge=0,
        le=100_000,
        description="characters of all that passages bring: the best one first, of each its table "
        "and then its neighbours",
    )
    history_turns: int = Field(
        default=6, ge=0, le=100, description="earlier messages that the model gets"
    )
    temperature: float = Field(
        default=0.0, ge=0, le=2, description="how freely words are drawn; 0 takes the likeliest"
    )
    seed: int = Field(default=0, description="of the random numbers that draw words")
    stop: list[Text] = Field(default=[], description="texts that end the output")
    max_output_tokens: int = Field(default=1024, ge=1, description="bound of the answer's length")
    timeout_s: float = Field(default=120, gt=0, description="seconds until a model is given up")

    @property
    def chain(self) -> tuple[str, ...]:
        """The models to ask, in this order."""
        return (self.model, *self.fallback)

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if not self.choices and self.output_schema is None:
            return self
        if self.choices and self.output_schema is not None:
            raise ValueError("choices and output_schema: expected one of them")
        if self.retriever is not None:
            raise ValueError(
                "an output of a fixed form can carry no citation; leave out retriever, "
                "or choices and output_schema"
            )
        problem = form_problem(self.choices, self.output_schema)
        if problem is not None:
            raise ValueError(problem)
        return self


def form_problem(choices: Sequence[str], output_schema: Mapping[str, Any] | None) -> str | None:
    """Return what is wrong with a form that outputs shall have, or None."""
    changed = [choice for choice in choices if not _is_plain(choice)]
    if changed:
        return (
            f'choices: "{changed[0]}" would be shown as something else; expected plain words, '
            "without blank space at the ends, marks, markup or addresses"
        )
    problem = schema_problem(output_schema) if output_schema is not None else None
    return None if problem is None else f"output_schema {problem}"


def _is_plain(text: str) -> bool:
    # Few settings have choices, and all are read by each command.
    from citewell.engine.structure import is_shown_as_it_is

    return is_shown_as_it_is(text)


class Budget(Config):
    """How much may be spent."""

    limit: float = Field(
        ge=0, le=1_000_000_000, description="in the currency of the models' prices"
    )
    per: Literal["day", "month", "total"] = Field(
        default="day", description="for which time, in UTC; total never begins anew"
    )
    each: Literal["all", "user", "channel"] = Field(
        default="all", description="whether everyone shares it, or each user or channel has it"
    )
    models: list[Text] | None = Field(
        default=None, description="the models that it is about; default: each that has a price"
    )


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


class Privacy(Config):
    """What must not leave this machine."""

    local_only: list[Text] = Field(
        default=[],
        description="labels; a passage with one of them is never sent to a model that is not local",
    )


class Chat(Config):
    """What chat services share while `citewell run` answers there."""

    workers: int = Field(default=8, ge=1, le=200, description="questions answered at once")
    queue: int = Field(
        default=200,
        ge=0,
        description="questions that may wait; who asks beyond that is told to come back; 0: any "
        "number",
    )
    user_per_minute: int = Field(
        default=20, ge=0, description="questions of one person in a minute; 0: any number"
    )
    channel_per_minute: int = Field(
        default=120, ge=0, description="questions in one channel in a minute; 0: any number"
    )
    answer_s: float = Field(
        default=300, gt=0, le=840, description="seconds until an answer is ended where it is"
    )
    drain_s: float = Field(
        default=20,
        ge=0,
        le=600,
        description="seconds in which running answers may end when the process is told to",
    )
    attachment_mb: float = Field(
        default=5, ge=0, le=100, description="larger files of a question are not read; 0: none are"
    )
    keep_questions: bool = Field(
        default=True,
        description="whether the text of a question is kept once it is answered; a follow-up "
        "leans on it",
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        description="days after which what was asked and answered is deleted; default: never",
    )


class Monitoring(Config):
    """What `citewell run` tells machines that watch it: /healthz, /readyz and /metrics."""

    port: int | None = Field(
        default=None, ge=0, le=65535, description="TCP port; 0 takes a free one; default: none"
    )
    host: Text = Field(
        default="127.0.0.1", description="address that it listens on; nothing there asks who calls"
    )


class Arm(Config):
    """One side of an evaluation: a profile, and which of the two factors it has."""

    profile: Text = Field(description="how its questions are answered")
    tuned: bool = Field(default=False, description="whether its model is fine-tuned")
    rag: bool | None = Field(
        default=None, description="whether it retrieves; default: whether the profile does"
    )
    training_cost: float | None = Field(
        default=None, ge=0, description="what its training cost, in the currency of the prices"
    )
    training_s: float | None = Field(
        default=None, ge=0, description="how long its training took, in seconds"
    )


class Eval(Config):
    """What `citewell eval` compares."""

    questions: Path | None = Field(
        default=None, description="file with the questions; default: questions.jsonl"
    )
    labels: Path | None = Field(
        default=None,
        description="file with what people say of answers; default: labels.jsonl beside the "
        "questions",
    )
    arms: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")], Arm] = Field(
        default={}, description="what is compared: a name of your choice to a profile"
    )
    metrics: list[Text] | None = Field(
        default=None, description="the metrics that are computed as well; default: all"
    )
    training_data: list[Path] = Field(
        default=[],
        description="files that models of the arms were tuned on; a question that stands in one "
        "is not asked",
    )
    margin: float = Field(
        default=0.05,
        gt=0,
        le=0.5,
        description="by how much an arm may be worse than the best, as a share of the questions, "
        "and still be taken because it is cheaper",
    )
    adequate: float = Field(
        default=0.0, ge=0, le=1, description="share of right answers below which no arm is taken"
    )
    max_cost: float | None = Field(
        default=None, ge=0, description="what one run may cost, in the currency of the prices"
    )
    machine_per_hour: float = Field(
        default=0.0,
        ge=0,
        description="what an hour of this machine costs; counted for answers of local models",
    )
    seed: int = Field(default=0, description="of everything that is drawn")


class Gate(Config):
    """What a report must show before a backend may go live."""

    min: dict[Text, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={}, description="score to the least mean of it that the backend must have"
    )
    max_drop: float = Field(
        default=0.03,
        ge=0,
        le=1,
        description="by how much the share of right answers may be below that of what answers now",
    )
    changed_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of the questions whose evidence may have changed since the report",
    )
    max_age_days: float = Field(
        default=30, gt=0, le=36_500, description="days until an answer of a report is too old"
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
    "embedder": Component,
    "reranker": Component,
    "engine": Component,
    "verifier": Component,
    "metric": Component,
    "formatter": Component,
    "loader": Component,
    "adapter": Component,
}
NAMED: Mapping[str, type[Config]] = {"profile": Profile, "budget": Budget}
"""Sections with a name of the user's choice that choose no component."""

SINGLES: Mapping[str, type[Config]] = {
    "journal": Journal,
    "privacy": Privacy,
    "chat": Chat,
    "monitoring": Monitoring,
    "cli": Cli,
    "eval": Eval,
    "gate": Gate,
    "plugins": Plugins,
}
TOP_LEVEL = ("data_dir", *COMPONENTS, *NAMED, *SINGLES)
