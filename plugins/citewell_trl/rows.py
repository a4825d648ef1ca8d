"""The examples, from their file into the form that TRL learns from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from citewell.children import ChildFailed
from citewell.training import ExampleKind

Message: TypeAlias = Mapping[str, str]
Columns: TypeAlias = Mapping[str, Any]

_ROLES = frozenset(("system", "user", "assistant"))


class Row(Struct, frozen=True):
    """An example.

    Attributes:
        line: of the file.
        columns: as TRL names them. Source: https://huggingface.co/docs/trl/dataset_formats.
    """

    line: int
    columns: Columns


def read_rows(path: Path, kind: ExampleKind) -> list[Row]:
    """Return the examples of a file.

    Raises:
        ChildFailed: it has none, or a line is none of `kind`; says which.
    """
    rows = list(_rows(path, _SHAPES[kind]))
    if not rows:
        raise ChildFailed(f"{path}: holds no examples; expected a JSON object a line: write some")
    return rows


def _rows(path: Path, shape: Callable[[Mapping[str, Any]], Columns]) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Row(number, _columns(f"{path}:{number}", line, shape))
    except UnicodeDecodeError as error:
        raise ChildFailed(f"{path}: is no UTF-8 text; run citewell data check on it") from error
    except OSError as error:
        raise ChildFailed(f"{path}: cannot be read: {error.strerror}; check the path") from error


def _columns(place: str, line: str, shape: Callable[[Mapping[str, Any]], Columns]) -> Columns:
    try:
        return shape(_object(line))
    except _Misshaped as error:
        raise ChildFailed(f"{place}: {error}; run citewell data check on the file") from None
    except ValueError as error:
        raise ChildFailed(f"{place}: is no JSON: {error}; run citewell data check") from error


def _object(line: str) -> Mapping[str, Any]:
    found = json.loads(line)
    if not isinstance(found, dict):
        raise _Misshaped("is no JSON object")
    return found


class _Misshaped(Exception):
    """A line is no example of its kind; says how."""


def _chat(found: Mapping[str, Any]) -> Columns:
    *before, answer = _messages(found, "messages")
    if answer["role"] != "assistant" or not before:
        raise _Misshaped("messages ends without an answer of the assistant to something")
    # Only what stands in `completion` is learnt; the rest is what it answers.
    return {"prompt": before, "completion": [answer]}


def _text(found: Mapping[str, Any]) -> Columns:
    return {"text": _string(found, "text")}


def _preference(found: Mapping[str, Any]) -> Columns:
    return {name: _messages(found, name) for name in ("prompt", "chosen", "rejected")}


def _vote(found: Mapping[str, Any]) -> Columns:
    label = found.get("label")
    if not isinstance(label, bool):
        raise _Misshaped("label is neither true nor false")
    messages = {name: _messages(found, name) for name in ("prompt", "completion")}
    return {**messages, "label": label}


def _messages(found: Mapping[str, Any], name: str) -> list[Message]:
    messages = found.get(name)
    if not isinstance(messages, list) or not messages:
        raise _Misshaped(f"{name} is no list of messages")
    return [_message(one, f"{name}[{at}]") for at, one in enumerate(messages)]


def _message(found: object, place: str) -> Message:
    if not isinstance(found, dict):
        raise _Misshaped(f"{place} is no message")
    if found.get("role") not in _ROLES:
        raise _Misshaped(f"{place}.role is none of {', '.join(sorted(_ROLES))}")
    return {"role": found["role"], "content": _string(found, "content", f"{place}.content")}


def _string(found: Mapping[str, Any], name: str, place: str = "") -> str:
    text = found.get(name)
    if not isinstance(text, str) or not text:
        raise _Misshaped(f"{place or name} is no text")
    return text


_SHAPES: Mapping[ExampleKind, Callable[[Mapping[str, Any]], Columns]] = {
    ExampleKind.CHAT: _chat,
    ExampleKind.TEXT: _text,
    ExampleKind.PREFERENCE: _preference,
    ExampleKind.VOTE: _vote,
}
