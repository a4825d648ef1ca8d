"""What may be loaded as a plugin: installed entry points, and files named by path."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from citewell.engine.plugin_files import run_plugin_file
from citewell.engine.trust import Trust
from citewell.hookspecs import API, PROJECT

_GROUP = re.compile(rf"{PROJECT}\.v(\d{{1,4}})")


class Candidate(Struct, frozen=True, kw_only=True):
    """A plugin before anything of it has run.

    Attributes:
        distribution: the package that brought it, or the path of a plugin file.
        api: major number of the hooks that it was written for.
        load: runs its code and returns the module.
    """

    name: str
    distribution: str
    version: str
    api: int
    load: Callable[[], ModuleType]


def installed() -> list[Candidate]:
    """Return the plugins of every installed package, our own first, then by name.

    A package can therefore never take the name of a component that Citewell itself offers.
    """
    found: list[Candidate] = []
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        text = distribution.read_text("entry_points.txt") or ""
        if f"[{PROJECT}.v" not in text:
            continue
        metadata = distribution.metadata
        name = metadata["Name"] or "unknown"
        # The first on the path is the one that Python imports.
        if name.lower() not in seen:
            seen.add(name.lower())
            found.extend(_offered(distribution.entry_points, name, metadata["Version"]))
    return sorted(found, key=lambda one: (one.distribution != PROJECT, one.name, one.distribution))


def _offered(
    entry_points: importlib.metadata.EntryPoints, distribution: str, version: str
) -> Iterator[Candidate]:
    for entry_point in entry_points:
        group = _GROUP.fullmatch(entry_point.group)
        if group is not None:
            yield Candidate(
                name=entry_point.name,
                distribution=distribution,
                version=version,
                api=int(group[1]),
                load=entry_point.load,
            )


def in_files(paths: Sequence[Path], trust: Trust) -> list[Candidate]:
    """Return the plugin files at `paths`; they are read when they are loaded."""
    return [
        Candidate(
            name=path.stem,
            distribution=str(path),
            version="",
            api=API,
            load=partial(_load_file, path, trust),
        )
        for path in paths
    ]


def _load_file(path: Path, trust: Trust) -> ModuleType:
    """Run the plugin file at `path`: the very bytes whose hash is trusted.

    Raises:
        UntrustedPlugin: nobody has trusted these bytes at this path.
    """
    path = path.resolve()
    return run_plugin_file(path, trust.content(path))
