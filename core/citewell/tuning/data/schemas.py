"""The forms that people write examples in: detected by their fields, one form a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from citewell.engine.nearest import nearest
from citewell.tuning.data.controls import CONTROLS
from citewell.tuning.data.examples import Example, Kind, Message
from citewell.tuning.data.fields import (
    Fault,
    Invalid,
    name_there,
    one_turn,
    read_answer,
    read_asked,
    read_messages,
    read_text,
    with_system,
)
from citewell.tuning.data.problems import Concern, named, shown

# What people call a question and its answer elsewhere.
_OTHER_NAMES: Mapping[str, str] = {
    "question": "prompt",
    "query": "prompt",
    "answer": "completion",
    "reply": "completion",
    "target": "completion",
    "content": "text",
    "body": "text",
    "dialogue": "conversations",
    "dialog": "conversations",
    "turns": "conversations",
    "thumbs_up": "label",
}
_YES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_LINEAGE = {"documents", "document", "origin", "teaches"}


class Schema(Struct, frozen=True, kw_only=True):
    """A form of examples.

    Attributes:
        name: in the words of its users.
        kind: of the examples.
        fields: names that a row must have; of each tuple one.
        optional: names that it may have.
        build: makes an example of a row, or raises `Invalid`.
    """

    name: str
    kind: Kind
    fields: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()
    build: Callable[[Mapping[str, Any]], Example]

    def fits(self, names: Iterable[str]) -> bool:
        """Tell whether a row with fields of these names is in this form."""
        there = set(names)
        return all(there.intersection(one) for one in self.fields)

    def unused(self, names: Iterable[str]) -> list[str]:
        """Return the names that nothing is made of."""
        known = {name for one in self.fields for name in one} | {*self.optional, *_LINEAGE}
        return [name for name in names if name not in known]

    @property
    def described(self) -> str:
        """Its name, with the fields that make it."""
        return f"{self.name} ({', '.join(' or '.join(one) for one in self.fields)})"


def detect(values: Mapping[str, Any]) -> Schema | None:
    """Return the form of a row; None where it is in none."""
    there = [name for name, value in values.items() if value is not None]
    return next((one for one in SCHEMAS if one.fits(there)), None)


def unknown_form(values: Mapping[str, Any]) -> Fault:
    """Say that a row is in no form that is known."""
    there = [name for name, value in values.items() if value is not None]
    names = ", ".join(shown(name) for name in there[:8]) or "no field"
    every = {name for one in SCHEMAS for field in one.fields for name in field}
    near = [(name, _OTHER_NAMES.get(name.lower()) or nearest(name, every)) for name in there]
    hints = [f"{shown(name)} to {found}" for name, found in near if found and found != name]
    fix = f"rename {' and '.join(hints[:2])}" if hints else "rename its fields"
    forms = "; ".join(one.described for one in SCHEMAS)
    return "", Concern.SCHEMA, f"has {names}", f"one of these forms: {forms}", fix


def lineage(values: Mapping[str, Any], by: str | None) -> dict[str, Any]:
    """Return from what a row says that it was made; `by` names the field that tells its document.

    Raises:
        Invalid: it says so in another form.
    """
    several = values.get("documents")
    name = by or ("document" if several is None or several == "" else "documents")
    told = values.get(name)
    if told is None or told == "":
        told = ()
    if isinstance(told, str) and told.lstrip().startswith("["):
        told = _listed(told)
    if isinstance(told, str | int) and not isinstance(told, bool):
        told = (str(told),)
    if not isinstance(told, Sequence) or not all(isinstance(one, str) for one in told):
        raise Invalid((name, Concern.FIELD, f"is {named(told)}", "a list of names", "write one"))
    if any(map(CONTROLS.search, told)):
        raise Invalid((name, Concern.CONTROL, "holds a control character", "names", "mend it"))
    plain = {}
    for field in ("origin", "teaches"):
        said = values.get(field) or ""
        if not isinstance(said, str):
            raise Invalid((field, Concern.FIELD, f"is {named(said)}", "a text", "write one"))
        if CONTROLS.search(said):
            raise Invalid((
                field,
                Concern.CONTROL,
                "holds a control character",
                "a text",
                "mend it",
            ))
        plain[field] = said
    return {"documents": tuple(told), **plain}


def _listed(text: str) -> Any:
    """Return the list that a cell of a table holds as JSON; the text itself where it is none."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return found if isinstance(found, list) else text


