"""A real desk answers in Discord: one outcome for each question, whatever is delivered."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from assistants import write_handbook
from citewell.cli.indexing import bring_up
from citewell.delivery.answering import Answering
from citewell.delivery.desk import Desk, Manner
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Inbox
from citewell.journal.journal import Journal
from citewell.journal.outbox import Outbox
from citewell_discord.config import DiscordConfig
from citewell_discord.plugin import build
from databases import opened

SETTINGS = """
[adapter.discord]
use = "discord"
token = { env = "DISCORD_TOKEN" }
groups = { GROUPS }

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""


class DeskHost:
    """A host that hands what happens to a desk."""

    def __init__(self, config, desk, parts):
        self.config = config
        self._desk = desk
        self._parts = parts

    async def accept(self, event):
        if event.venue.thread:
            self._parts.add(event.venue.conversation)
        return await self._desk.accept(event)

    def takes_part(self, venue):
        return venue.conversation in self._parts

    async def quotes(self, answer_id, address):
        return []

    async def hand_off(self, answer_id, address):
        return None

    async def handed_off(self, answer_id, by, venue):
        raise AssertionError("nobody is told: there was nothing to hand off")

    async def libraries(self, address):
        return []

    async def recent(self, venue, user, *, limit=5):
        return []


@pytest.fixture
def working(stage, context, tmp_path, monkeypatch):
    """Open a desk that answers in the rehearsal; each is a process of its own."""
    monkeypatch.setenv("DISCORD_TOKEN", stage.double.token)
    parts = set()

    @asynccontextmanager
    async def working(groups=""):
        settings = load_settings(write_handbook(tmp_path, SETTINGS.replace("GROUPS", groups)))
        own = settings.adapters["discord"].config
        config = DiscordConfig.model_validate({**stage.settings, "groups": own.groups})
        async with build(config, context) as adapter, open_runtime(settings) as runtime:
            await bring_up(runtime)
            with opened(f"sqlite:///{tmp_path / 'journal.sqlite'}") as engine:
                journal, inbox = Journal(engine), Inbox(engine)
                answering = Answering(
                    backends=runtime,
                    assistant=lambda leased: Assistant(leased, journal),
                    outbox=Outbox(engine),
                    conversations=Conversations(engine),
                )
                manner = Manner(poll_s=0.05, lease_s=3)
                desk = Desk(
                    inbox=inbox, answering=answering, adapters={"discord": adapter}, manner=manner
                )
                host = DeskHost(config, desk, parts)
                tasks = [asyncio.create_task(adapter.serve(host)), asyncio.create_task(desk.run())]
                try:
                    await stage.double.until(lambda: adapter.is_connected)
                    yield inbox
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)

    return working


def written(double):
    """Return every body that writes something."""
    bodies = [one.body for one in double.calls if isinstance(one.body, dict)]
    bodies += [one["data"] for one in bodies if isinstance(one.get("data"), dict)]
    found = [one for one in bodies if "content" in one or "components" in one]
    assert found
    return found


async def idle(inbox):
    async with asyncio.timeout(30):
        calm = 0
        while calm < 5:
            calm = 0 if inbox.waiting() else calm + 1
            await asyncio.sleep(0.02)


async def test_a_question_is_answered_with_its_source(stage, working, alice, channel):
    async with working() as inbox:
        said = await stage.say(alice, "How many days of leave?", channel=channel)
        await stage.double.until(lambda: stage.seen(alice, channel=channel, thread=said.thread))
        await idle(inbox)

        (message,) = stage.seen(alice, channel=channel, thread=said.thread)
        assert "28 days" in message.text
        assert "[1] Leave" in message.text
        assert not message.is_growing
        assert (message.pings, message.previews, message.images) == ((), (), ())


