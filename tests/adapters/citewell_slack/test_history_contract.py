"""Channels of Slack are a source as any other, and their threads are files as any other."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import msgspec

from citewell import Place
from citewell.conversations import Message
from citewell.conversations.transcripts import Transcript
from citewell.testing import LoaderContract, SourceContract
from citewell.testing.opening import opened
from citewell_slack.testing import SlackDouble


class World:
    """A workspace, and what was written there by name."""

    def __init__(self):
        self.double = SlackDouble(seed=3)
        # Nobody listens here.
        self.double.workspace.is_installed = False
        self.alice = self.double.add_person("alice")
        self.channel = self.double.add_channel("general", [self.alice])
        self.token = self.double.bot_token
        self.written = {}
        self.texts = {}


class TestSlackHistory(SourceContract):
    """Each document is a thread: a message, and a reply that is its text."""

    name = "slack-history"
    worlds: ClassVar[dict[Path, World]] = {}

    def config(self, root):
        world = self.worlds[root]
        return {
            "channels": [world.channel.id],
            "bot_token": world.token,
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
            world.written[name] = first, world.alice.say(world.channel, text, thread=first)

    def remove(self, root, name):
        world = self.worlds[root]
        for message in reversed(world.written.pop(name)):
            world.alice.delete(message)

    def text(self, changed):
        transcript = msgspec.json.decode(changed.raw.path.read_bytes(), type=Transcript)
        texts = {key: text for world in self.worlds.values() for key, text in world.texts.items()}
        return texts[transcript.messages[-1].text]

    def spoil(self, root):
        self.worlds[root].double.tokens.bots.clear()

    @asynccontextmanager
    async def open(self, root):
        async with (
            self.worlds[root].double,
            opened("source", self.name, self.config(root), root.parent) as source,
        ):
            yield source


class TestSlackThread(LoaderContract):
    name = "slack-thread"
    quotes: ClassVar = {
        "Six months": Place(headings=("#people: Probation", "Bob, 2026-05-04 09:00 UTC")),
    }

    def samples(self, folder):
        first = Message(
            id="1777885200.000100",
            author="Alice",
            at=1777885200.0,
            text="How long is the probation?\n```\nif new:\n    wait()\n```\nI cannot find it.",
            uri="https://example.slack.com/archives/C0123456/p1777885200000100",
        )
        second = msgspec.structs.replace(
            first,
            id="1777885200.000200",
            author="Bob",
            text="Six months\r\nfor all \ud83d of us.\0",
        )
        path = folder / "thread.slack-thread"
        path.write_bytes(
            Transcript("#people: Probation", first.uri, (first,)).encoded().replace(b"x", b"x")
        )
        other = folder / "other.slack-thread"
        messages = (first, msgspec.structs.replace(second, text="Six months, as ever."))
        other.write_bytes(Transcript("#people: Probation", first.uri, messages).encoded())
        return path, other
