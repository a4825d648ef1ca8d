"""What a chat service must do, and what the core does for it. Structural, as in `protocols`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from citewell.blocks import Block
from citewell.configs import ChatConfig
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
    Venue,
)
from citewell.types.rehearsal import Button, Said, Seen


class HandOff(Struct, frozen=True, kw_only=True):
    """What is told to the people who are asked instead of the assistant.

    Attributes:
        asker: who asked, as the service names them.
        question: in their words.
        blocks: of the answer, as far as these people may read it.
        venue: where it was asked.
        posted: what the service calls the messages of the answer.
        is_repeated: they were told before.
    """

    asker: str
    question: str
    blocks: tuple[Block, ...]
    venue: Venue
    posted: tuple[str, ...]
    is_repeated: bool


class Host(Protocol):
    """What the core does for a chat service. Who may read what, the core decides."""

    @property
    def config(self) -> ChatConfig:
        """The service's settings in force now: channels and groups may change while it runs."""
        ...

    async def accept(self, event: Event) -> bool:
        """Keep an event; durable on return, so acknowledge it then. False for a repetition.

        Raises:
            JournalError: it could not be kept; let the service send it again.
        """
        ...

    async def quotes(self, answer_id: str, address: Address) -> Sequence[Quoted]:
        """Return what an answer quotes, read again now, as far as who reads at `address` may.

        In the order of the marks; what changed or is gone since the answer was given is told with
        `lost`. Empty when nothing of it may be read, or is left.
        """
        ...

    async def hand_off(self, answer_id: str, address: Address) -> HandOff | None:
        """Return what is to be told to people who read at `address`; None if nothing is known."""
        ...

    async def handed_off(self, answer_id: str, by: str, venue: Venue) -> None:
        """Keep that they were told, because somebody at `venue` wanted it; call it once they are.

        Raises:
            JournalError: it could not be kept; they may be told once more.
        """
        ...

    async def libraries(self, address: Address) -> Sequence[LibraryState]:
        """Return what is indexed, and how fresh it is, as far as who reads at `address` may."""
        ...

    async def recent(self, venue: Venue, user: str, *, limit: int = 5) -> Sequence[Recent]:
        """Return what somebody asked last in the team of `venue`, newest first."""
        ...

    def takes_part(self, venue: Venue) -> bool:
        """Tell whether a question of this thread was taken in before. Blocking, and quick."""
        ...


