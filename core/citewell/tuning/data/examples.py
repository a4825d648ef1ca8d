"""What a model learns from: conversations, texts, and answers that people preferred or voted on."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct, to_builtins

from citewell.training import ExampleKind

Kind: TypeAlias = ExampleKind
Role: TypeAlias = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")


class Message(Struct, frozen=True):
    """One message of a conversation."""

    role: Role
    content: str


class Example(Struct, frozen=True, kw_only=True):
    """One example, whatever the form that it was written in.

    Attributes:
        messages: of a conversation, with the answer last; of a preference and of a vote, what is
            answered; empty for plain text.
        text: plain text, where that is all.
        chosen: the answer of a preference that is better.
        rejected: the one that is worse.
        answer: what was voted on.
        is_good: the vote.
        documents: ids of what it was made from; examples of one document belong together.
        origin: what it was made from, to be looked up again.
        teaches: what it was made for, as `citewell data build` says; empty for any other.
        line: of its file, from 1; of a table that has no lines, its row.
    """

    kind: Kind
    messages: tuple[Message, ...] = ()
    text: str = ""
    chosen: str = ""
    rejected: str = ""
    answer: str = ""
    is_good: bool = False
    documents: tuple[str, ...] = ()
    origin: str = ""
    teaches: str = ""
    line: int = 0

    @property
    def asked(self) -> str:
        """What the model is given, without the system's message."""
        told = self.messages[:-1] if self.kind is Kind.CHAT else self.messages
        return "\n\n".join(one.content for one in told if one.role != "system")

    @property
    def placed(self) -> tuple[tuple[str, str], ...]:
        """Every text of it, in order, with the name of its field."""
        name = "messages" if self.kind is Kind.CHAT else "prompt"
        found = [(f"{name}[{at}]", one.content) for at, one in enumerate(self.messages)]
        match self.kind:
            case Kind.TEXT:
                found.append(("text", self.text))
            case Kind.PREFERENCE:
                found += [("chosen", self.chosen), ("rejected", self.rejected)]
            case Kind.VOTE:
                found.append(("completion", self.answer))
        return tuple(found)

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of it, in order."""
        return tuple(text for _, text in self.placed)

    @property
    def chars(self) -> int:
        """How many characters of it are trained on at once."""
        longest = max(map(len, (self.text, self.chosen, self.rejected, self.answer)))
        return sum(len(one.content) for one in self.messages) + longest

    def row(self) -> dict[str, Any]:
        """Return it as a row of a file, in the form that trainers take."""
        lineage: dict[str, Any] = {}
        if self.documents:
            lineage["documents"] = list(self.documents)
        lineage |= {
            name: value
            for name, value in (("origin", self.origin), ("teaches", self.teaches))
            if value
        }
        return {**self._content(), **lineage}

    def _content(self) -> dict[str, Any]:
        messages = to_builtins(self.messages)
        match self.kind:
            case Kind.CHAT:
                return {"messages": messages}
            case Kind.TEXT:
                return {"text": self.text}
            case Kind.PREFERENCE:
                answers = {"chosen": self.chosen, "rejected": self.rejected}
            case Kind.VOTE:
                answers = {"completion": self.answer}
        told = {name: [{"role": "assistant", "content": one}] for name, one in answers.items()}
        label = {"label": self.is_good} if self.kind is Kind.VOTE else {}
        return {"prompt": messages, **told, **label}
