"""Reads the tables of a settings file one at a time, and notes what is wrong with each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from msgspec import Struct, field
from pydantic import BaseModel

from citewell.engine.credentials import Revealing
from citewell.engine.problems import Expected, Key, Problems, validated

M = TypeVar("M", bound=BaseModel)

# Names become folder names, so case must not tell two of them apart.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Checked(Struct, Generic[M], frozen=True):
    """A table that is right.

    Attributes:
        missing: one line for each secret that is named and not there.
        files: that secrets stand in.
    """

    model: M
    missing: tuple[str, ...]
    files: tuple[Path, ...]


class TableReader(Struct, frozen=True):
    """The tables of one file.

    Attributes:
        data: the file as TOML gives it.
        missing: every secret that is named and not there, so far.
    """

    data: Mapping[str, Any]
    base_dir: Path
    problems: Problems
    missing: list[str] = field(default_factory=list)

    def single(self, name: str, model: type[M]) -> M:
        """Return the table `name`, or its defaults where it is absent or wrong."""
        if name not in self.data:
            return model.model_construct()
        table = self.data[name]
        if not isinstance(table, dict):
            self.problems.add((name,), f"expected a table, [{name}]")
            return model.model_construct()
        checked = self.checked(model, (name,), table, owner=f"[{name}]")
        return model.model_construct() if checked is None else checked.model

    def sections(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield name and table of the sections of `kind` whose form is right."""
        group = self.data.get(kind, {})
        if not isinstance(group, dict):
            self.problems.add((kind,), f"expected sections like [{kind}.NAME]")
            return
        for name, table in group.items():
            if not isinstance(table, dict):
                message = f"expected a section with a name of your choice, like [{kind}.NAME]"
                self.problems.add((kind, name), message)
            elif NAME.fullmatch(name) is None:
                message = "expected a name of at most 64 lower-case letters, digits, - and _"
                self.problems.add((kind, name), message)
            else:
                yield name, table

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of all sections of `kind`, right or wrong."""
        group = self.data.get(kind, {})
        return tuple(group) if isinstance(group, dict) else ()

    def checked(
        self,
        model: type[M],
        key: Key,
        table: Mapping[str, Any],
        *,
        owner: str,
        beside: tuple[str, ...] = (),
    ) -> Checked[M] | None:
        """Return the table as a `model`, or None after noting what is wrong.

        Args:
            model: what is expected.
            key: where the table stands.
            table: without the settings that are read elsewhere.
            owner: whose settings they are, for messages.
            beside: names of the settings that are read elsewhere.
        """
        before = len(self.problems.found)
        revealing = Revealing(key, self.base_dir, self.problems)
        at = Expected(
            key=key,
            data=revealing.table(model, table),
            owner=owner,
            known=(*beside, *model.model_fields),
            hidden=revealing.hidden,
        )
        found = validated(model, at, self.problems)
        self.missing.extend(revealing.missing)
        if found is None or len(self.problems.found) > before:
            return None
        return Checked(found, tuple(revealing.missing), tuple(revealing.files))
