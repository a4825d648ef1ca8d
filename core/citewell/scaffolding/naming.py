"""Names of new plugins: which are allowed, and what else is named after them."""

from __future__ import annotations

import keyword
from importlib.util import find_spec

from msgspec import Struct

from citewell.engine.offers import NAME
from citewell.engine.registry import Registry
from citewell.errors import PluginError

MAX_CHARS = 40


class Names(Struct, frozen=True):
    """What is named after a plugin.

    Attributes:
        name: of its component, and of the plugin.
    """

    name: str

    @property
    def distribution(self) -> str:
        """Of the package, as pip calls it."""
        return f"citewell-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """Of the package, as Python calls it."""
        return f"citewell_{self.file}"

    @property
    def file(self) -> str:
        """Of a plugin file, without its suffix."""
        return self.name.replace("-", "_")

    @property
    def words(self) -> str:
        """What names of classes begin with."""
        return "".join(word.capitalize() for word in self.file.split("_"))

    @property
    def suffix(self) -> str:
        """Of the files that a loader reads, without the dot."""
        return self.file.replace("_", "")


def checked(name: str, kind: str, registry: Registry, *, commands: frozenset[str]) -> Names:
    """Return the names of a new plugin.

    Args:
        name: that its author chose.
        kind: of the component.
        registry: what is installed.
        commands: of the command line itself.

    Raises:
        PluginError: the name cannot be had; says why, and what is expected.
    """
    names = Names(name)
    problem = _malformed(name) or _taken(names, kind, registry, commands)
    if problem:
        raise PluginError(f'a plugin cannot be called "{name}": {problem}')
    return names


def _malformed(name: str) -> str:
    if NAME.fullmatch(name) is None:
        return 'expected lower-case letters and digits, like "my-name2"'
    if len(name) > MAX_CHARS:
        return f"it has {len(name)} characters; expected {MAX_CHARS} at most"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "Python keeps that word for itself; take another"
    return ""


def _taken(names: Names, kind: str, registry: Registry, commands: frozenset[str]) -> str:
    for state in registry.plugins:
        offers = [offer for offer in state.offers if offer == f"{kind} {names.name}"]
        if offers or state.name == names.name:
            what = f"the {offers[0]}" if offers else "a plugin of that name"
            return f"{what} is installed ({state.distribution}); take another name"
    if kind == "command" and names.name in commands:
        return "Citewell has a command of that name; take another"
    if kind == "loader":
        for loader in registry.loaders.values():
            if f".{names.suffix}" in loader.suffixes:
                return (
                    f"its files would end with .{names.suffix}, which the loader {loader.name} "
                    "reads; take another"
                )
    if find_spec(names.module) is not None:
        return f"the package {names.module} is installed; take another name"
    return ""
