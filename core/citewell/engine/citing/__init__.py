"""Citing: from a model's characters to claims whose citations resolve.

The one room that can make a `Citation`.
"""

from citewell.engine.citing.evidence import Evidence, Pointer, Policy, restore
from citewell.engine.citing.segmenting import MAX_CODE_CHARS
from citewell.engine.citing.stream import cite, is_refusal, is_shown_as_it_is

__all__ = [
    "MAX_CODE_CHARS",
    "Evidence",
    "Pointer",
    "Policy",
    "cite",
    "is_refusal",
    "is_shown_as_it_is",
    "restore",
]
