"""The sign that the bot is typing, which Discord takes away after ten seconds."""

from __future__ import annotations

import asyncio
from typing import Final

from citewell import DeliveryError
from citewell_discord.calls import Calls

_AGAIN_S: Final = 8.0
# A sign that is left behind ends by itself after two minutes.
_TIMES: Final = 15


class TypingSigns:
    """Shows signs, at most one in each channel.

    Args:
        calls: of the API.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._shown: dict[str, asyncio.Task[None]] = {}

    def show(self, channel: str) -> None:
        """Be seen typing there from now on."""
        self.stop(channel)
        self._shown[channel] = asyncio.create_task(self._show(channel))

    def stop(self, channel: str) -> None:
        """Be seen typing there no more."""
        shown = self._shown.pop(channel, None)
        if shown is not None:
            shown.cancel()

    async def close(self) -> None:
        """Be seen typing nowhere."""
        shown, self._shown = list(self._shown.values()), {}
        for one in shown:
            one.cancel()
        await asyncio.gather(*shown, return_exceptions=True)

    async def _show(self, channel: str) -> None:
        for _ in range(_TIMES):
            try:
                await self._calls.type(channel)
            except DeliveryError:
                return
            await asyncio.sleep(_AGAIN_S)
