"""A client that is cancelled ends at once, whatever it was at, and leaves nothing open."""

import asyncio
import random
from weakref import WeakSet

import aiohttp
import pytest
from aiohttp.connector import Connection

from citewell_discord.config import DiscordConfig
from citewell_discord.ending import cancellable
from citewell_discord.identifies import Identifies
from citewell_discord.plugin import build

TRIES = 500
# As many turns of the loop as it takes to be connected, and some more.
TURNS = 400
AT_ONCE_S = 5.0


@pytest.fixture
def connections(monkeypatch):
    """Know every connection of aiohttp that something still has."""
    known = WeakSet()

    def kept(self, *args):
        begin(self, *args)
        known.add(self)

    begin = Connection.__init__
    monkeypatch.setattr(Connection, "__init__", kept)
    return known


async def loses_a_cancellation():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(60)


async def test_what_loses_a_cancellation_is_cancelled_again():
    task = asyncio.create_task(cancellable(loses_a_cancellation()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(AT_ONCE_S):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_what_goes_wrong_is_raised():
    async def fails():
        raise aiohttp.ClientError("odd")

    with pytest.raises(aiohttp.ClientError, match="odd"):
        await cancellable(fails())


async def test_it_ends_at_whatever_moment_it_is_cancelled(
    stage, context, recording, connections, monkeypatch
):
    for method in ("note", "vouch"):
        monkeypatch.setattr(Identifies, method, lambda *_, **__: None)
    chance = random.Random(1)
    config = DiscordConfig.model_validate(stage.settings)
    for _ in range(TRIES):
        turns = chance.randrange(TURNS)
        async with build(config, context) as adapter:
            serving = asyncio.create_task(adapter.serve(recording(config)))
            for _ in range(turns):
                await asyncio.sleep(0)
            serving.cancel()
            ended, _ = await asyncio.wait({serving}, timeout=AT_ONCE_S)
            # Nothing else ends one that lost it, and the test would go on for ever.
            serving.cancel()
        assert ended, f"it goes on after it was cancelled in turn {turns}"
        assert serving.cancelled()
        assert not [one for one in connections if one.protocol], f"cancelled in turn {turns}"
