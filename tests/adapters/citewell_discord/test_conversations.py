"""A whole bot in Discord: what one person asked is history of nobody else's question."""

from contextlib import asynccontextmanager

import pytest

from citewell.delivery.asking import Asking
from citewell.testing.adapters.library import DAYS, NOTE
from citewell_discord.plugin import rehearsal
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
    await stage.chat.command(alice, DAYS, channel=channel)
    await stage.until(lambda: len(asked) == 2, lambda: "it is not asked")

    assert SECRET in said_before(asked[1])


@pytest.fixture
async def channels_only(monkeypatch):
    hurry(monkeypatch)

    @asynccontextmanager
    async def opener():
        async with rehearsal() as chat:
            chat.has_threads = False
            settings = {**chat.settings, "threads": False}
            monkeypatch.setattr(type(chat), "settings", property(lambda _: settings))
            yield chat

    async with staged("discord", opener) as opened:
        yield opened


async def test_without_threads_a_chain_of_replies_is_a_conversation(channels_only, asked):
    stage = channels_only
    alice, bob = stage.person(), stage.person()
    channel = await stage.channel(alice, bob)
    first = await stage.chat.say(alice, f"{SECRET} {NOTE}", channel=channel)
    answer = (await stage.reply(first))[0]
    await stage.chat.say(bob, DAYS, channel=channel)
    await stage.until(lambda: len(asked) == 2, lambda: "bob is not heard")
    chat = stage.chat
    chat._person(alice).reply(chat._message(answer.id), DAYS)
    await stage.until(lambda: len(asked) == 3, lambda: "alice is not heard")
    more = await stage.until(
        lambda: len(chat.seen(alice, channel=channel)) == 3 and chat.seen(alice, channel=channel),
        lambda: "alice is not answered",
    )
    chat._person(alice).reply(chat._message(more[-1].id), "and for interns?")
    await stage.until(lambda: len(asked) == 4, lambda: "alice is not heard again")

    assert [SECRET in said_before(one) for one in asked] == [False, False, True, True]
    assert DAYS in said_before(asked[3])
    assert said_before(asked[1]) == ""
