"""Where things are, in words that survive a restart: venues, addresses, and what names a reply."""

from __future__ import annotations

import hashlib
from typing import Final

from msgspec.structs import replace

from citewell.chat import Address, Venue

EPOCH_MS: Final = 1_420_070_400_000
TOKEN_LIFE_S: Final = 15 * 60.0
_NAME_CHARS: Final = 90
_PER_REPLY: Final = 256


def created_at(snowflake: str) -> float:
    """Return when an id was given, in seconds since 1970."""
    return ((int(snowflake) >> 22) + EPOCH_MS) / 1000


def snowflake_at(at: float) -> int:
    """Return the lowest id that is given at a time."""
    return max(int(at * 1000) - EPOCH_MS, 0) << 22


def nonce(key: str, index: int, generation: int) -> str:
    """Return what names a message of a reply, in at most 25 characters.

    Args:
        key: of the reply.
        index: of the message in it.
        generation: how often it was posted and taken away before.
    """
    return f"{_digest(key, 9).hex()}-{index:x}-{generation:x}"


def marker(key: str, index: int) -> int:
    """Return the id of a message's first component, by which it is found among ours."""
    base = int.from_bytes(_digest(key, 4)) & 0x7FFFFFFF
    return max(base - base % _PER_REPLY, _PER_REPLY) + min(index, _PER_REPLY - 1)


def index_of(key: str, found: int) -> int | None:
    """Return the place in the reply of a message with this marker, or None."""
    index = found - marker(key, 0)
    return index if 0 <= index < _PER_REPLY else None


def is_marker(found: int | None) -> bool:
    """Tell whether a component's id is one that we gave; Discord itself counts from one."""
    return found is not None and found >= _PER_REPLY


def thread_name(text: str) -> str:
    """Return what the thread of a question is called."""
    words = " ".join(text.split())
    return f"{words[:_NAME_CHARS]}…" if len(words) > _NAME_CHARS else words or "Question"


def to_message(venue: Venue, message: str, text: str, *, starts: bool) -> Address:
    """Return where a message is answered.

    Args:
        venue: in which the answer stands; `starts` means that its thread is still to be started.
        message: that asks.
        text: of the question.
        starts: whether the answer begins a thread.
    """
    data = {"message": message}
    if starts:
        data["name"] = thread_name(text)
    return Address(venue=venue, data=data)


def to_person(
    venue: Venue, user: str, *, interaction: str, token: str, application: str
) -> Address:
    """Return where an interaction is answered for who began it alone."""
    data = {"interaction": interaction, "token": token, "application": application}
    return Address(venue=venue, only_for=user, data=data)


def private(venue: Venue, user: str) -> Venue:
    """Return where somebody alone talks with the bot, though in a channel of many.

    What is asked there must not lean on what others asked, and is no public question.
    """
    return replace(venue, thread=f"private-{user}") if venue.team else venue


def shared(venue: Venue, interaction: str) -> Venue:
    """Return the conversation of what is answered for everyone at `venue`: it has no history."""
    return replace(venue, thread=f"shared-{place_of(venue)}-{interaction}")


def chained(venue: Venue, root: str) -> Venue:
    """Return the conversation of a question and what answers it, in a channel without threads."""
    return replace(venue, thread=root)


def place_of(venue: Venue) -> str:
    """Return the id of the channel or thread in which something stands."""
    kind, _, rest = venue.thread.partition("-")
    if kind == "shared":
        return rest.partition("-")[0]
    return venue.thread if venue.thread.isdecimal() else venue.channel


def jump(venue: Venue, message: str) -> str:
    """Return the address of a message."""
    return f"https://discord.com/channels/{venue.team or '@me'}/{place_of(venue)}/{message}"


def _digest(key: str, size: int) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=size).digest()