class Reply(Protocol):
    """What a chat service shows of one answer; made equal to what it is given, again and again."""

    @property
    def posted(self) -> tuple[str, ...]:
        """What the service calls its messages, the first one first; empty before there is one."""
        ...

    async def status(self, text: str) -> None:
        """Show that somebody is at it, where the service has a place for that."""
        ...

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Let the messages of this reply say exactly this.

        While the answer grows only the last message changes, and further ones follow. With
        `complete` nothing more comes: it may be called again after a crash, with the same or other
        blocks, and leaves no stream and no status open.

        Raises:
            DeliveryError: the service refuses for good, or cannot be reached for long.
        """
        ...

    async def withdraw(self) -> None:
        """Take back what was shown, as far as the service allows."""
        ...


class Adapter(Protocol):
    """A chat service: what happens there comes in, and answers go out."""

    @property
    def pace_s(self) -> float:
        """Seconds between two changes of one reply that the service allows in the long run."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether events come in now."""
        ...

    def fits(self, blocks: Sequence[Block], address: Address) -> bool:
        """Tell whether blocks fit one message; what fits still fits without some of it."""
        ...

    async def serve(self, host: Host) -> None:
        """Hand over what happens, until cancelled; connections that break are made again.

        Raises:
            AdapterError: it cannot be connected, now or ever: a wrong token, a missing permission.
        """
        ...

    async def open_reply(self, address: Address, key: str) -> Reply:
        """Begin a reply; nothing need be posted yet. `key` is the same after a crash."""
        ...

    async def find_reply(self, address: Address, key: str, posted: Sequence[str]) -> Reply | None:
        """Return a reply of before a crash: by what is known of it, or by looking for `key`.

        A reply that posted nothing is one whose `posted` is empty. None where something was or may
        have been posted that cannot be changed any more: what follows then says that it repeats.
        """
        ...

    async def readers(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return who reads what is posted there, now: which of `groups` each distinct reader is in.

        One reader where `address.only_for` names one. Bots are no readers.

        Raises:
            DeliveryError: it cannot be known; nothing is answered then.
        """
        ...

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Return the content of a file that came with a question.

        Raises:
            DeliveryError: it is larger, or cannot be had.
        """
        ...

    def missed(self, since: float) -> AsyncIterator[Event]:
        """Yield what happened since then, in seconds since 1970, while nobody was connected.

        What was taken in already may come again: the keys are those of then.
        """
        ...

    async def changed(self, asked: Asked) -> Edited | Deleted | None:
        """Return what became of a question, if it does not stand there as it was taken in.

        None also where that cannot be known.

        Raises:
            DeliveryError: the service cannot be reached.
        """
        ...


class Rehearsal(Protocol):
    """A stand-in for a chat service on this machine: for `citewell try`, and for tests.

    What people do there reaches the adapter as the service would tell it. Channels and threads are
    named as the service names them; `channel=None` is the direct conversation with the bot. What
    cannot be done there is refused with `CannotAct`. Its settings hand questions off to the channel
    that is called `help`.
    """

    @property
    def settings(self) -> Mapping[str, object]:
        """Settings of an `[adapter.NAME]` that lead it here, secrets included."""
        ...

    @property
    def can(self) -> frozenset[str]:
        """What the service knows, of the words in `citewell.types.rehearsal.ABILITIES`."""
        ...

    def person(self, name: str, *, groups: Collection[str] = ()) -> str:
        """Return the id of somebody, who is a member of `groups` from now on, and of no other."""
        ...

    def channel(self, name: str, members: Collection[str]) -> str:
        """Return the id of a channel, which has these members and the bot from now on."""
        ...

    async def say(
        self,
        person: str,
        text: str,
        *,
        channel: str | None = None,
        thread: str = "",
        mention: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> Said:
        """Let somebody write something, beginning with a mention of the bot if so told."""
        ...

    async def change(self, said: Said, text: str) -> None:
        """Let somebody change what they wrote; a mention in it stays."""
        ...

    async def take_back(self, said: Said) -> None:
        """Let somebody delete what they wrote."""
        ...

    async def command(self, person: str, text: str, *, channel: str | None = None) -> Said:
        """Let somebody use the command that asks privately."""
        ...

    async def ask_about(self, person: str, message: Said | Seen) -> Said:
        """Let somebody choose "Ask about this" of a message."""
        ...

    async def press(self, person: str, message: Seen, button: Button) -> None:
        """Let somebody press a button; a form that it opens is in `form` then."""
        ...

    async def fill_in(self, person: str, text: str) -> None:
        """Let somebody write into the form that is open, and send it."""
        ...

    async def repeat(self, said: Said) -> None:
        """Deliver once more what was delivered, as a service does that heard no acknowledgement."""
        ...

    def seen(self, person: str, *, channel: str | None = None, thread: str = "") -> list[Seen]:
        """Return what the bot has there for somebody to see, in order."""
        ...

    def form(self, person: str) -> str | None:
        """Return the text of the form or page that is open for somebody."""
        ...

    def home(self, person: str) -> str | None:
        """Return the text of the bot's own page; None where there is none."""
        ...

    def cut(self) -> None:
        """Break every connection now."""
        ...

    def fail(self, times: int, *, status: int, retry_after_s: float | None = None) -> None:
        """Let the next calls that would post or change something fail like this."""
        ...

    async def until_connected(self) -> None:
        """Wait until the bot hears what happens."""
        ...
