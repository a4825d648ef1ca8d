"""The invitation of the bot: its address, with no more rights than its settings need."""

from __future__ import annotations

import binascii
from base64 import b64decode
from enum import IntFlag
from urllib.parse import urlencode

from citewell_discord.config import DiscordConfig

ADDRESS = "https://discord.com/oauth2/authorize"


class Right(IntFlag):
    """What a bot may be allowed.

    Source: discord.com/developers/docs/topics/permissions, "Bitwise Permission Flags".
    """

    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    READ_MESSAGE_HISTORY = 1 << 16
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


def rights(config: DiscordConfig) -> Right:
    """Return what the bot has to be allowed with these settings."""
    needed = Right.VIEW_CHANNEL | Right.SEND_MESSAGES | Right.READ_MESSAGE_HISTORY
    if config.threads:
        needed |= Right.CREATE_PUBLIC_THREADS | Right.SEND_MESSAGES_IN_THREADS
    if config.forums:
        needed |= Right.SEND_MESSAGES_IN_THREADS
    if any(forum.solved_tag for forum in config.forums.values()):
        needed |= Right.MANAGE_THREADS
    return needed


def invitation(config: DiscordConfig, client_id: str) -> str:
    """Return the address at which the bot is invited to a server."""
    asked = {
        "client_id": client_id,
        "permissions": str(int(rights(config))),
        "scope": "bot applications.commands",
    }
    return f"{ADDRESS}?{urlencode(asked)}"


def client_id_of(token: str) -> str | None:
    """Return the id of the bot that a token belongs to, or None where it does not tell."""
    first = token.split(".", maxsplit=1)[0]
    try:
        decoded = b64decode(first + "=" * (-len(first) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return decoded if decoded.isdecimal() else None
