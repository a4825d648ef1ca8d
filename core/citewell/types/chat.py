"""What happens where people talk: events of a chat service, and where an answer goes."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from citewell.types.documents import Place


class Venue(Struct, frozen=True, kw_only=True):
    """Where people talk: a channel or direct conversation of a chat service, or a thread in it.

    Attributes:
        platform: name of the adapter's section in the settings, like "slack".
        team: workspace, guild or server; empty where there is none.
        channel: as the service names it.
        thread: likewise; empty outside a thread.
    """

    platform: str
    team: str = ""
    channel: str
    thread: str = ""

    @property
    def conversation(self) -> str:
        """Names the conversation: what is said there in one is answered in order."""
        return f"{self.platform}/{self.team}/{self.channel}/{self.thread}"


class Address(Struct, frozen=True, kw_only=True):
    """Where a reply goes; it survives a restart.

    Attributes:
        only_for: the one person who sees it; None where everyone in the venue does.
        data: what the adapter needs besides to reply, like a token that passes.
    """

    venue: Venue
    only_for: str | None = None
    data: dict[str, str] = {}


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that came with a question.

    Attributes:
        ref: with which the adapter fetches it.
        size: in bytes; None when unknown.
    """

    name: str
    ref: str
    size: int | None = None


class Asked(Struct, frozen=True, kw_only=True, tag="asked"):
    """Somebody asked something that is due an answer.

    Attributes:
        key: names the event, and its question from then on; unique in its channel.
        at: when, in seconds since 1970, by the clock of the service.
        text: the question, without the mention of the bot; empty with `again`.
        about: what somebody else wrote and the question is about, or empty.
        again: id of an answer whose question is asked once more, for who reads at `address`.
    """

    key: str
    venue: Venue
    user: str
    at: float
    text: str
    address: Address
    attachments: tuple[Attachment, ...] = ()
    about: str = ""
    again: str = ""


class Edited(Struct, frozen=True, kw_only=True, tag="edited"):
    """A question was changed.

    Attributes:
        of: key of the question.
        text: what it says now.
    """

    key: str
    venue: Venue
    user: str
    at: float
    of: str
    text: str


class Deleted(Struct, frozen=True, kw_only=True, tag="deleted"):
    """A question was taken back.

    Attributes:
        of: key of the question.
    """

    key: str
    venue: Venue
    user: str
    at: float
    of: str


class Stopped(Struct, frozen=True, kw_only=True, tag="stopped"):
    """Somebody no longer waits for the answers of a conversation."""

    key: str
    venue: Venue
    user: str
    at: float


class Voted(Struct, frozen=True, kw_only=True, tag="voted"):
    """Somebody judged an answer; a later vote of the same person takes the place of the first.

    Attributes:
        reason: in their own words, or empty.
    """

    key: str
    venue: Venue
    user: str
    at: float
    answer_id: str
    helpful: bool
    reason: str = ""


class Quoted(Struct, frozen=True, kw_only=True):
    """A quotation in its surroundings, read from the library just now.

    Attributes:
        number: of its mark.
        before: text of the passage before the quote.
        after: likewise, behind it.
        lost: why there is nothing to quote any more, a sentence; all texts are empty then.
    """

    number: int
    title: str
    uri: str | None
    place: Place
    before: str
    quote: str
    after: str
    lost: str = ""


class LibraryState(Struct, frozen=True, kw_only=True):
    """A library, as its index is now.

    Attributes:
        documents: how many; None where some of them are not for whoever asks.
        passages: likewise.
        synced_at: in seconds since 1970; None when unknown.
    """

    name: str
    documents: int | None
    passages: int | None
    synced_at: float | None


class Recent(Struct, frozen=True, kw_only=True):
    """A question of before.

    Attributes:
        at: in seconds since 1970.
        posted: what the service calls the messages of its answer.
    """

    at: float
    text: str
    venue: Venue
    posted: tuple[str, ...]


Event: TypeAlias = Asked | Edited | Deleted | Stopped | Voted
