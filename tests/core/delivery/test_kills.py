"""No kill at any point loses a question, or answers it twice."""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing, suppress

import pytest

from citewell.delivery import wording
from citewell.journal.inbox import Inbox
from citewell.testing.plainchat import PlainChat
from citewell.types.chat import Address, Deleted, Edited, Venue
from databases import opened
from desks import KILLED, Killable, asked, forking, working

VENUE = Venue(platform="plain", channel="general", thread="1")


@pytest.fixture(scope="module")
def forks():
    with forking() as made:
        yield made


@pytest.fixture
async def prepared(tmp_path):
    """A folder with an index and an empty journal."""
    folder = tmp_path / "prepared"
    folder.mkdir()
    async with working(folder):
        pass
    return folder


def accept(folder, *events):
    with opened(f"sqlite:///{folder / 'journal.sqlite'}") as engine:
        inbox = Inbox(engine)
        for event in events:
            inbox.accept(event)


def kills_at_each_commit(
    forks, prepared, tmp_path, *events, forgets=False, moments=("before", "after")
):
    """Kill a process at each of its commits, let another one finish, and yield the chats."""
    accept(prepared, *events)
    killed = []
    for moment in moments:
        ended, commit = KILLED, 0
        while ended == KILLED:
            commit += 1
            folder = tmp_path / f"{moment}-{commit}"
            shutil.copytree(prepared, folder)
            options = {"folder": str(folder), "workers": 1, "forgets": forgets}
            ended = forks.run(Killable(commit=commit, before=moment == "before", **options))
            killed.append((folder, options, stage(folder)))
        assert ended == 0
        # It was taken, held, opened, and finished at least.
        assert commit > 4
    for folder, options, left_at in killed:
        assert forks.run(Killable(**options)) == 0
        yield f"{folder.name} {left_at}", PlainChat(folder / "chat.sqlite")


def stage(folder):
    """Return what is known of the only reply."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        rows = connection.execute("SELECT state FROM replies").fetchall()
    return rows[0][0] if rows else "none"


async def test_a_kill_at_any_commit_leaves_one_answer(forks, prepared, tmp_path):
    for where, chat in kills_at_each_commit(forks, prepared, tmp_path, asked()):
        messages = chat.messages()
        assert len(messages) == 1, where
        assert messages[0].is_complete, where
        assert "28 days" in messages[0].text, where


async def test_what_cannot_be_changed_after_a_kill_is_said_again_and_says_so(
    forks, prepared, tmp_path
):
    question = asked(address=Address(venue=VENUE, only_for="U1"))
    kept, repeated = [], []
    for where, chat in kills_at_each_commit(forks, prepared, tmp_path, question, forgets=True):
        first, *again = chat.messages()
        last = again[-1] if again else first
        assert last.is_complete, where
        assert "28 days" in last.text, where
        assert not first.text.startswith(wording.REPEATED), where
        assert all(one.text.startswith(wording.REPEATED) for one in again), where
        repeated += [where] if again else []
        kept += [where] if where.endswith("final") else []
    # What is known to be said for good is not said again.
    assert repeated
    assert kept
    assert not set(kept) & set(repeated)


async def test_a_kill_at_any_commit_leaves_the_answer_to_what_was_asked_last(
    forks, prepared, tmp_path
):
    text = "When is a doctor's note due?"
    changed = Edited(key="2", venue=VENUE, user="U1", at=2.0, of="1", text=text)
    accept(prepared, asked())
    assert forks.run(Killable(folder=str(prepared))) == 0
    for where, chat in kills_at_each_commit(forks, prepared, tmp_path, changed, moments=["before"]):
        (message,) = chat.messages()
        assert "fourth day" in message.text, where
        assert message.is_complete, where


async def test_a_kill_at_any_commit_leaves_no_answer_to_what_was_taken_back(
    forks, prepared, tmp_path
):
    accept(prepared, asked())
    assert forks.run(Killable(folder=str(prepared))) == 0
    gone = Deleted(key="2", venue=VENUE, user="U1", at=2.0, of="1")
    for where, chat in kills_at_each_commit(forks, prepared, tmp_path, gone, moments=["before"]):
        assert chat.messages() == [], where
        assert len(chat.messages(deleted=True)) == 1, where


async def test_no_kill_at_a_random_moment_loses_a_question_or_answers_it_twice(forks, prepared):
    chance, rounds = random.Random(7), 16
    for number in range(rounds):
        accept(prepared, *what_happens(number))
        pid = forks.start(Killable(folder=str(prepared)))
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        os.kill(pid, signal.SIGKILL)
        forks.end()
    assert forks.run(Killable(folder=str(prepared))) == 0

    said = {one.thread: one for one in PlainChat(prepared / "chat.sqlite").messages()}
    everything = {f"{number}.{at}" for number in range(rounds) for at in range(4)}
    taken_back = {f"{number}.1" for number in range(rounds - 1)}
    assert len(said) == len(PlainChat(prepared / "chat.sqlite").messages())
    assert set(said) == everything - taken_back
    assert all(one.is_complete for one in said.values())
    for thread, one in said.items():
        number, at = thread.split(".")
        is_changed = at == "0" and int(number) < rounds - 1
        assert ("fourth day" if is_changed else "28 days") in one.text, thread


async def test_two_processes_of_which_one_is_killed_answer_each_question_once(forks, prepared):
    chance, rounds = random.Random(11), 4
    with forking() as others:
        for number in range(rounds):
            threads = [f"{number}.{at}" for at in range(12)]
            venues = [Venue(platform="plain", channel="general", thread=one) for one in threads]
            accept(prepared, *(asked(venue.thread, venue=venue) for venue in venues))
            pid = forks.start(Killable(folder=str(prepared)))
            others.start(Killable(folder=str(prepared)))
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            # On a quick machine it has already answered everything.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            forks.end()
            assert others.end() == 0

    messages = PlainChat(prepared / "chat.sqlite").messages()
    assert len({message.thread for message in messages}) == rounds * 12
    assert len(messages) == rounds * 12
    assert all(message.is_complete and "28 days" in message.text for message in messages)


def what_happens(number):
    """Yield four questions; of those before, one is changed, one taken back, one comes again."""
    for at in range(4):
        venue = Venue(platform="plain", channel="general", thread=f"{number}.{at}")
        yield asked(venue.thread, venue=venue)
    if number:
        before = number - 1
        there = {"user": "U1", "at": 2.0 + number}
        text = "When is a doctor's note due?"
        yield Edited(key=f"e{before}", of=f"{before}.0", text=text, venue=VENUE, **there)
        yield Deleted(key=f"d{before}", of=f"{before}.1", venue=VENUE, **there)
        yield asked(f"{before}.2", venue=Venue(platform="plain", channel="general"))
