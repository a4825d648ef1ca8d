"""How a piece of JSON must look, and where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Rule: TypeAlias = Callable[[object, str], None]
"""Raises `Malformed` where a value at a JSON pointer is not allowed."""


class Malformed(Exception):
    """A value that Slack would not take."""

    def __init__(self, problem: str, pointer: str) -> None:
        super().__init__(f"[ERROR] {problem} [json-pointer:{pointer}]")


def string(most: int | None = None, *, least: int = 1) -> Rule:
    """Allow text of this many characters."""

    def check(value: object, pointer: str) -> None:
        if not isinstance(value, str):
            raise Malformed("must provide a string", pointer)
        if len(value) < least:
            raise Malformed(f"must be more than {least - 1} characters", pointer)
        if most is not None and len(value) > most:
            raise Malformed(f"must be less than {most + 1} characters", pointer)

    return check


def one_of(*values: object) -> Rule:
    """Allow these values."""

    def check(value: object, pointer: str) -> None:
        if value not in values:
            raise Malformed(f"must be one of {', '.join(map(str, values))}", pointer)

    return check


def boolean(value: object, pointer: str) -> None:
    """Allow true and false."""
    if not isinstance(value, bool):
        raise Malformed("must provide a boolean", pointer)


def number(value: object, pointer: str) -> None:
    """Allow whole numbers from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Malformed("must provide a number", pointer)


def anything(value: object, pointer: str) -> None:
    """Allow whatever there is."""


def listed(rule: Rule, most: int | None = None, *, least: int = 1) -> Rule:
    """Allow a list of this many values."""

    def check(value: object, pointer: str) -> None:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise Malformed("must provide a list", pointer)
        if len(value) < least:
            raise Malformed(f"no less than {least} items allowed", pointer)
        if most is not None and len(value) > most:
            raise Malformed(f"no more than {most} items allowed", pointer)
        for index, one in enumerate(value):
            rule(one, f"{pointer}/{index}")

    return check


def shaped(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """Allow objects with these fields, and no others beside `type`."""
    known = {"type": anything, **required, **(optional or {})}

    def check(value: object, pointer: str) -> None:
        if not isinstance(value, Mapping):
            raise Malformed("must provide an object", pointer)
        for name in required:
            if name not in value:
                raise Malformed(f"missing required field: {name}", pointer)
        for name, field in value.items():
            if name not in known:
                raise Malformed(f"additional property: {name}", pointer)
            known[name](field, f"{pointer}/{name}")

    return check


def typed(kinds: Mapping[str, Rule]) -> Rule:
    """Allow objects of these types, each with its own rule."""

    def check(value: object, pointer: str) -> None:
        if not isinstance(value, Mapping):
            raise Malformed("must provide an object", pointer)
        rule = kinds.get(str(value.get("type")))
        if rule is None:
            raise Malformed(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        rule(value, pointer)

    return check
