"""discord.py, pointed at a double instead of discord.com."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import yarl


class Addressed(Protocol):
    """Something that speaks like Discord."""

    @property
    def api_url(self) -> str:
        """Where the API is."""
        ...

    @property
    def gateway_url(self) -> str:
        """Where the gateway is."""
        ...


@contextmanager
def pointed_at(double: Addressed) -> Iterator[None]:
    """Let every discord.py client of this process talk to `double` for as long as it is open.

    Both addresses belong to the process, so that two doubles cannot be used at once.
    """
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = double.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(double.gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
