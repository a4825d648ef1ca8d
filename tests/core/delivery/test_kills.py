"""No kill at any point loses a question, or answers it twice."""

import random
import shutil
import time

import pytest

from citewell.delivery import wording
from citewell.journal.inbox import Inbox
from citewell.testing.plainchat import PlainChat
from citewell.types.chat import Address, Deleted, Edited, Venue
from databases import opened
from desks import KILLED, asked, forking, working

VENUE = Venue(platform="plain", channel="general", thread="1")
ALONE = Address(venue=VENUE, only_for="U1")


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


def finish(forks, folder, **options):
    forks.start(folder, **options)
    assert forks.end() == 0


def kills_at_each_commit(forks, prepared, tmp_path, *events, **options):
    """Kill a process at each of its commits, let another one finish, and yield the chat."""
    for when in ("before", "after"):
        ended = KILLED
        commit = 0
        while ended == KILLED:
            commit += 1
            folder = tmp_path / f"{when}-{commit}"
            shutil.copytree(prepared, folder)
            accept(folder, *events)
            forks.start(folder, commit=commit, when=when, **options)
            ended = forks.end()
            finish(forks, folder, **options)
            yield f"{when} commit {commit}", PlainChat(folder / "chat.sqlite")
        # Taken, opened, shown, recorded, shown for good, finished; and held.
        assert ended == 0
        assert commit > 5


async def test_a_kill_at_any_commit_leaves_one_answer(forks, prepared, tmp_path):
    for where, chat in kills_at_each_commit(forks, prepared, tmp_path, asked()):
        messages = chat.messages()
        assert len(messages) == 1, where
        assert messages[0].is_complete, where
        assert "28 days" in messages[0].text, where


async def test_a_kill_at_any_commit_says_of_what_cannot_be_changed_that_it_is_repeated(
    forks, prepared, tmp_path
):
    question, repeated = asked(address=ALONE), 0
    kills = kills_at_each_commit(forks, prepared, tmp_path, question, forgets=True)
    for where, chat in kills:
        messages = chat.messages()
        assert messages[-1].is_complete, where
        assert "28 days" in messages[-1].text, where
        assert not messages[0].text.startswith(wording.REPEATED), where
        again = messages[1:]
        assert all(one.text.startswith(wording.REPEATED) for one in again), where
        repeated += len(again)
    # Only what was posted and not yet kept as posted for good is said again.
    assert 0 < repeated <= 6


async def test_a_kill_at_any_commit_leaves_the_answer_to_what_was_asked_last(
    forks, prepared, tmp_path
):
    text = "When is a doctor's note due?"
    changed = Edited(key="2", venue=VENUE, user="U1", at=2.0, of="1", text=text)
    accept(prepared, asked())
    finish(forks, prepared)
    for where, chat in kills_at_each_commit(forks, prepared, tmp_path, changed):
        (message,) = chat.messages()
        assert "fourth day" in message.text, where
        assert message.is_complete, where


async def test_a_kill_at_any_commit_leaves_no_answer_to_what_was_taken_back(
    forks, prepared, tmp_path
):
    gone = Deleted(key="2", venue=VENUE, user="U1", at=2.0, of="1")
    accept(prepared, asked())
    finish(forks, prepared)
    for commit in range(1, 6):
        folder = tmp_path / f"gone-{commit}"
        shutil.copytree(prepared, folder)
        accept(folder, gone)
        forks.start(folder, commit=commit, when="after")
        forks.end()
        finish(forks, folder)
        chat = PlainChat(folder / "chat.sqlite")
        assert chat.messages() == [], commit
        assert len(chat.messages(deleted=True)) == 1, commit


async def test_no_kill_at_a_random_moment_loses_a_question_or_answers_it_twice(forks, prepared):
    chance = random.Random(7)
    for kill in range(20):
        events = [
            asked(
                f"{kill}-{number}",
                venue=Venue(platform="plain", channel="general", thread=f"{kill}.{number}"),
            )
            for number in range(5)
        ]
        accept(prepared, *events)
        pid = forks.start(prepared)
        time.sleep(chance.uniform(0.05, 0.6))
        forks.kill(pid)
        forks.end()
    finish(forks, prepared)

    messages = PlainChat(prepared / "chat.sqlite").messages()
    assert len(messages) == 100
    assert len({message.thread for message in messages}) == 100
    assert all(message.is_complete for message in messages)
    assert all("28 days" in message.text for message in messages)
