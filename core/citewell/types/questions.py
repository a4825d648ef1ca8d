"""Questions, who asks them, the prompts that they become, and what a model gives back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct, field

from citewell.types.documents import Labels, Passage, PassageRef


class Audience(Struct, frozen=True):
    """Who will see an answer: the frozen set of its readers' label sets.

    A person is one set; a channel is one per distinct reader. An audience without any reader may
    see nothing.
    """

    readers: frozenset[Labels]

    @classmethod
    def of(cls, *labels: str) -> Audience:
        """Return the audience of one reader with these labels."""
        return cls(frozenset({frozenset(labels)}))

    def may_read(self, labels: Labels) -> bool:
        """Tell whether every reader shares a label with `labels`."""
        return bool(self.readers) and all(reader & labels for reader in self.readers)


EVERYONE = "everyone"


class Turn(Struct, frozen=True):
    """One earlier message of a conversation; citation marks are already removed.

    Attributes:
        labels: of the passages that it was written or asked from.
        passages: these passages, and those that the turns before it were written from.
    """

    role: Literal["user", "assistant"]
    text: str
    labels: Labels = frozenset()
    passages: tuple[PassageRef, ...] = ()


class Attached(Struct, frozen=True, kw_only=True):
    """What a question is about, in words that are not the asker's: data, and no source.

    Attributes:
        kind: a message of somebody else, or a file that came with the question.
        name: of the file; empty for a message.
    """

    kind: Literal["message", "file"]
    name: str = ""
    text: str


class Question(Struct, frozen=True, kw_only=True):
    """What somebody asked, of whom it will be seen, and what was said before.

    Attributes:
        history: earlier turns, oldest first.
        profile: name of the profile that shall answer; None lets the routing choose.
        asker: who asked, as the platform names them; None in the terminal.
        channel: where, as the platform names it; None in the terminal.
        attached: what it is about.
        event: number of the event that it came with; None in the terminal.
        again: id of the answer whose question it asks once more: the words may be another's, and
            are kept there alone.
    """

    id: str
    text: str
    audience: Audience
    history: tuple[Turn, ...] = ()
    profile: str | None = None
    asker: str | None = None
    channel: str | None = None
    attached: tuple[Attached, ...] = ()
    event: int | None = None
    again: str = ""


class Query(Struct, frozen=True, kw_only=True):
    """What a retriever looks for.

    Attributes:
        text: in the asker's words; a follow-up carries words of the question before it.
        language: ISO 639-1 code, or None for every language of the index.
    """

    text: str
    language: str | None = None


class OutputSchema(Struct, frozen=True):
    """The output must be JSON that satisfies this JSON Schema."""

    schema: Mapping[str, object]


class Choices(Struct, frozen=True):
    """The output must be one of these strings."""

    choices: tuple[str, ...]


class Marks(Struct, frozen=True):
    """The output is free text in which a citation mark carries a number from 1 to `highest`."""

    highest: int


Constraint: TypeAlias = Marks | OutputSchema | Choices


class Generation(Struct, frozen=True, kw_only=True):
    """Bounds of one generation.

    Attributes:
        max_output_tokens: at most this many tokens.
        timeout_s: from the first request to the last token.
        temperature: 0 is greedy.
        stop: strings that end the output and are not part of it.
        seed: for models that claim `seeded`.
    """

    max_output_tokens: int = 1024
    timeout_s: float = 120.0
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    seed: int = 0


class Prompt(Struct, frozen=True, kw_only=True):
    """Everything a model gets, as data; `citewell.chat_messages` lays it out as text.

    Attributes:
        passages: number 1 is the first; empty when the profile has no retriever.
        question: in the asker's words; empty where they attached a message and said nothing.
        refusal: the sentence that says that the passages do not hold the answer.
        attached: what the question is about; no instruction, and no source.
    """

    instructions: str
    question: str
    refusal: str
    passages: tuple[Passage, ...] = ()
    turns: tuple[Turn, ...] = ()
    attached: tuple[Attached, ...] = ()
    constraint: Constraint | None = None
    generation: Generation = field(default_factory=Generation)


class Delta(Struct, frozen=True):
    """The next piece of a model's output; any number of characters, also none."""

    text: str


class Usage(Struct, frozen=True, kw_only=True):
    """The last item of a generation.

    Attributes:
        reused_tokens: of the input, those that were computed for an earlier prompt.
        passages: how many passages, from the first, fitted the model's context; None for all.
        turns: how many earlier turns, from the last, fitted it; None for all.
        cost: in the currency that the model's config names; None when unknown.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    reused_tokens: int = 0
    passages: int | None = None
    turns: int | None = None
    cost: float | None = None
    finish: Literal["stop", "length", "cancelled"] = "stop"
