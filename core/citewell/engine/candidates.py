"""What may be loaded as a plugin: installed entry points, and files named by path."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from citewell.engine.trust import Trust, digest
from citewell.errors import PluginError, UntrustedPlugin
from citewell.hookspecs import API, PROJECT

_GROUP = re.compile(rf"{PROJECT}\.v(\d{{1,4}})")
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
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
        name = distribution.metadata["Name"] or "unknown"
        # The first on the path is the one that Python imports.
        if name.lower() not in seen:
            seen.add(name.lower())
            found.extend(_offered(distribution, name))
    return sorted(found, key=lambda one: (one.distribution != PROJECT, one.name, one.distribution))


def _offered(
    distribution: importlib.metadata.Distribution, distribution_name: str
) -> Iterator[Candidate]:
    for entry_point in distribution.entry_points:
        group = _GROUP.fullmatch(entry_point.group)
        if group is not None:
            yield Candidate(
                name=entry_point.name,
                distribution=distribution_name,
                version=distribution.version,
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


def read_plugin_file(path: Path) -> bytes:
    """Return the bytes of the plugin file at `path`.

    Raises:
        PluginError: there is no such file, or it cannot be a plugin.
    """
    if not path.is_file():
        raise PluginError(f"{path} is not a file")
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise PluginError(f"{path} is larger than {_MAX_BYTES:,} bytes; make it a package")
    return content


def _load_file(path: Path, trust: Trust) -> ModuleType:
    """Run the plugin file at `path`: the very bytes whose hash is trusted.

    Raises:
        UntrustedPlugin: nobody has trusted these bytes at this path.
    """
    path = path.resolve()
    content = read_plugin_file(path)
    if not trust.is_trusted(path, content):
        why = "changed since it was trusted" if trust.is_known(path) else "is not trusted yet"
        raise UntrustedPlugin(f"{path} {why}; read it, then run: citewell plugins trust {path}")
    name = f"citewell_plugin_file_{digest(str(path).encode())[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - trusted by hash
    except BaseException:
        del sys.modules[name]
        raise
    return module