async def test_a_changed_question_changes_its_answer_and_a_deleted_one_takes_it_away(
    stage, working, alice, channel
):
    async with working() as inbox:
        said = await stage.say(alice, "How many days of leave?", channel=channel)
        await stage.double.until(lambda: stage.seen(alice, channel=channel, thread=said.thread))
        await idle(inbox)
        (before,) = stage.seen(alice, channel=channel, thread=said.thread)
        await stage.change(said, "When is a doctor's note due?")
        await stage.double.until(
            lambda: "fourth day" in stage.seen(alice, channel=channel, thread=said.thread)[0].text
        )
        (after,) = stage.seen(alice, channel=channel, thread=said.thread)
        assert after.id == before.id
        await stage.take_back(said)
        await stage.double.until(lambda: not stage.seen(alice, channel=channel, thread=said.thread))
        await idle(inbox)


async def test_a_command_is_answered_privately(stage, working, alice, bob, channel):
    async with working() as inbox:
        await stage.command(alice, "How many days of leave?", channel=channel)
        await stage.double.until(lambda: stage.seen(alice, channel=channel))
        await idle(inbox)

        (message,) = stage.seen(alice, channel=channel)
        assert "28 days" in message.text
        assert message.only_for == alice
        assert all(one["allowed_mentions"]["parse"] == [] for one in written(stage.double))
        assert stage.seen(bob, channel=channel) == []


async def test_only_what_all_readers_may_read_is_said(stage, working):
    boss, clerk = stage.person("boss", groups=["701"]), stage.person("clerk")
    closed, mixed = stage.channel("closed", [boss]), stage.channel("mixed", [boss, clerk])
    question = "What is the salary of the leave officer?"
    async with working('"701" = ["people-team"]') as inbox:
        said = [await stage.say(boss, question, channel=one) for one in (closed, mixed)]
        for one in said:
            await stage.double.until(
                lambda one=one: stage.seen(boss, channel=one.channel, thread=one.thread)
            )
        await idle(inbox)

        texts = [stage.seen(boss, channel=one.channel, thread=one.thread)[0].text for one in said]
        assert "71,344" in texts[0]
        assert "71,344" not in texts[1]


async def test_a_stream_of_troubled_deliveries_has_one_outcome_each(
    stage, working, alice, bob, channel
):
    chance = random.Random(3)
    double = stage.double
    async with working() as inbox:
        double.deliveries.trouble(3, duplicated=0.4, window=4)
        said, gone = [], []
        for number in range(30):
            person = chance.choice([alice, bob])
            one = await stage.say(person, f"How many days of leave ({number})?", channel=channel)
            kind = chance.random()
            if kind < 0.2:
                await stage.take_back(one)
                gone.append(one)
                continue
            said.append(one)
            if kind < 0.4:
                await stage.change(one, f"How many days of paid leave ({number})?")
            elif kind < 0.6:
                await stage.say(bob, "just talking", channel=channel, mention=False)
            elif kind < 0.7:
                await stage.repeat(one)
        double.deliveries.release(shuffled=True)

        def answers(one):
            return stage.seen(one.person, channel=one.channel, thread=one.thread)

        await double.until(
            lambda: all(answers(one) and not answers(one)[-1].is_growing for one in said),
            timeout_s=40,
        )
        await idle(inbox)

        assert [len(answers(one)) for one in said] == [1] * len(said)
        assert [answers(one) for one in gone] == [[]] * len(gone)
        assert all(one["allowed_mentions"]["parse"] == [] for one in written(double))


async def test_what_was_begun_is_finished_by_the_next_process(stage, working, alice, channel):
    async with working() as inbox:
        stage.fail(1, status=503)
        said = await stage.say(alice, "How many days of leave?", channel=channel)
        await stage.double.until(inbox.waiting)
    async with working() as inbox:
        await stage.double.until(
            lambda: stage.seen(alice, channel=channel, thread=said.thread), timeout_s=20
        )
        await idle(inbox)

        assert len(stage.seen(alice, channel=channel, thread=said.thread)) == 1
