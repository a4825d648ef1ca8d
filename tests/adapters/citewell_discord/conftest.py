"""The adapter, connected to a rehearsal with the real discord.py, and hosts for it."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from citewell import Context
from citewell.chat import Asked
from citewell_discord.config import DiscordConfig
from citewell_discord.plugin import build, rehearsal


class Recording:
    """A host that keeps what it is told, and says what a test gave it to say."""

    def __init__(self, config):
        self.config = config
        self.events = []
        self.keys = set()
        self.taken_part = set()
        self.quoted = []
        self.handed = None
        self.asked_for = []
        self.told = []
        self.failures = []

    async def accept(self, event):
        if self.failures:
            raise self.failures.pop(0)
        self.events.append(event)
        if event.key in self.keys:
            return False
        self.keys.add(event.key)
        if isinstance(event, Asked):
            self.taken_part.add(event.venue.conversation)
        return True

    async def quotes(self, answer_id, address):
        self.asked_for.append((answer_id, address))
        return self.quoted

    async def hand_off(self, answer_id, address):
        self.asked_for.append((answer_id, address))
        return self.handed

    async def handed_off(self, answer_id, by, venue):
        self.told.append((answer_id, by, venue))

    async def libraries(self, address):
        return []

    async def recent(self, venue, user, *, limit=5):
        return []

    def takes_part(self, venue):
        return venue.conversation in self.taken_part

    def of(self, kind):
        return [one for one in self.events if isinstance(one, kind)]


@pytest.fixture
def recording():
    """Make a host that keeps what it is told."""
    return Recording


@pytest.fixture
async def stage():
    async with rehearsal() as opened:
        yield opened


@pytest.fixture
def double(stage):
    return stage.double


@pytest.fixture
def alice(stage):
    return stage.person("alice")


@pytest.fixture
def bob(stage):
    return stage.person("bob")


@pytest.fixture
def channel(stage, alice, bob):
    return stage.channel("general", [alice, bob])


def context_in(folder):
    folder.mkdir(exist_ok=True)
    log = logging.getLogger("citewell.adapter.discord")
    return Context(name="discord", log=log, data_dir=folder, base_dir=folder)


@pytest.fixture
def context(tmp_path):
    return context_in(tmp_path / "data")


@pytest.fixture
def serving(stage, context):
    """Open an adapter that serves a host, with settings of its own."""

    @asynccontextmanager
    async def serving(host=None, **settings):
        config = DiscordConfig.model_validate({**stage.settings, **settings})
        host = host or Recording(config)
        async with build(config, context) as adapter:
            task = asyncio.create_task(adapter.serve(host))
            try:
                async with asyncio.timeout(10):
                    while not adapter.is_connected:
                        await asyncio.sleep(0.005)
                        if task.done():
                            task.result()
                yield adapter, host
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return serving


@pytest.fixture
async def served(serving):
    async with serving() as opened:
        yield opened


@pytest.fixture
def adapter(served):
    return served[0]


@pytest.fixture
def host(served):
    return served[1]


@pytest.fixture
def until(double):
    return double.until


@pytest.fixture
def event(host, until):
    """Wait for the next event of a kind."""

    async def event(kind, number=1):
        await until(lambda: len(host.of(kind)) >= number)
        return host.of(kind)[number - 1]

    return event
