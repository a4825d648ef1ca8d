"""What people in a chat service are told besides answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

LOOKING: Final = "Looking …"
STOPPED: Final = "Stopped, as you asked."
REPEATED: Final = "This repeats an answer that could not be changed."
GONE: Final = "The question of that answer is no longer kept, so please ask it again yourself."

EMPTY: Final = "There is no question here. Ask me one, and I answer from the documents."

NO_LONGER_KEPT: Final = "what came with the question, which is no longer kept"

_AGAIN: Final = "please ask again in a minute."
TURNED_AWAY: Final[Mapping[str, str]] = {
    "queue": f"I have too many questions at the moment; {_AGAIN}",
    "user": f"You have asked a lot in the last minute; {_AGAIN}",
    "channel": f"A lot has been asked here in the last minute; {_AGAIN}",
}
"""By the limit that a question is over."""


def failed(reference: str) -> str:
    """Say that there will be no answer."""
    return f"Something went wrong, and this question cannot be answered (reference {reference})"


def late(seconds: float, reference: str) -> str:
    """Say that an answer was stopped."""
    return f"This took longer than {seconds:g} seconds and was stopped (reference {reference})"


def not_read(names: Sequence[str]) -> str:
    """Name the attachments that were not read."""
    return f"Not read: {', '.join(names)}"
