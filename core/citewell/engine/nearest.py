"""The nearest known name, for messages."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` was probably meant to be."""
    import difflib

    return next(iter(difflib.get_close_matches(name.lower()[:100], list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str], listed: str = "") -> str:
    """Return the end of a message: `; did you mean "..."? ` and `listed`, each if there is one."""
    near = nearest(name, known)
    if near is None:
        return f"; {listed}" if listed else ""
    return f'; did you mean "{near}"? {listed}'.rstrip()
