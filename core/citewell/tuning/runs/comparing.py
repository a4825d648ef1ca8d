"""What two runs differ in."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from citewell.tuning.runs.saying import Facts, duration, facts_of, money, short, size
from citewell.tuning.runs.store import Run


class Compared(Struct, frozen=True, kw_only=True):
    """Two runs beside each other.

    Attributes:
        figures: what is measured, with a cell of each; what neither has is left out.
        differences: settings of the recipes that are not the same, likewise.
    """

    figures: tuple[tuple[str, str, str], ...]
    differences: tuple[tuple[str, str, str], ...]


def compare(one: Run, other: Run) -> Compared:
    """Return two runs beside each other.

    Raises:
        CitewellError: one of them cannot be read.
    """
    facts = [facts_of(run.record(), run.events()) for run in (one, other)]
    kinds = list(dict.fromkeys(made.kind for each in facts for made in each.record.made))
    rows: list[tuple[str, Callable[[Facts], str]]] = [
        *_FIGURES,
        *((f"size of {kind}", _size_of(kind)) for kind in kinds),
    ]
    figures = [(name, shown(facts[0]), shown(facts[1])) for name, shown in rows]
    settings = [_flat(_recipe(run)) for run in (one, other)]
    names = list(dict.fromkeys((*settings[0], *settings[1])))
    return Compared(
        figures=tuple(row for row in figures if row[1:] != ("-", "-")),
        differences=tuple(
            (name, settings[0].get(name, "-"), settings[1].get(name, "-"))
            for name in names
            if settings[0].get(name) != settings[1].get(name)
        ),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _data(name: str) -> Callable[[Facts], str]:
    def shown(facts: Facts) -> str:
        found = facts.record.inputs and getattr(facts.record.inputs, name)
        return "-" if not found else f"{found.examples:,} examples, {short(found.sha256)}"

    return shown


def _size_of(kind: str) -> Callable[[Facts], str]:
    def shown(facts: Facts) -> str:
        return next((size(one.size) for one in facts.record.made if one.kind == kind), "-")

    return shown


def _cost(facts: Facts) -> str:
    return "-" if facts.spent is None else money(facts.spent, facts.record.currency)


def _base(facts: Facts) -> str:
    return "-" if facts.record.inputs is None else short(facts.record.inputs.base_sha256)


_FIGURES: tuple[tuple[str, Callable[[Facts], str]], ...] = (
    ("state", lambda facts: facts.record.state.value),
    ("base", _base),
    ("train", _data("train")),
    ("validation", _data("validation")),
    ("steps", lambda facts: f"{facts.last_step:,}" if facts.last_step else "-"),
    ("step of the adapter", lambda facts: _number(facts.record.step)),
    ("final loss", lambda facts: _number(facts.loss)),
    ("best validation loss", lambda facts: _number(facts.validation)),
    ("tokens a second", lambda facts: _number(facts.curve.tokens_per_s)),
    ("time of the training", lambda facts: duration(facts.training_s)),
    ("computing", lambda facts: duration(facts.record.cpu_s)),
    ("cost", _cost),
    ("adapter", lambda facts: short(facts.record.adapter_sha256) or "-"),
)


def _recipe(run: Run) -> Mapping[str, Any]:
    try:
        return tomllib.loads(run.recipe_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return the settings of a table by their dotted names."""
    found: dict[str, str] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = str(value)
    return found
