"""Clients of Discord as tests start them."""

import asyncio
import threading
from contextlib import asynccontextmanager

import discord


@asynccontextmanager
async def running(client, token):
    """Yield a client that is ready."""
    task = asyncio.create_task(client.start(token))
    ready = asyncio.create_task(client.wait_until_ready())
    try:
        await asyncio.wait({task, ready}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert client.is_ready()
        yield client
    finally:
        ready.cancel()
        await client.close()
        await asyncio.gather(task, return_exceptions=True)
        await heartbeats_ended()


async def heartbeats_ended():
    """Wait for the threads that send heartbeats, which may be about to use the event loop."""
    for thread in threading.enumerate():
        if thread.name.startswith("keep-alive-handler"):
            await asyncio.to_thread(thread.join, 2)


class Bot(discord.Client):
    """A client that remembers what it was told."""

    def __init__(self, *, intents=None, **settings):
        super().__init__(
            intents=discord.Intents.all() if intents is None else intents,
            guild_ready_timeout=0.05,
            **settings,
        )
        self.heard = []
        self.echoes = []
        self.edits = []
        self.deleted = []

    async def before_identify_hook(self, shard_id, *, initial=False):
        """Wait for nothing, where the library waits for five seconds."""

    async def on_message(self, message):
        own = message.author.id == self.user.id
        (self.echoes if own else self.heard).append(message)

    async def on_raw_message_edit(self, payload):
        self.edits.append(payload)

    async def on_raw_message_delete(self, payload):
        self.deleted.append(payload)


def answering(*items):
    """Return a view with these items, which never ends."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view
