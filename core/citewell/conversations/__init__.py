"""What people wrote to each other, as documents: for plugins that read a chat service's history.

A plugin says how its service is asked, as a `Talk`; `History` is the source that does the rest:
what was read is kept, what changes or goes is followed, and no sync takes longer than it may.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from citewell.conversations.messages import Busy, Message, Page, Talk, Thread, plain_text
from citewell.conversations.settings import HistoryConfig

if TYPE_CHECKING:
    from citewell.conversations.history import History
    from citewell.conversations.transcripts import TranscriptLoader

# Settings are read at each start; what reads and keeps messages is imported when it is built.
_LATER = {
    "History": "citewell.conversations.history",
    "TranscriptLoader": "citewell.conversations.transcripts",
}

__all__ = [
    "Busy",
    "History",
    "HistoryConfig",
    "Message",
    "Page",
    "Talk",
    "Thread",
    "TranscriptLoader",
    "plain_text",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
