"""Code that settings name: run from where it is trusted, or not at all."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from citewell import CitewellError, Context, PluginError, content_hash
from citewell_haystack.telling import told


def trusted_bytes(path: Path, context: Context) -> bytes:
    """Return what a file that is code holds, if it is trusted.

    Raises:
        UntrustedPlugin: it is not.
    """
    if context.trusted is None:
        raise PluginError(f"{path} is code, and there is nobody here to ask whether it may run")
    return context.trusted.content(path)


def named_object(path: str, context: Context) -> Any:
    """Return what MODULE:ATTRIBUTE or FILE.py:ATTRIBUTE names; a function is called.

    The file of the module must be trusted. Of a package its own files alone are not enough: what
    they import runs as well, as it does wherever they are imported.

    Raises:
        PluginError: there is no such thing, or making it failed.
        UntrustedPlugin: its file is not trusted.
    """
    place, _, attribute = path.rpartition(":")
    if not place or not attribute:
        raise PluginError(
            f'retriever "{context.name}": python = "{path}"; expected MODULE:ATTRIBUTE or '
            "FILE.py:ATTRIBUTE"
        )
    try:
        module = _run_file(place, context) if place.endswith(".py") else _imported(place, context)
        found = getattr(module, attribute)
        return found() if callable(found) else found
    except CitewellError:
        raise
    except Exception as error:
        raise PluginError(
            f'retriever "{context.name}": {path} cannot be had: {told(error)}'
        ) from error


def _run_file(place: str, context: Context) -> ModuleType:
    """Run the very bytes that are trusted, never read a second time."""
    path = context.resolve(Path(place))
    content = trusted_bytes(path, context)
    module = ModuleType(f"citewell_haystack_{content_hash(str(path))}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - trusted by hash
    return module


def _imported(place: str, context: Context) -> ModuleType:
    origin = _origin(place)
    if origin is None:
        raise PluginError(
            f'retriever "{context.name}": there is no module {place} in what is installed'
        )
    trusted_bytes(origin, context)
    return importlib.import_module(place)


def _origin(module: str) -> Path | None:
    """Return the file of a module without running anything of the packages that it is in."""
    search: list[str] | None = None
    spec = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:end]), search)
        if spec is None:
            return None
        search = list(spec.submodule_search_locations or ())
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    return Path(spec.origin)
