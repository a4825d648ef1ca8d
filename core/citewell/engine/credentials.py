"""Secrets: named in the settings, kept in the environment or in a file of their own."""

from __future__ import annotations

import os
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct, field
from pydantic import BaseModel, SecretStr

from citewell.engine.problems import Key, Problems, dotted
from citewell.redaction import remember

_FORMS = '{ env = "NAME" } or { file = "PATH" }'
# Stands for a secret that is not there yet, so that everything else can be checked.
_ABSENT = "absent"


class Revealing(Struct):
    """Puts secrets in place of their names, in a table whose place is `key`.

    Attributes:
        hidden: where in the table secrets stand.
        missing: one line for each secret that is named and not there.
        files: that secrets stand in.
    """

    key: Key
    base_dir: Path
    problems: Problems
    hidden: set[Key] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def table(self, model: type[BaseModel], data: Mapping[str, Any], at: Key = ()) -> Any:
        """Return `data` with the secrets of `model` in place."""
        fields = {
            field.alias or name: field.annotation for name, field in model.model_fields.items()
        }
        return {key: self._value(fields.get(key), one, (*at, key)) for key, one in data.items()}

    def _value(self, annotation: Any, value: Any, at: Key) -> Any:
        if _holds_secret(annotation) and value not in _words(annotation):
            self.hidden.add(at)
            return self._secret(value, at)
        for member in _members(annotation):
            if isinstance(value, dict) and isinstance(member, type):
                if issubclass(member, BaseModel):
                    return self.table(member, value, at)
            elif isinstance(value, dict) and get_origin(member) in {dict, Mapping}:
                inner = get_args(member)[1]
                return {key: self._value(inner, one, (*at, key)) for key, one in value.items()}
            elif isinstance(value, list) and get_args(member):
                inner = get_args(member)[0]
                return [self._value(inner, one, (*at, i)) for i, one in enumerate(value)]
        return value

    def _secret(self, value: Any, at: Key) -> str | None:
        key = (*self.key, *at)
        form = next(iter(value.items())) if isinstance(value, dict) and len(value) == 1 else None
        if form is None or form[0] not in {"env", "file"} or not isinstance(form[1], str):
            self.problems.add(key, f"expected {_FORMS}: a secret never stands in the settings")
            return _ABSENT
        secret = self._from_env(form[1]) if form[0] == "env" else self._from_file(form[1])
        remember(secret)
        if not secret:
            where = f"{form[0]} {form[1]}"
            self.missing.append(
                f"{dotted(key)}: its secret is not there: {where} is empty or unset"
            )
        return secret or _ABSENT

    @staticmethod
    def _from_env(name: str) -> str:
        return os.environ.get(name, "")

    def _from_file(self, path: str) -> str:
        try:
            file = self.base_dir / Path(path).expanduser()
            self.files.append(file)
            return file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError, RuntimeError):
            return ""


def _members(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself."""
    if get_origin(annotation) in {Union, types.UnionType}:
        return get_args(annotation)
    return (annotation,)


def _holds_secret(annotation: Any) -> bool:
    return SecretStr in _members(annotation)


def _words(annotation: Any) -> list[Any]:
    """Return what may stand in the settings in place of a secret."""
    return [
        word
        for member in _members(annotation)
        if get_origin(member) is Literal
        for word in get_args(member)
    ]
