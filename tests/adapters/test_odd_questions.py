"""Whatever people ask is answered: also with characters that some store or platform trips over."""

import asyncio
import json

import pytest

from citewell.testing.adapters.library import DAYS, write_library
from citewell.testing.adapters.stage import joined
from readership import staged

# No service sends half a character.
ODD = ("\0", "\ufffe", "\x1b[2J", "\u202e", "\u2028", "👩\u200d")


@pytest.fixture(scope="module", params=["plainchat", "slack", "discord"])
def opened(request):
    with staged(request.param, write_library) as stage:
        yield stage


async def asked(stage, text):
    person = stage.person()
    channel = await stage.channel(person)
    said = await stage.chat.say(person, text, channel=channel)
    return joined(await stage.reply(said))


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_a_question_of_odd_characters_is_answered(opened, odd):
    runner, stage = opened

    async def play():
        assert "28 days" in await asked(stage, f"{DAYS} {odd} {DAYS}")
        person, channel = await stage.scene()
        said = await stage.chat.command(person, f"{odd}{DAYS}", channel=channel)
        await stage.says(said, "28 days")
        stage.chat.home(person)
        await stage.press(person, said, "unhelpful")
        await stage.chat.fill_in(person, f"because{odd}of this")
        await stage.press(person, said, "person")
        await stage.until(lambda: stage.handed_off(person) or None, lambda: "not handed off")

    runner.run(play())


def test_naughty_strings_are_answered(opened, data_dir):
    (file,) = data_dir("naughty_strings").glob("*.json")
    strings = json.loads(file.read_text(encoding="utf-8"))
    runner, stage = opened

    async def play():
        for at in range(0, len(strings), 64):
            some = [f"{DAYS} {text}" for text in strings[at : at + 64 : 8]]
            for told in await asyncio.gather(*(asked(stage, text) for text in some)):
                assert "28 days" in told or "do not say" in told

    runner.run(play())
