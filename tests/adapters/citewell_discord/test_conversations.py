"""A whole bot in Discord: what one person asked is history of nobody else's question."""

import pytest

from citewell.delivery.asking import Asking
from citewell.testing.adapters.library import DAYS, NOTE
from stages import hurry, staged

SECRET = "I am pregnant, tell nobody."


@pytest.fixture
async def stage(monkeypatch):
    hurry(monkeypatch)
    async with staged("discord") as opened:
        yield opened


@pytest.fixture
def asked(monkeypatch):
    """The questions that were put, with the history that goes with them."""
    put, questions = Asking.put, []

    async def noting(self, *args):
        found = await put(self, *args)
        if found is not None:
            questions.append(found.question)
        return found

    monkeypatch.setattr(Asking, "put", noting)
    return questions


def said_before(question):
    return " ".join(turn.text for turn in question.history)


async def test_what_one_person_asks_privately_is_history_of_nobody_elses_question(stage, asked):
    alice, bob = stage.person(), stage.person()
    channel = await stage.channel(alice, bob)
    await stage.reply(await stage.chat.command(alice, f"{SECRET} {NOTE}", channel=channel))
    bobs = await stage.chat.command(bob, DAYS, channel=channel)
    await stage.reply(bobs)
    await stage.press(bob, bobs, "share")
    await stage.until(lambda: len(asked) == 3, lambda: "it is not shared")
    await stage.reply(await stage.chat.say(bob, DAYS, channel=channel))

    assert [said_before(one) for one in asked] == [""] * 4


async def test_what_one_person_asks_privately_is_history_of_their_next_question(stage, asked):
    alice = stage.person()
    channel = await stage.channel(alice)
    await stage.reply(await stage.chat.command(alice, f"{SECRET} {NOTE}", channel=channel))
    await stage.reply(await stage.chat.command(alice, DAYS, channel=channel))

    assert SECRET in said_before(asked[1])
