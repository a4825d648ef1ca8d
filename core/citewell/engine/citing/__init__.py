"""Citing: from a model's characters to claims whose citations resolve.

The one room that can make a `Citation`.
"""

from citewell.engine.citing.evidence import Evidence, Pointer, Policy, restore
from citewell.engine.citing.stream import cite, is_refusal

__all__ = ["Evidence", "Pointer", "Policy", "cite", "is_refusal", "restore"]
