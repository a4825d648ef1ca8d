"""What members may do in a channel.

Source: discord.com/developers/docs/topics/permissions, "Permission Overwrites" and "Permissions
for Threads".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import KEEP, IntFlag


class Permissions(IntFlag, boundary=KEEP):
    """Rights, as the bits that Discord gives them; bits that are not named here are kept."""

    NONE = 0
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL = Permissions((1 << 53) - 1)
MEMBER = (
    Permissions.ADD_REACTIONS
    | Permissions.VIEW_CHANNEL
    | Permissions.SEND_MESSAGES
    | Permissions.EMBED_LINKS
    | Permissions.ATTACH_FILES
    | Permissions.READ_MESSAGE_HISTORY
    | Permissions.USE_APPLICATION_COMMANDS
    | Permissions.CREATE_PUBLIC_THREADS
    | Permissions.CREATE_PRIVATE_THREADS
    | Permissions.SEND_MESSAGES_IN_THREADS
)
"""What everybody may do in a new guild."""

DIRECT = (
    Permissions.ADD_REACTIONS
    | Permissions.VIEW_CHANNEL
    | Permissions.SEND_MESSAGES
    | Permissions.EMBED_LINKS
    | Permissions.ATTACH_FILES
    | Permissions.READ_MESSAGE_HISTORY
    | Permissions.USE_APPLICATION_COMMANDS
)
"""What both sides of a direct conversation may do."""

_NEEDS_SENDING = Permissions.MENTION_EVERYONE | Permissions.EMBED_LINKS | Permissions.ATTACH_FILES


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel changes for a role or for one member."""

    target_id: int
    is_member: bool = False
    allow: Permissions = Permissions.NONE
    deny: Permissions = Permissions.NONE


def in_channel(
    base: Permissions, overwrites: Iterable[Overwrite], *, everyone: int, member: int
) -> Permissions:
    """Return what is left of `base` in a channel.

    Args:
        base: what the member's roles give together.
        overwrites: of the channel, those for the member's own roles alone, and for the member.
        everyone: the id of the role that everybody has.
        member: the id of the member.
    """
    if base & Permissions.ADMINISTRATOR:
        return ALL
    layers = list(overwrites)
    of_everyone = [one for one in layers if not one.is_member and one.target_id == everyone]
    of_roles = [one for one in layers if not one.is_member and one.target_id != everyone]
    of_member = [one for one in layers if one.is_member and one.target_id == member]
    for layer in (of_everyone, of_roles, of_member):
        base = _without(base, layer) | _allowed(layer)
    if not base & Permissions.VIEW_CHANNEL:
        return Permissions.NONE
    if not base & (Permissions.SEND_MESSAGES | Permissions.SEND_MESSAGES_IN_THREADS):
        return base & ~_NEEDS_SENDING
    return base


def _allowed(layer: Iterable[Overwrite]) -> Permissions:
    allowed = Permissions.NONE
    for one in layer:
        allowed |= one.allow
    return allowed


def _without(base: Permissions, layer: Iterable[Overwrite]) -> Permissions:
    for one in layer:
        base &= ~one.deny
    return base
