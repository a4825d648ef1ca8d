"""What Haystack and the clients of its stores raise, told in one line without a secret."""

from __future__ import annotations

from citewell import redact

_MAX_CHARS = 300


def told(error: Exception) -> str:
    """Return the kind of an error and what it says."""
    said = " ".join(redact(str(error)).split())
    return f"{type(error).__name__}: {said[:_MAX_CHARS]}"
