"""A recipe without the places of its files, for those who are given what it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from citewell.engine.toml_files import parsed
from citewell.tuning.recipes.recipe import Recipe


def placeless(recipe: Recipe) -> str:
    """Return a recipe as TOML: its paths cut to their names, its comments left out."""
    import tomlkit

    table = parsed(recipe.file, recipe.content)
    _cut(table, ("base", "adapter"))
    _cut(table.get("data", {}), ("train", "validation", "questions"))
    for section, chosen in (("trainer", recipe.trainer), ("export", recipe.export)):
        if chosen is not None:
            _cut_paths_of(chosen.config, table[section])
    return tomlkit.dumps(table)


def name_of(file: str) -> str:
    """Return the name of a file: where it was is nobody's business who reads a card."""
    return file.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _cut_paths_of(config: BaseModel, table: dict[str, Any]) -> None:
    for name in type(config).model_fields.keys() & table.keys():
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            _cut_paths_of(value, table[name])
        elif _holds_paths(value):
            _cut(table, (name,))


def _holds_paths(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_paths, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_paths, value))
    return isinstance(value, Path)


def _cut(table: dict[str, Any], names: Iterable[str]) -> None:
    table.update({name: _cut_value(table[name]) for name in names if name in table})


def _cut_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _cut_value(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_cut_value(one) for one in value]
    return name_of(value) if isinstance(value, str) else value
