"""Points discord.py to the server that the settings name.

discord.py keeps both addresses for the whole process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from citewell import AdapterError
from citewell_discord.config import DiscordConfig

_open: Final[list[tuple[str | None, str | None]]] = []
_before: Final[list[tuple[str, yarl.URL]]] = []


@contextmanager
def pointed(config: DiscordConfig) -> Iterator[None]:
    """Let discord.py speak to the server of these settings for as long as this is open.

    Raises:
        AdapterError: another adapter of this process speaks to another one.
    """
    wanted = config.api_url, config.gateway_url
    if any(one != wanted for one in _open):
        raise AdapterError(
            f"api_url and gateway_url: {wanted[0]} and {wanted[1]}: another adapter of this "
            "process speaks to another Discord; give both the same, or start two processes"
        )
    if not _open:
        _before.append((Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY))
    _open.append(wanted)
    if config.api_url is not None:
        Route.BASE = config.api_url.rstrip("/")
    if config.gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway_url)
    try:
        yield
    finally:
        _open.remove(wanted)
        # Adapters may be closed in any order; with the last one all is as before the first.
        if not _open:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = _before.pop()
