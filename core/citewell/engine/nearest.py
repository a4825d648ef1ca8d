"""The nearest known name, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "..."?` with the known name nearest to `name`, or nothing."""
    near = difflib.get_close_matches(name.lower()[:100], list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
