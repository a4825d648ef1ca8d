"""Everything that an adapter for a chat service needs besides the rest of `citewell`."""

from citewell.chatting import Adapter, HandOff, Host, Rehearsal, Reply
from citewell.configs import ChannelConfig, ChatConfig
from citewell.errors import CannotAct
from citewell.types.chat import (
    Address,
    Asked,
    Attachment,
    Deleted,
    Edited,
    Event,
    LibraryState,
    Quoted,
    Recent,
    Stopped,
    Venue,
    Voted,
)
from citewell.types.rehearsal import ABILITIES, Button, Said, Seen

__all__ = [
    "ABILITIES",
    "Adapter",
    "Address",
    "Asked",
    "Attachment",
    "Button",
    "CannotAct",
    "ChannelConfig",
    "ChatConfig",
    "Deleted",
    "Edited",
    "Event",
    "HandOff",
    "Host",
    "LibraryState",
    "Quoted",
    "Recent",
    "Rehearsal",
    "Reply",
    "Said",
    "Seen",
    "Stopped",
    "Venue",
    "Voted",
]
