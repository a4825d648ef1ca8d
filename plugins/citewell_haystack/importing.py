"""Haystack, imported so that it tells nobody; and classes of it that settings name."""

from __future__ import annotations

import importlib
import os
import sys

from citewell import MissingExtra, PluginError

# Read while they are imported: that of Haystack, and that of Chroma, a store of its integrations.
_SILENT = {"HAYSTACK_TELEMETRY_ENABLED": "False", "ANONYMIZED_TELEMETRY": "False"}
_PACKAGES = ("haystack.", "haystack_integrations.")


def import_haystack(component: str) -> None:
    """Import Haystack with its telemetry off, whatever the environment says.

    Raises:
        MissingExtra: it is not installed.
    """
    os.environ.update(_SILENT)
    try:
        import haystack  # noqa: F401 - what it sets up is wanted
    except ImportError as error:
        raise MissingExtra(component, package="haystack-ai", extra="haystack") from error
    # Somebody may have imported it before us.
    telemetry = sys.modules.get("haystack.telemetry._telemetry")
    if telemetry is not None:
        vars(telemetry)["telemetry"] = None


def silence_clients() -> None:
    """Keep clients of stores that were imported from telling others that they are used.

    That of Weaviate asks pypi.org, at each connection, which of its versions is the newest.
    """
    weaviate = sys.modules.get("weaviate.connect.v4")
    if weaviate is not None:
        # Nobody listens there; what goes wrong about it is of no consequence to the client.
        vars(weaviate)["PYPI_PACKAGE_URL"] = "http://127.0.0.1:9/"


def named_class(path: str, *, within: str, has: tuple[str, ...], component: str) -> type:
    """Return a class of Haystack, or of an integration of it, that the settings name.

    Only what is installed as a part of Haystack is imported, and only a class that can do what is
    asked of it is returned: settings that came with a folder can choose, but not run code.

    Args:
        path: module and class, parted by a dot.
        within: the part of Haystack that it must be of, like `document_stores`.
        has: methods that it must have.
        component: who needs it, for messages.

    Raises:
        PluginError: it is none of these, or is not installed.
    """
    module, _, name = path.rpartition(".")
    if not path.startswith(tuple(f"{package}{within}." for package in _PACKAGES)):
        own = "; for code of your own there is the setting python"
        raise PluginError(
            f"{component}: {path} is no class of haystack.{within} or "
            f"haystack_integrations.{within}{own if within == 'document_stores' else ''}"
        )
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError as error:
        fix = f"is not installed; run: pip install {distribution(path)}"
        if path.startswith("haystack."):
            fix = "is not in the Haystack that is installed; it may be an integration by now"
        raise PluginError(f"{component}: {path} {fix}") from error
    if not isinstance(found, type) or not all(hasattr(found, one) for one in has):
        raise PluginError(f"{component}: {path} is not a class with {', '.join(has)}")
    return found


def distribution(path: str) -> str:
    """Return the package that most likely brings a class: integrations are named alike."""
    parts = path.split(".")[1:]
    return f"{parts[1] if parts[0] == 'document_stores' else parts[2]}-haystack"
