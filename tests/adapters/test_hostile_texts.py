"""What documents, models and people write pings nobody, links nowhere and loads nothing."""

import asyncio
import json

import pytest

from citewell.testing.adapters.stage import joined
from exposure import exposed
from readership import staged

HOSTILE = (
    "@everyone", "@here", "@channel", "<!channel>", "<!here>", "<!here|here>", "<!everyone>",
    "<@U1>", "<@U00000001>", "<@W1>", "<@B1>", "<!subteam^S1>", "<!subteam^S1|@helpers>",
    "<#C1>", "<#C00000001|general>", "<@123456789012345678>", "<@!123456789012345678>",
    "<@&123456789012345678>", "<#123456789012345678>", "</ask:123456789012345678>",
    "<id:customize>", "<a:x:123456789012345678>", "<:x:123456789012345678>",
    "@\u200beveryone", "@\u200b\u200beveryone", "<\u200b@U1>", "<@\u200bU1>", "\u202e@everyone",
    "\u202e<@U1>\u202c", "\u202eenoyreve@\u202c", "\\@everyone", "\\\\@everyone", "\\<@U1>",
    "`@everyone`", "``@everyone`", "```@everyone", "||@everyone||", "**@everyone**", "~~<@U1>~~",
    "&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;", "&#60;!channel&#62;", "\uff1c!channel\uff1e",
    "[x](https://evil.example)", "[x](<https://evil.example>)", "[x]( https://evil.example )",
    "[x](https://evil.example 'title')", "[x][1] and [1]: https://evil.example",
    "[x](//evil.example)", "[x](javascript:alert(1))", "[x](data:text/html,evil)",
    "[https://docs.example/](https://evil.example)", "[\u202ex\u202c](https://evil.example)",
    "![x](https://evil.example/p.png)", "![](https://evil.example/p.png)",
    "[![x](https://evil.example/p.png)](https://evil.example)", "!\\[x](https://evil.example/p)",
    "https://evil.example", "http://evil.example/p?q=1&r=2#s", "HTTPS://EVIL.EXAMPLE",
    "hTTps://evil.example", "www.evil.example", "evil.example/path", "ftp://evil.example",
    "mailto:a@evil.example", "a@evil.example", "tel:+4711", "slack://user?team=T1&id=U1",
    "discord://evil", "steam://run/1", "file:///etc/passwd", "javascript:alert(1)",
    "<https://evil.example>", "<https://evil.example|docs.example>", "<mailto:a@evil.example|a>",
    "<!date^1392734382^{date}^https://evil.example|then>", "<https://evil.example|@everyone>",
    "discord.gg/evil", "https://discord.gg/evil", "discord.com/invite/evil", "dis.gd/evil",
    "discordapp.com/invite/evil", "ht\u200btps://evil.example", "https:\u200b//evil.example",
    "https\u202e://evil.example", "https://evil.example\u202c", "https:/\u2060/evil.example",
    "\u2066https://evil.example\u2069", "(https://evil.example)", "x](https://evil.example)[y",
    "<a href='https://evil.example'>x</a>", "<img src=https://evil.example/p.png>",
    "<script>fetch('https://evil.example')</script>", "<iframe src='//evil.example'></iframe>",
    "<style>@import 'https://evil.example'</style>", ":tada:",
)  # fmt: skip
LINKS = "https://docs.example/"


def _word(number):
    letters = ""
    for _ in range(4):
        number, rest = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[rest]
    return f"zu{letters}o"


def _library(texts):
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


@pytest.fixture(scope="module", params=["slack", "discord"])
def own(request):
    with staged(request.param, _library(HOSTILE)) as opened:
        yield opened


@pytest.fixture(scope="module", params=["slack", "discord"])
def injected(request, data_dir):
    (file,) = data_dir("injection_strings").glob("*.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["instruction"] for line in lines]
    assert len(texts) == 75
    with staged(request.param, _library(texts)) as opened:
        yield (*opened, texts)


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


@pytest.mark.parametrize("way", WAYS)
def test_what_is_hostile_does_nothing(own, way):
    perform(own, HOSTILE, way)


@pytest.mark.parametrize("way", WAYS)
def test_what_injects_instructions_does_nothing(injected, way):
    *opened, texts = injected

    perform(opened, texts, way)
