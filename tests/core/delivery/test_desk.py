"""Each question that was accepted gets exactly one visible outcome."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager
from pathlib import Path

from assistants import write_handbook
from citewell.cli.indexing import bring_up
from citewell.delivery.answering import Answering
from citewell.delivery.desk import Desk, Manner
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.errors import DeliveryError
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Inbox
from citewell.journal.journal import Journal
from citewell.journal.outbox import Outbox
from citewell.testing.plainchat import PlainAdapter, PlainChat
from citewell.types.chat import Address, Asked, Deleted, Edited, Stopped, Venue
from databases import opened

SETTINGS = """
[adapter.plain]
use = "plainchat"
path = "chat.sqlite"
groups = { people = ["people-team"] }

[model.quotes]
use = "extractive"

[model.slow]
use = "scripted"
script = ["Every employee has 28 days of paid leave a year [1]. Unused days expire [1]."]
behaviour = "slow"
delay_s = 0.05

[profile.default]
retriever = "main"
model = "quotes"
"""
VENUE = Venue(platform="plain", channel="general", thread="1")


def asked(key="1", text="How many days of leave?", venue=VENUE):
    return Asked(key=key, venue=venue, user="U1", at=1.0, text=text, address=Address(venue=venue))


@asynccontextmanager
async def working(folder, *, settings=SETTINGS, manner=None, speaks=PlainAdapter, **options):
    """Yield a desk at work, and the chat that it answers in."""
    chat = PlainChat(folder / "chat.sqlite")
    manner = manner or Manner(poll_s=0.05, lease_s=3)
    with opened(f"sqlite:///{folder / 'journal.sqlite'}") as engine:
        async with open_runtime(load_settings(write_handbook(folder, settings))) as runtime:
            await bring_up(runtime)
            journal, inbox = Journal(engine), Inbox(engine)
            answering = Answering(
                backends=runtime,
                assistant=lambda leased: Assistant(leased, journal),
                outbox=Outbox(engine),
                conversations=Conversations(engine),
            )
            adapters = {"plain": speaks(chat, **options)}
            desk = Desk(inbox=inbox, answering=answering, adapters=adapters, manner=manner)
            task = asyncio.create_task(desk.run())
            try:
                yield desk, chat, inbox, journal
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def idle(inbox):
    async with asyncio.timeout(30):
        while inbox.waiting():  # noqa: ASYNC110 - another process may be at it
            await asyncio.sleep(0.02)


async def test_a_question_is_answered_once_however_often_it_comes(tmp_path):
    async with working(tmp_path) as (desk, chat, inbox, journal):
        came = [await desk.accept(asked()) for _ in range(5)]
        await idle(inbox)

    (message,) = chat.messages()
    assert came == [True, False, False, False, False]
    assert message.is_complete
    assert "28 days" in message.text
    assert "[1] Leave" in message.text
    assert journal.recent(1)[0].asker == "U1"


async def test_a_follow_up_leans_on_what_was_said_in_its_conversation_alone(tmp_path):
    other = Venue(platform="plain", channel="general", thread="2")
    async with working(tmp_path) as (desk, chat, inbox, _):
        await desk.accept(asked("1", "How many days of paid leave does an employee have?"))
        await idle(inbox)
        (first,) = chat.messages()
        await desk.accept(asked("2", "And how much of it?"))
        await desk.accept(asked("3", "And how much of it?", venue=other))
        await idle(inbox)

    said = {one.thread: one.text for one in chat.messages() if one.id != first.id}
    assert "28 days" in said["1"]
    assert "28 days" not in said["2"]


async def test_what_was_said_to_other_readers_is_not_remembered(tmp_path):
    members = {}
    async with working(tmp_path, members=members) as (desk, chat, inbox, _):
        await desk.accept(asked("1", "How many days of paid leave does an employee have?"))
        await idle(inbox)
        members["general"] = frozenset({frozenset({"people"})})
        await desk.accept(asked("2", "And how much of it?"))
        await idle(inbox)

    assert "28 days" not in chat.messages()[-1].text


async def test_a_changed_question_changes_its_answer(tmp_path):
    async with working(tmp_path) as (desk, chat, inbox, _):
        await desk.accept(asked())
        await idle(inbox)
        (before,) = chat.messages()
        text = "When is a doctor's note due?"
        await desk.accept(Edited(key="2", venue=VENUE, user="U1", at=2.0, of="1", text=text))
        await idle(inbox)
        (after,) = chat.messages()

    assert after.id == before.id
    assert "28 days" in before.text
    assert "fourth day" in after.text


async def test_an_answer_goes_with_its_question(tmp_path):
    async with working(tmp_path) as (desk, chat, inbox, _):
        await desk.accept(asked())
        await idle(inbox)
        await desk.accept(Deleted(key="2", venue=VENUE, user="U1", at=2.0, of="1"))
        await idle(inbox)

    assert chat.messages() == []
    assert len(chat.messages(deleted=True)) == 1


async def test_a_question_that_is_changed_while_it_is_answered_has_one_answer(tmp_path):
    settings = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
    async with working(tmp_path, settings=settings) as (desk, chat, inbox, _):
        await desk.accept(asked())
        await asyncio.sleep(0.3)
        for at in range(3):
            changed = Edited(
                key=f"e{at}", venue=VENUE, user="U1", at=2.0 + at, of="1", text=f"{at}?"
            )
            await desk.accept(changed)
            await asyncio.sleep(0.1)
        await idle(inbox)

    (message,) = chat.messages()
    assert message.is_complete


async def test_who_stops_an_answer_sees_that_it_stopped(tmp_path):
    settings = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n').replace("0.05", "0.3")
    async with working(tmp_path, settings=settings) as (desk, chat, inbox, _):
        await desk.accept(asked())
        await asyncio.sleep(0.6)
        await desk.accept(Stopped(key="s", venue=VENUE, user="U1", at=2.0))
        await idle(inbox)

    (message,) = chat.messages()
    assert message.text.endswith("Stopped.")
    assert message.is_complete


async def test_a_long_answer_comes_whole_in_several_messages(tmp_path):
    async with working(tmp_path, max_chars=90) as (desk, chat, inbox, _):
        await desk.accept(asked(text="Tell me about leave, unused days, and a doctor's note."))
        await idle(inbox)

    messages = chat.messages()
    assert len(messages) > 1
    assert len({message.key for message in messages}) == 1
    assert all(message.is_complete and len(message.text) <= 90 for message in messages)
    assert "[1]" in messages[-1].text + messages[-2].text


async def test_only_what_every_reader_may_read_is_said_in_a_channel(tmp_path):
    people = frozenset({frozenset({"people"})})
    mixed = people | {frozenset()}
    venues = [Venue(platform="plain", channel=name) for name in ("people", "mixed")]
    members = {"people": people, "mixed": mixed}
    async with working(tmp_path, members=members) as (desk, chat, inbox, _):
        for venue in venues:
            await desk.accept(asked(text="What is the salary of the leave officer?", venue=venue))
        await idle(inbox)

    said = {message.channel: message.text for message in chat.messages()}
    assert "71,344" in said["people"]
    assert "71,344" not in said["mixed"]


async def test_what_the_service_refuses_for_a_while_is_said_later(tmp_path):
    failures = iter([True, True])

    def refuse(_text):
        if next(failures, False):
            raise DeliveryError("busy", passes=True)

    async with working(tmp_path, refuses=refuse) as (desk, chat, inbox, _):
        await desk.accept(asked())
        await idle(inbox)

    (message,) = chat.messages()
    assert message.is_complete


async def test_a_question_that_fails_again_and_again_is_told_so(tmp_path, caplog):
    class Puzzled(PlainAdapter):
        async def readers(self, address, groups):
            raise RuntimeError("nobody knows who reads this")

    manner = Manner(poll_s=0.05, lease_s=0.3, attempts=2)
    async with working(tmp_path, manner=manner, speaks=Puzzled) as (desk, chat, inbox, _):
        await desk.accept(asked())
        await idle(inbox)

    (message,) = chat.messages()
    assert message.text.startswith("Something went wrong")
    assert message.is_complete
    assert "nobody knows" in caplog.text


async def test_a_process_that_ends_gives_back_what_it_has_not_finished(tmp_path):
    settings = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n').replace("0.05", "1.0")
    async with working(tmp_path, settings=settings) as (desk, _, _, _):
        await desk.accept(asked())
        await asyncio.sleep(0.5)
    with opened(f"sqlite:///{tmp_path / 'journal.sqlite'}") as engine:
        assert Inbox(engine).claim("next", lease_s=5).attempts == 2


KILLED = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_desk import Manner, working

async def main():
    manner = Manner(poll_s=0.02, lease_s=0.5, attempts=1000)
    async with working(Path({folder!r}), manner=manner):
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_no_kill_loses_a_question_or_answers_it_twice(tmp_path):
    write_handbook(tmp_path, SETTINGS)
    chance = random.Random(7)
    path = [str(Path(__file__).parent), *sys.path]
    script = KILLED.format(path=path, folder=str(tmp_path))
    with opened(f"sqlite:///{tmp_path / 'journal.sqlite'}") as engine:
        inbox = Inbox(engine)
        for kill in range(8):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, stdout=PIPE
            )
            assert await process.stdout.readline() == b"ready\n"
            for number in range(5):
                venue = Venue(platform="plain", channel="general", thread=f"{kill}.{number}")
                inbox.accept(asked(f"{kill}-{number}", venue=venue))
            await asyncio.sleep(chance.uniform(0, 0.4))
            process.kill()
            await process.wait()
    async with working(tmp_path, manner=Manner(poll_s=0.02, lease_s=3)) as (_, chat, inbox, _):
        await idle(inbox)

    messages = chat.messages()
    assert len(messages) == 40
    assert len({message.thread for message in messages}) == 40
    assert all(message.is_complete for message in messages)
    assert all("28 days" in message.text for message in messages)
