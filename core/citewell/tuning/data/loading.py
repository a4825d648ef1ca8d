"""A file of examples: what it holds, in which form, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from citewell.errors import ConfigError
from citewell.tuning.data.checking import faults
from citewell.tuning.data.examples import Example, Kind
from citewell.tuning.data.fields import Fault, Invalid
from citewell.tuning.data.problems import Concern, Problem
from citewell.tuning.data.rows import Row, rows
from citewell.tuning.data.schemas import Schema, detect, lineage, unknown_form

_SHOWN = 5


class Loaded(Struct, kw_only=True):
    """What a file holds.

    Attributes:
        schema: of its rows; None where no row is in a known form.
        examples: those that nothing is wrong with, in the order of the file.
        rows: how many rows it has, these and others.
        problems: in the order of the file.
        unused: names of fields that nothing is made of, with the number of rows that have them.
        mendable: examples that only hold control characters.
    """

    path: Path
    schema: Schema | None = None
    examples: list[Example] = field(default_factory=list)
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)
    mendable: list[Example] = field(default_factory=list)

    @property
    def broken_off(self) -> Problem | None:
        """What ended the reading before the end of the file; None where nothing did."""
        return next((one for one in self.problems if one.is_end), None)

    @property
    def errors(self) -> list[Problem]:
        """What keeps rows from being trained on."""
        return [one for one in self.problems if one.is_error]


def load(path: Path, told: Callable[[int], None] | None = None, *, by: str | None = None) -> Loaded:
    """Read a file of examples, whatever is wrong with it.

    Args:
        path: of the file; see `rows` for what its name says.
        by: the field that names the document of an example; None for `documents`.
        told: given now and then how many rows are read.

    Raises:
        MissingExtra: it needs a package that is not installed.
    """
    loaded = Loaded(path=path)
    for row in rows(path, loaded.problems.append, by=by):
        loaded.rows += 1
        _take(loaded, row, by)
        if told is not None:
            told(loaded.rows)
    loaded.problems.sort(key=lambda one: one.line)
    if not loaded.rows and not loaded.problems:
        problem = Problem(
            file=path,
            concern=Concern.FILE,
            said="holds no example",
            expected="one a line",
            fix="write some",
        )
        loaded.problems.append(problem)
    return loaded


def kind_of(path: Path) -> Kind | None:
    """Return the kind of the first example of a file; None where none is in a known form.

    Raises:
        MissingExtra: it needs a package that is not installed.
    """
    for row in rows(path, lambda _: None):
        schema = detect(row.values)
        if schema is not None:
            return schema.kind
    return None


def load_sound(
    path: Path, told: Callable[[int], None] | None = None, *, by: str | None = None
) -> Loaded:
    """Read a file of examples that nothing is wrong with.

    Raises:
        ConfigError: something is; names the first lines.
        MissingExtra: it needs a package that is not installed.
    """
    loaded = load(path, told, by=by)
    if errors := loaded.errors:
        lines = [one.text for one in errors[:_SHOWN]]
        if len(errors) > _SHOWN:
            lines.append(f"{path}: {len(errors) - _SHOWN} more problems; run: citewell data check")
        raise ConfigError(*lines)
    return loaded


def _take(loaded: Loaded, row: Row, by: str | None) -> None:
    schema = detect(row.values)
    if schema is None:
        _tell(loaded, row, [unknown_form(row.values)])
        return
    if loaded.schema is None:
        loaded.schema = schema
    if schema is not loaded.schema:
        _tell(loaded, row, [_other_form(schema, loaded.schema)])
        return
    try:
        example = replace(schema.build(row.values), line=row.line, **lineage(row.values, by))
    except Invalid as invalid:
        _tell(loaded, row, invalid.faults)
        return
    loaded.unused.update(name for name in schema.unused(row.values) if name != by)
    found = [*faults(example)]
    if found:
        _tell(loaded, row, found)
        if all(concern is Concern.CONTROL for _, concern, *_ in found):
            loaded.mendable.append(example)
        return
    loaded.examples.append(example)


def _other_form(schema: Schema, first: Schema) -> Fault:
    return (
        "",
        Concern.SCHEMA,
        f"is {schema.name}",
        f"{first.name}, as the rows before",
        "move it to a file of its own; citewell data merge joins the two",
    )


def _tell(loaded: Loaded, row: Row, found: Sequence[Fault]) -> None:
    loaded.problems += [
        Problem(
            file=loaded.path,
            line=row.line,
            field=place,
            concern=concern,
            said=said,
            expected=expected,
            fix=fix,
        )
        for place, concern, said, expected, fix in found
    ]
