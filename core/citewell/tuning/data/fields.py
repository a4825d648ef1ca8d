"""What single fields of a row hold: texts, and messages in the ways that people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from citewell.engine.nearest import nearest
from citewell.tuning.data.examples import ROLES, Message, Role
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


class Invalid(Exception):
    """A row holds no example; `faults` says why."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults."""
        super().__init__()
        self.faults = faults


def name_there(values: Mapping[str, Any], *names: str) -> str:
    """Return the first of these names whose field holds something; one does."""
    return next(name for name in names if values.get(name) is not None)


def read_text(values: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Return a text; the default, if there is one, where the field is missing.

    Raises:
        Invalid: it is none.
    """
    value = values.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise Invalid((name, Concern.FIELD, f"is {named(value)}", "a text", "write one"))
    return value


def one_turn(asked: str, answer: str) -> tuple[Message, ...]:
    """Return a question with its answer."""
    return Message("user", asked), Message("assistant", answer)


def with_system(values: Mapping[str, Any], messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return messages behind what the field `system` says, if there is one."""
    system = read_text(values, "system", default="")
    return (Message("system", system), *messages) if system else messages


def read_asked(values: Mapping[str, Any], name: str) -> tuple[Message, ...]:
    """Return what is answered: a text, or messages.

    Raises:
        Invalid: it is neither.
    """
    value = values[name]
    return (Message("user", value),) if isinstance(value, str) else read_messages(name, value)


def read_answer(values: Mapping[str, Any], name: str) -> str:
    """Return an answer: a text, or a list with one message.

    Raises:
        Invalid: it is neither.
    """
    value = values[name]
    if isinstance(value, str):
        return value
    messages = read_messages(name, value)
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


def read_messages(name: str, value: object) -> tuple[Message, ...]:
    """Return the messages that a field holds.

    Raises:
        Invalid: with what is wrong about each of them.
    """
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
