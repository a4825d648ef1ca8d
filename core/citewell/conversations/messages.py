"""Messages of a channel, and how a chat service is asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from citewell.types.documents import Labels


class Message(Struct, frozen=True, kw_only=True):
    """What somebody wrote.

    Attributes:
        id: its name in the channel; as text, ids of one channel sort by time.
        author: as people there call whoever wrote it.
        at: in seconds since 1970.
        text: as a reader sees it, without markup.
        uri: opens it.
        thread: id of the thread that it is in or began; empty outside one.
        asks_us: it is a question to the assistant.
    """

    id: str
    author: str
    at: float
    text: str
    uri: str
    thread: str = ""
    asks_us: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """A stretch of a channel, without what is in threads.

    Attributes:
        messages: all that there are to read in the stretch; what nobody shall read is left out.
        begins: the stretch begins at this id; empty where there is nothing before it.
        threads: of the threads that begin in the stretch, what changes when they do, by their id;
            None where pages say nothing of threads.
    """

    messages: tuple[Message, ...]
    begins: str = ""
    threads: Mapping[str, str] | None = None


class Thread(Struct, frozen=True, kw_only=True):
    """What was written in a thread; the first message of it is left out if a page has it.

    Attributes:
        title: as people there call it; empty where threads have none.
    """

    messages: tuple[Message, ...]
    title: str = ""


class Busy(Exception):
    """The service wants to be left alone for a while.

    Attributes:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        """Say how long to wait."""
        super().__init__(f"wait {seconds:g} s")
        self.seconds = seconds


class Talk(Protocol):
    """One channel of a chat service, with its threads.

    Each method may raise `Busy`, and `SourceError` where the channel cannot be read.
    """

    @property
    def id(self) -> str:
        """The channel, as its service names it."""
        ...

    @property
    def labels(self) -> Labels:
        """Who may read it."""
        ...

    async def name(self) -> str:
        """Return what people call the channel."""
        ...

    async def uri(self) -> str:
        """Return what opens the channel."""
        ...

    def id_at(self, at: float) -> str:
        """Return the lowest id that a message of this time may have, in seconds since 1970."""
        ...

    async def page(self, *, since: str, before: str) -> Page:
        """Return the last messages whose id is in `[since, before)`."""
        ...

    async def threads(self, *, since: str) -> Mapping[str, str] | None:
        """Return what changes when a thread does, by the id of each that there is.

        Those that began before `since` are left out. None where pages tell of threads.
        """
        ...

    async def thread(self, id_: str) -> Thread | None:
        """Return a thread as it is now; None where it is not there any more."""
        ...


def plain_text(text: str) -> str:
    """Return text that can be stored and cited: whole characters, and lines that end as ours."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    lines = whole.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()
