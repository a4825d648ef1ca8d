"""discord.py speaks to the server of the settings while an adapter is open, and not after."""

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from citewell_discord.config import DiscordConfig
from citewell_discord.pointing import pointed


def addresses():
    return Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY


def test_all_is_as_before_when_the_last_adapter_is_closed():
    before = addresses()
    config = DiscordConfig(
        token="t", api_url="https://example.org/api/v10/", gateway_url="wss://example.org/"
    )
    first, second = pointed(config), pointed(config)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert addresses() == ("https://example.org/api/v10", yarl.URL("wss://example.org/"))
    second.__exit__(None, None, None)

    assert addresses() == before


def test_without_addresses_discord_itself_is_spoken_to():
    before = addresses()
    with pointed(DiscordConfig(token="t")):
        assert addresses() == before

    assert addresses() == before
