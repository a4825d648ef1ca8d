"""The forms that people write examples in: detected by their fields, one form a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from citewell.engine.nearest import nearest
from citewell.tuning.data.controls import CONTROLS
from citewell.tuning.data.examples import ROLES, Example, Kind, Message, Role
from citewell.tuning.data.problems import Concern, named, shown

Fault: TypeAlias = tuple[str, Concern, str, str, str]
"""Field, concern, what is wrong, what was expected, what mends it."""

# ShareGPT's names, and those that its users gave to the same things.
_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "bot": "assistant",
    "model": "assistant",
}
_TOOLS = {"tool", "function", "function_call", "observation", "tool_call", "tool_response"}
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


class Invalid(Exception):
    """A row holds no example; `faults` says why."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults."""
        super().__init__()
        self.faults = faults


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
    return Example(kind=Kind.CHAT, messages=_messages("messages", values["messages"]))


def _conversation(values: Mapping[str, Any]) -> Example:
    messages = _messages("conversations", values["conversations"])
    return Example(kind=Kind.CHAT, messages=_with_system(values, messages))


def _instruction(values: Mapping[str, Any]) -> Example:
    asked = _text(values, "instruction")
    if given := _text(values, "input", default=""):
        asked = f"{asked}\n\n{given}"
    answer = _text(values, _name(values, "output", "response"))
    return Example(kind=Kind.CHAT, messages=_with_system(values, _turn(asked, answer)))


def _prompt(values: Mapping[str, Any]) -> Example:
    name = _name(values, "completion", "response")
    messages = _asked(values, "prompt")
    answer = Message("assistant", _answer(values, name))
    return Example(kind=Kind.CHAT, messages=(*_with_system(values, messages), answer))


def _input(values: Mapping[str, Any]) -> Example:
    messages = _turn(_text(values, "input"), _text(values, "output"))
    return Example(kind=Kind.CHAT, messages=_with_system(values, messages))


def _plain(values: Mapping[str, Any]) -> Example:
    return Example(kind=Kind.TEXT, text=_text(values, "text"))


def _preference(values: Mapping[str, Any]) -> Example:
    return Example(
        kind=Kind.PREFERENCE,
        messages=_with_system(values, _asked(values, "prompt")),
        chosen=_answer(values, "chosen"),
        rejected=_answer(values, "rejected"),
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
        messages=_with_system(values, _asked(values, "prompt")),
        answer=_answer(values, "completion"),
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


# --- fields ---------------------------------------------------------------------------------


def _name(values: Mapping[str, Any], *names: str) -> str:
    return next(name for name in names if values.get(name) is not None)


def _text(values: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = values.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise Invalid((name, Concern.FIELD, f"is {named(value)}", "a text", "write one"))
    return value


def _turn(asked: str, answer: str) -> tuple[Message, ...]:
    return Message("user", asked), Message("assistant", answer)


def _with_system(values: Mapping[str, Any], messages: tuple[Message, ...]) -> tuple[Message, ...]:
    system = _text(values, "system", default="")
    return (Message("system", system), *messages) if system else messages


def _asked(values: Mapping[str, Any], name: str) -> tuple[Message, ...]:
    """Return what is answered: a text, or messages."""
    value = values[name]
    return (Message("user", value),) if isinstance(value, str) else _messages(name, value)


def _answer(values: Mapping[str, Any], name: str) -> str:
    """Return an answer: a text, or a list with one message."""
    value = values[name]
    if isinstance(value, str):
        return value
    messages = _messages(name, value)
    if len(messages) != 1 or messages[0].role != "assistant":
        said = f"is {len(messages)} messages" if len(messages) != 1 else "is not the assistant's"
        raise Invalid((
            name,
            Concern.FIELD,
            said,
            "one message of the assistant",
            "leave the others out",
        ))
    return messages[0].content


def _messages(name: str, value: object) -> tuple[Message, ...]:
    if not isinstance(value, list):
        raise Invalid((
            name,
            Concern.FIELD,
            f"is {named(value)}",
            "a list of messages",
            "write one",
        ))
    found: list[Message] = []
    faults: list[Fault] = []
    for at, one in enumerate(value):
        try:
            found.append(_message(f"{name}[{at}]", one))
        except Invalid as invalid:
            faults += invalid.faults
    if faults:
        raise Invalid(*faults)
    return tuple(found)


def _message(place: str, value: object) -> Message:
    if not isinstance(value, dict):
        expected = 'an object with "role" and "content"'
        raise Invalid((place, Concern.FIELD, f"is {named(value)}", expected, "write one"))
    role_name = "from" if "from" in value and "role" not in value else "role"
    content_name = "value" if "value" in value and "content" not in value else "content"
    faults: list[Fault] = []
    role: Role | None = None
    content: str | None = None
    try:
        role = _role(f"{place}.{role_name}", value.get(role_name))
    except Invalid as invalid:
        faults += invalid.faults
    try:
        content = _content(f"{place}.{content_name}", value.get(content_name))
    except Invalid as invalid:
        faults += invalid.faults
    if value.get("tool_calls"):
        faults.append(_tool(f"{place}.tool_calls"))
    if faults or role is None or content is None:
        raise Invalid(*faults)
    return Message(role, content)


def _role(place: str, value: object) -> Role:
    expected, fix = ", ".join(ROLES[:-1]) + f" or {ROLES[-1]}", "write one of them"
    if not isinstance(value, str):
        said = "is missing" if value is None else f"is {named(value)}"
        raise Invalid((place, Concern.ROLE, said, expected, fix))
    if value.strip().lower() in _TOOLS:
        raise Invalid(_tool(place))
    found = _ROLES.get(value.strip().lower())
    if found is None:
        near = nearest(value, _ROLES)
        hint = f"write {_ROLES[near]}" if near else fix
        raise Invalid((place, Concern.ROLE, f'"{shown(value)}" is no role', expected, hint))
    return found


def _tool(place: str) -> Fault:
    return (
        place,
        Concern.ROLE,
        "is a call of a tool",
        "what people and the assistant say, as a model answers here without tools",
        "delete the example, or write what the assistant should say",
    )


def _content(place: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_part(f"{place}[{at}]", one) for at, one in enumerate(value))
    said = "is missing" if value is None else f"is {named(value)}"
    raise Invalid((place, Concern.FIELD, said, "a text", "write one"))


def _part(place: str, value: object) -> str:
    if isinstance(value, dict) and value.get("type") == "text":
        if isinstance(value.get("text"), str):
            return str(value["text"])
        said = f"is {named(value.get('text'))}"
        raise Invalid((f"{place}.text", Concern.FIELD, said, "a text", "write one"))
    kind = value.get("type") if isinstance(value, dict) else None
    said = f"is of the type {shown(kind)}" if kind else f"is {named(value)}"
    fix = "delete the example, or what is no text of it"
    expected = 'text alone, as an object with the type "text"'
    raise Invalid((place, Concern.FIELD, said, expected, fix))
