"""Hostile texts in documents, and said by models, and all that a bot can show of them."""

import asyncio
import json

from citewell.testing.adapters.stage import joined
from exposure import exposed

LINKS = "https://docs.example/"


def _word(number):
    letters = ""
    for _ in range(4):
        number, rest = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[rest]
    return f"zu{letters}o"


def library_of(texts):
    """Write a document that says each text, and a profile whose model says it by itself."""

    def write(folder):
        (folder / "docs").mkdir()
        parts = [_SETTINGS]
        for number, text in enumerate(texts):
            topic = _word(number)
            (folder / "docs" / f"{topic}.txt").write_text(
                f"The {topic} notice says {text} to us.\n", encoding="utf-8"
            )
            said = json.dumps(f"It says {text} to us.")
            parts += [
                f'[model.m{number}]\nuse = "scripted"\nscript = [{said}]\n',
                f'[profile.p{number}]\nmodel = "m{number}"\n',
            ]
        settings = folder / "citewell.toml"
        settings.write_text("\n".join(parts), encoding="utf-8")
        return settings

    return write


_SETTINGS = f"""
[chat]
user_per_minute = 0
channel_per_minute = 0

[model.obedient]
use = "scripted"

[profile.default]
retriever = "main"
model = "obedient"
passages = 1

[retriever.main]
use = "lexical"
libraries = ["docs"]

[library.docs]
use = "files"
path = "docs"
base_url = "{LINKS}"
labels = {{ "**" = ["everyone"] }}
"""


def check(stage):
    """Assert that nothing that was ever sent does anything, but for what is meant."""
    found = exposed(stage.chat)
    double = stage.chat.double
    # Home says how the bot is mentioned; who is handed a question is told so, and whose it is.
    meant = {f"user:{double.bot_user_id}"}
    if hasattr(double, "workspace"):
        meant |= {f"usergroup:{one}" for one in double.workspace.groups}
    else:
        meant |= {f"<@{one}>" for one in double.world.users}
    own = (LINKS, "https://discord.com/channels/", f"{_SLACK}archives/")
    assert found.pings - meant == set()
    assert {link for link in found.links if not link.startswith(own)} == set()
    assert (found.images, found.previews) == (set(), set())
    assert found.links, "the sources are linked"


_SLACK = "https://example.slack.com/"


async def quoted(stage, number, text):
    """Ask for a document in a channel, and look at all that can be shown of it."""
    person, other = stage.person(), stage.person()
    channel = await stage.channel(person, other)
    question = f"What does the {_word(number)} notice say? {text}"
    said = await stage.chat.say(person, question, channel=channel)
    seen = await stage.reply(said)
    assert "do not say" in joined(seen) or any(one.links for one in seen), joined(seen)
    if any(one.button("quotes") for one in seen):
        await stage.press(person, said, "quotes")
        await stage.until_told(person, said, "notice says")
        await stage.press(person, said, "person")
        await stage.until(lambda: stage.handed_off(person) or None, lambda: "it was not handed off")
    stage.chat.home(person)


async def quoted_privately(stage, number, text):
    person, channel = await stage.scene()
    question = f"What does the {_word(number)} notice say? {text}"
    said = await stage.chat.command(person, question, channel=channel)
    seen = await stage.reply(said)
    assert "do not say" in joined(seen) or any(one.links for one in seen), joined(seen)
    if any(one.button("share") for one in seen):
        await stage.press(person, said, "share")


async def said_freely(stage, number, text):
    person, channel = await stage.scene(profile=f"p{number}")
    said = await stage.chat.say(person, text, channel=channel)
    seen = await stage.reply(said)
    assert "to us" in joined(seen), joined(seen)
    if number % 5:
        return
    asked = await stage.chat.ask_about(person, said)
    if stage.chat.form(person) is not None:
        await stage.chat.fill_in(person, text)
    await stage.reply(asked)


WAYS = {"quoted": quoted, "privately": quoted_privately, "freely": said_freely}


def perform(opened, texts, way):
    runner, stage = opened

    async def play():
        for start in range(0, len(texts), 16):
            numbers = range(start, min(start + 16, len(texts)))
            await asyncio.gather(*(WAYS[way](stage, one, texts[one]) for one in numbers))
        await stage.settled()
        check(stage)

    runner.run(play())
