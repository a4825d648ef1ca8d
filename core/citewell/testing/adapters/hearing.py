"""What an adapter tells the core, overheard, and held back where a scenario wants another order."""

from __future__ import annotations

from collections.abc import Sequence

from citewell.chatting import HandOff, Host
from citewell.configs import ChatConfig
from citewell.types.chat import Address, Event, LibraryState, Quoted, Recent, Venue


class Overheard:
    """A host before the host.

    Args:
        host: does what is asked for.
        heard: every event is added to it, also one that is held back.
    """

    def __init__(self, host: Host, heard: list[Event]) -> None:
        self._host = host
        self._heard = heard
        self._held: list[Event] | None = None

    @property
    def config(self) -> ChatConfig:
        """The service's settings in force now."""
        return self._host.config

    def hold(self) -> None:
        """Let no event through from now on; the adapter is told that each is kept."""
        self._held = []

    async def release(self, *, backwards: bool = False) -> None:
        """Let the events that were held back through, and all that follow."""
        held, self._held = self._held or [], None
        for event in reversed(held) if backwards else held:
            await self._host.accept(event)

    async def accept(self, event: Event) -> bool:
        """Keep an event."""
        if self._held is not None:
            self._held.append(event)
            self._heard.append(event)
            return True
        is_new = await self._host.accept(event)
        self._heard.append(event)
        return is_new

    async def quotes(self, answer_id: str, address: Address) -> Sequence[Quoted]:
        """Return what an answer quotes."""
        return await self._host.quotes(answer_id, address)

    async def hand_off(self, answer_id: str, address: Address) -> HandOff | None:
        """Return what is to be told to people."""
        return await self._host.hand_off(answer_id, address)

    async def handed_off(self, answer_id: str, by: str, venue: Venue) -> None:
        """Keep that they were told."""
        await self._host.handed_off(answer_id, by, venue)

    async def libraries(self, address: Address) -> Sequence[LibraryState]:
        """Return what is indexed."""
        return await self._host.libraries(address)

    async def recent(self, venue: Venue, user: str, *, limit: int = 5) -> Sequence[Recent]:
        """Return what somebody asked last."""
        return await self._host.recent(venue, user, limit=limit)

    def takes_part(self, venue: Venue) -> bool:
        """Tell whether a question of this thread was taken in before."""
        return self._host.takes_part(venue)
