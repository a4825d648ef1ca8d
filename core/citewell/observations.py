"""What `observe` hooks see."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Observation(Struct, frozen=True, kw_only=True):
    """Something that happened to a question; carries counts and times, never text.

    Attributes:
        event: what happened.
        question_id: to which question.
        seconds: how long it took.
        count: passages found, characters generated, or statements shown.
    """

    event: Literal["retrieved", "generated", "answered", "failed"]
    question_id: str
    seconds: float
    count: int = 0