# --- the forms ------------------------------------------------------------------------------


def _chat(values: Mapping[str, Any]) -> Example:
    return Example(kind=Kind.CHAT, messages=read_messages("messages", values["messages"]))


def _conversation(values: Mapping[str, Any]) -> Example:
    messages = read_messages("conversations", values["conversations"])
    return Example(kind=Kind.CHAT, messages=with_system(values, messages))


def _instruction(values: Mapping[str, Any]) -> Example:
    asked = read_text(values, "instruction")
    if given := read_text(values, "input", default=""):
        asked = f"{asked}\n\n{given}"
    answer = read_text(values, name_there(values, "output", "response"))
    return Example(kind=Kind.CHAT, messages=with_system(values, one_turn(asked, answer)))


def _prompt(values: Mapping[str, Any]) -> Example:
    name = name_there(values, "completion", "response")
    messages = read_asked(values, "prompt")
    answer = Message("assistant", read_answer(values, name))
    return Example(kind=Kind.CHAT, messages=(*with_system(values, messages), answer))


def _input(values: Mapping[str, Any]) -> Example:
    messages = one_turn(read_text(values, "input"), read_text(values, "output"))
    return Example(kind=Kind.CHAT, messages=with_system(values, messages))


def _plain(values: Mapping[str, Any]) -> Example:
    return Example(kind=Kind.TEXT, text=read_text(values, "text"))


def _preference(values: Mapping[str, Any]) -> Example:
    return Example(
        kind=Kind.PREFERENCE,
        messages=with_system(values, read_asked(values, "prompt")),
        chosen=read_answer(values, "chosen"),
        rejected=read_answer(values, "rejected"),
    )


def _vote(values: Mapping[str, Any]) -> Example:
    label = values["label"]
    if isinstance(label, str):
        label = _YES.get(label.strip().lower(), label)
    if isinstance(label, int | float) and label in {0, 1}:
        label = bool(label)
    if not isinstance(label, bool):
        said = f'is "{shown(label)}"' if isinstance(label, str) else f"is {named(label)}"
        raise Invalid(("label", Concern.FIELD, said, "true or false", "write one of them"))
    return Example(
        kind=Kind.VOTE,
        messages=with_system(values, read_asked(values, "prompt")),
        answer=read_answer(values, "completion"),
        is_good=label,
    )


SCHEMAS: tuple[Schema, ...] = (
    Schema(
        name="preference",
        kind=Kind.PREFERENCE,
        fields=(("prompt",), ("chosen",), ("rejected",)),
        optional=("system",),
        build=_preference,
    ),
    Schema(
        name="vote",
        kind=Kind.VOTE,
        fields=(("prompt",), ("completion",), ("label",)),
        optional=("system",),
        build=_vote,
    ),
    Schema(name="messages", kind=Kind.CHAT, fields=(("messages",),), build=_chat),
    Schema(
        name="conversations",
        kind=Kind.CHAT,
        fields=(("conversations",),),
        optional=("system",),
        build=_conversation,
    ),
    Schema(
        name="instruction+output",
        kind=Kind.CHAT,
        fields=(("instruction",), ("output", "response")),
        optional=("input", "system"),
        build=_instruction,
    ),
    Schema(
        name="prompt+completion",
        kind=Kind.CHAT,
        fields=(("prompt",), ("completion", "response")),
        optional=("system",),
        build=_prompt,
    ),
    Schema(
        name="input+output",
        kind=Kind.CHAT,
        fields=(("input",), ("output",)),
        optional=("system",),
        build=_input,
    ),
    Schema(name="text", kind=Kind.TEXT, fields=(("text",),), build=_plain),
)
"""In the order in which they are looked for: the first whose fields are there."""

FIELDS = _LINEAGE.union(
    *(one.optional for one in SCHEMAS), *(name for one in SCHEMAS for name in one.fields)
)
"""Names of all that is read."""

LISTS = frozenset({"messages", "conversations", "prompt", "completion", "chosen", "rejected"})
"""Names of what may be a list of messages."""
