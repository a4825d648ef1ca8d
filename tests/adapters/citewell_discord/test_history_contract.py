"""Channels of Discord are a source as any other, and their threads are files as any other."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import msgspec

from citewell import Place
from citewell.conversations import Message
from citewell.conversations.transcripts import Transcript
from citewell.testing import LoaderContract, SourceContract
from citewell.testing.opening import opened
from citewell_discord.testing import ALL, DiscordDouble


class World:
    """A server, and what was written there by name."""

    def __init__(self):
        self.double = DiscordDouble()
        self.guild = self.double.world.add_guild("example", rights=ALL)
        self.alice = self.double.person("alice", self.guild)
        self.channel = self.double.world.add_text(self.guild, "general")
        self.token = self.double.token
        self.written = {}
        self.texts = {}


class TestDiscordHistory(SourceContract):
    """Each document is a thread: a message, and one in its thread that is its text."""

    name = "discord-history"
    worlds: ClassVar[dict[Path, World]] = {}

    def config(self, root):
        world = self.worlds[root]
        return {
            "channels": [str(world.channel.id)],
            "token": world.token,
            "api_url": world.double.api_url,
        }

    def prepare(self, root):
        self.worlds[root] = World()

    def write(self, root, files):
        world = self.worlds[root]
        for name, text in files.items():
            world.texts[text.strip()] = text
            if name in world.written:
                world.alice.edit(world.written[name][1], text)
                continue
            first = world.alice.say(world.channel, f"about {name}")
            thread = world.alice.start_thread(first, "Questions")
            world.written[name] = first, world.alice.say(thread, text)

    def remove(self, root, name):
        world = self.worlds[root]
        first, said = world.written.pop(name)
        world.double.world.remove_channel(said.channel)
        world.alice.delete(first)

    def text(self, changed):
        transcript = msgspec.json.decode(changed.raw.path.read_bytes(), type=Transcript)
        texts = {key: text for world in self.worlds.values() for key, text in world.texts.items()}
        return texts[transcript.messages[-1].text]

    def spoil(self, root):
        world = self.worlds[root]
        world.double.world.remove_guild(world.guild)
        world.double.world.remove_channel(world.channel)

    @asynccontextmanager
    async def open(self, root):
        async with (
            self.worlds[root].double,
            opened("source", self.name, self.config(root), root.parent) as source,
        ):
            yield source


class TestDiscordThread(LoaderContract):
    name = "discord-thread"
    quotes: ClassVar = {
        "Six months": Place(headings=("#people: Probation", "Bob, 2026-05-04 09:00 UTC")),
    }

    def samples(self, folder):
        first = Message(
            id="00001400000000000001",
            author="Alice",
            at=1777885200.0,
            text="How long is the probation?",
            uri="https://discord.com/channels/1/2/1400000000000001",
        )
        second = msgspec.structs.replace(first, id="2", author="Bob", text="Six months, as ever.")
        path = folder / "thread.discord-thread"
        path.write_bytes(Transcript("#people: Probation", first.uri, (first, second)).encoded())
        return (path,)
