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
from citewell_discord.history_config import DiscordHistoryConfig

_open: Final[list[DiscordConfig | DiscordHistoryConfig]] = []
_before: Final[list[tuple[str, yarl.URL]]] = []


@contextmanager
def pointed(config: DiscordConfig | DiscordHistoryConfig) -> Iterator[None]:
    """Let discord.py speak to the server of these settings for as long as this is open.

    Raises:
        AdapterError: something else in this process speaks to another one.
    """
    other = next((one for one in _open if _differ(one, config)), None)
    if other is not None:
        raise AdapterError(
            f"api_url and gateway_url: {other.api_url} and {_gateway(other)}: another adapter or "
            "library of this process speaks to another Discord; give both the same, or start two "
            "processes"
        )
    if not _open:
        _before.append((Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY))
    _open.append(config)
    gateway = _gateway(config)
    if config.api_url is not None:
        Route.BASE = config.api_url.rstrip("/")
    if gateway is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    try:
        yield
    finally:
        _open.remove(config)
        # Adapters may be closed in any order; with the last one all is as before the first.
        if not _open:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = _before.pop()


def _gateway(config: DiscordConfig | DiscordHistoryConfig) -> str | None:
    return config.gateway_url if isinstance(config, DiscordConfig) else None


def _differ(
    one: DiscordConfig | DiscordHistoryConfig, other: DiscordConfig | DiscordHistoryConfig
) -> bool:
    """Tell whether one cannot have what the other has; a library needs no gateway."""
    hear = isinstance(one, DiscordConfig) and isinstance(other, DiscordConfig)
    return one.api_url != other.api_url or (hear and _gateway(one) != _gateway(other))
