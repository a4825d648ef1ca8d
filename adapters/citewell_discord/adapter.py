"""The adapter: what happens in Discord comes in, and answers go out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Final

from citewell import Context, DeliveryError
from citewell.blocks import Block
from citewell.chat import Address, Asked, Attachment, Deleted, Edited, Event, Host, Reply
from citewell_discord.calls import Calls
from citewell_discord.chains import Chains
from citewell_discord.client import Client
from citewell_discord.config import DiscordConfig
from citewell_discord.connecting import Connecting
from citewell_discord.directs import Directs
from citewell_discord.encoding import ACTIONS, fits
from citewell_discord.fetching import fetch
from citewell_discord.handing import HandsOff
from citewell_discord.hearing import Hearing
from citewell_discord.identifies import Identifies
from citewell_discord.incoming import Reading
from citewell_discord.interacting import Interacting
from citewell_discord.missed import changed, missed
from citewell_discord.places import Doorkeeper
from citewell_discord.private import PrivateReply
from citewell_discord.readers import Membership, Readers
from citewell_discord.replies import ChannelReply
from citewell_discord.solving import Solving
from citewell_discord.typing_signs import TypingSigns

_CONNECTED_S: Final = 30.0


class DiscordAdapter:
    """Speaks to Discord.

    Args:
        config: of its section.
        context: its name, and where it keeps files.
    """

    pace_s = 1.2

    def __init__(self, config: DiscordConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._calls = Calls()
        self._signs = TypingSigns(self._calls)
        self._membership = Membership(self._calls, config)
        self._doorkeeper = Doorkeeper(config, self._membership)
        self._directs = Directs(_kept(context, "direct.json"))
        self._chained = Directs(_kept(context, "chained.json"))
        self._starts = Identifies(_kept(context, "starts.json"))
        self._hands_off = HandsOff(self._calls, config.hand_off, context.name)
        self._hearing: Hearing | None = None
        self._offered = ACTIONS if config.hand_off else ACTIONS - {"person"}

    @property
    def is_connected(self) -> bool:
        """Whether events come in now."""
        return self._hearing is not None and self._hearing.is_connected

    def fits(self, blocks: Sequence[Block], address: Address) -> bool:  # noqa: ARG002 - alike everywhere
        """Tell whether blocks fit one message."""
        return fits(blocks)

    async def serve(self, host: Host) -> None:
        """Hand over what happens, until cancelled.

        Raises:
            AdapterError: Discord refuses the bot: its token, or an intent.
        """
        connecting = Connecting(self._config, self._context, self._starts)
        try:
            async with connecting.logged_in() as client:
                hearing = self._heard(host, client)
                client.hearing = self._hearing = hearing
                self._calls.use(client)
                try:
                    await connecting.stay(client)
                finally:
                    self._calls.use(None)
                    await hearing.close()
        finally:
            self._hearing = None
            await self._signs.close()

    async def open_reply(self, address: Address, key: str) -> Reply:
        """Begin a reply."""
        return self._reply(address, key)

    async def find_reply(self, address: Address, key: str, posted: Sequence[str]) -> Reply | None:
        """Return a reply of before a crash, found by its marks; None if it cannot be changed."""
        reply = self._reply(address, key)
        return reply if await reply.find(posted) else None

    async def readers(self, address: Address, groups: Collection[str]) -> Readers:
        """Return who reads what is posted there: which of these roles each distinct reader has.

        Raises:
            DeliveryError: it cannot be known.
        """
        if address.only_for is None and address.venue.team:
            # The members of a server are only known while the gateway tells of each change.
            await self._until_connected()
        return await self._membership.readers(address, groups)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Return the content of a file that came with a question.

        Raises:
            DeliveryError: it is larger, or cannot be had.
        """
        return await fetch(attachment, max_bytes=max_bytes, api_url=self._config.api_url)

    async def missed(self, since: float) -> AsyncIterator[Event]:
        """Yield what was asked since then, in channels and in conversations that are known."""
        await self._until_connected()
        hearing, client = self._hearing, await self._calls.client()
        if hearing is None:
            return
        async for event in missed(client, hearing.reading, self._directs, since):
            yield event

    async def changed(self, asked: Asked) -> Edited | Deleted | None:
        """Return what became of a question, if it does not stand there as it was taken in."""
        await self._until_connected()
        hearing, client = self._hearing, await self._calls.client()
        return None if hearing is None else await changed(client, hearing.reading, asked)

    def _reply(self, address: Address, key: str) -> ChannelReply | PrivateReply:
        if address.only_for is not None:
            return PrivateReply(self._calls, address, key, self._offered)
        return ChannelReply(self._calls, self._signs, address, key, self._offered)

    def _heard(self, host: Host, client: Client) -> Hearing:
        chains = Chains(client, self._chained)
        reading = Reading(chains, host, self._config, self._context.name, self._doorkeeper)
        interacting = Interacting(
            self._calls,
            host,
            self._doorkeeper,
            hands_off=self._hands_off,
            solving=Solving(self._config),
        )
        return Hearing(
            client,
            host,
            calls=self._calls,
            reading=reading,
            interacting=interacting,
            directs=self._directs,
        )

    async def _until_connected(self) -> None:
        try:
            async with asyncio.timeout(_CONNECTED_S):
                while self._hearing is None or not self._hearing.is_connected:
                    await self._change()
        except TimeoutError as error:
            raise DeliveryError("discord is not connected", passes=True) from error

    async def _change(self) -> None:
        """Wait until the connection changes, or may have."""
        if self._hearing is None:
            await self._calls.client()
            await asyncio.sleep(0)
            return
        self._hearing.changed.clear()
        if not self._hearing.is_connected:
            await self._hearing.changed.wait()


def _kept(context: Context, name: str) -> Path:
    return context.data_dir / name
