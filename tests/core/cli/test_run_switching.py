"""`citewell run` takes a changed settings file over while it answers in both services at once."""

import asyncio
import os
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager

import pytest

import openai_server as api
from assistants import LIBRARY, write_handbook
from citewell.engine.folders import make_folder
from citewell.engine.settings import load_settings
from citewell.journal.journal import Journal, journal_url
from citewell.journal.spool import Spool
from citewell_discord.testing.rehearsal import DiscordRehearsal
from citewell_slack.plugin import rehearsal as slack_rehearsal

# A second between two looks at the file would make a test of fifty changes take minutes.
RUN = (
    "import citewell.engine.serving as serving; serving._POLL_S = 0.05; "
    "from citewell.cli.main import main; main()"
)
QUESTION = "How many days of leave?"
CHANNELS = 10
QUESTIONS = 200
CHANGES = 50
SETTINGS = """
[adapter.slack]
use = "slack"
bot_token = {{ env = "TEST_BOT_TOKEN" }}
app_token = {{ env = "TEST_APP_TOKEN" }}
api_url = "{slack}"

[adapter.discord]
use = "discord"
token = {{ env = "TEST_TOKEN" }}
api_url = "{discord}"
gateway_url = "{gateway}"
message_content = true

[chat]
user_per_minute = 0
channel_per_minute = 0
queue = 0

[model.quotes]
use = "extractive"

[model.slow]
use = "scripted"
script = ["Every employee has 28 days of paid leave a year [1]."]
behaviour = "slow"
delay_s = 0.1

[model.cloud]
use = "litellm"
model = "openai/test"
api_base = "{cloud}"
api_key = {{ env = "CLOUD_KEY" }}

[profile.default]
retriever = "main"
model = "{model}"
"""
STAY = "the settings stay as they were: "
MODELS = ("slow", "cloud", "quotes")
# Each with a word of what it is to be told for.
BROKEN = (
    ("this is no TOML [", "TOML"),
    ('[profile.default]\nmodel = "nobody"\n', "nobody"),
    ("[profile.default]\nmodel = 7\n", "model"),
    ("[retreiver.main]\n", "retreiver"),
    ('[model.quotes]\nuse = "extractiv"\n[profile.default]\nmodel = "quotes"\n', "extractiv"),
)


class Process:
    """`citewell run`, and what it complains of."""

    def __init__(self, process):
        self.lines = []
        self._process = process
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for line in self._process.stderr:
            self.lines.append(line.decode().rstrip())

    def count(self, words):
        return sum(words in line for line in self.lines)

    async def until(self, is_so):
        end = time.monotonic() + 60
        while not is_so():
            assert self._process.returncode is None, self.lines
            assert time.monotonic() < end, "\n".join(self.lines[-5:])
            await asyncio.sleep(0.02)

    async def end(self):
        self._process.terminate()
        code = await self._process.wait()
        await self._reading
        return code


@asynccontextmanager
async def running(config):
    """Start it; kill it in the end."""
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN, "run", "--verbose", "--config", str(config)),
        cwd=config.parent,
        env=os.environ,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(started)
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


def save(config, text):
    """Replace the file, as an editor does that never shows half of one."""
    draft = config.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(config)


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("CLOUD_KEY", "sk-canary-0123456789")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    return monkeypatch.setenv


def journal(settings):
    make_folder(settings.data_dir)
    url = journal_url(settings.journal_url, settings.data_dir)
    with Journal.open(url, Spool(settings.data_dir / "spool")) as opened:
        return opened.recent(2 * QUESTIONS)


async def test_questions_in_both_services_survive_fifty_changes(tmp_path, secrets):
    async with (
        api.serving() as cloud,
        slack_rehearsal() as slack,
        DiscordRehearsal() as discord,
    ):
        cloud.respond = api.say("Every employee has 28 days of paid leave a year [1].")
        secrets("TEST_BOT_TOKEN", slack.settings["bot_token"])
        secrets("TEST_APP_TOKEN", slack.settings["app_token"])
        secrets("TEST_TOKEN", discord.settings["token"])
        addresses = {
            "slack": slack.settings["api_url"],
            "discord": discord.settings["api_url"],
            "gateway": discord.settings["gateway_url"],
            "cloud": cloud.url,
        }
        texts = {model: SETTINGS.format(model=model, **addresses) for model in MODELS}
        config = write_handbook(tmp_path, texts["quotes"])
        settings = load_settings(config)
        generations = {settings.generation: "quotes"}
        async with running(config) as process:
            await slack.until_connected()
            await discord.until_connected()
            await process.until(lambda: process.count("synced: 2 added"))

            async def change():
                told = Counter()
                for number in range(CHANGES):
                    if number % 5 == 4:
                        broken, word = BROKEN[number // 5 % len(BROKEN)]
                        save(config, LIBRARY + broken)
                        await process.until(lambda: process.count(STAY) > told[STAY])
                        (line,) = [one for one in process.lines if STAY in one][told[STAY] :]
                        told[STAY] += 1
                        assert word in line
                    else:
                        text = LIBRARY + texts[MODELS[number % 3]] + f"# {number}\n"
                        save(config, text)
                        named = load_settings(config).generation
                        generations[named] = MODELS[number % 3]
                        line = f"settings {named} are in force"
                        await process.until(lambda line=line: process.count(line) > told[line])
                        told[line] = process.count(line)
                    await asyncio.sleep(0.1)

            async def ask(chat):
                you = chat.person("ann")
                channels = [chat.channel(f"c{one}", [you]) for one in range(CHANNELS)]
                asked = []
                for number in range(QUESTIONS // 2):
                    where = channels[number % CHANNELS]
                    asked.append(await chat.say(you, f"{QUESTION} ({number})", channel=where))
                    await asyncio.sleep(0.1)
                return asked

            def replies(chat, said):
                return chat.seen(said.person, channel=said.channel, thread=said.thread)

            changing = asyncio.create_task(change())
            both = await asyncio.gather(ask(slack), ask(discord))
            await changing
            asked = [(chat, one) for chat, those in zip((slack, discord), both, strict=True)
                     for one in those]  # fmt: skip
            await process.until(
                lambda: all(
                    seen and not any(one.is_growing for one in seen)
                    for seen in (replies(*one) for one in asked)
                )
            )
            shown = [replies(*one) for one in asked]
            code = await process.end()
        records = journal(settings)

    assert code == 0
    assert len(shown) == QUESTIONS
    assert all(len(seen) == 1 for seen in shown), "none is answered twice"
    assert all("28 days" in seen[0].text for seen in shown), "none is lost, and no error is seen"
    assert len({one.id for one in records}) == len(records) == QUESTIONS
    assert all(one.errors == () for one in records)
    assert all(generations[one.generation] == one.model for one in records)
    used = Counter(one.model for one in records)
    assert set(used) == set(MODELS), used
    told = [one for one in process.lines if not one.startswith("info: ")]
    assert sum(STAY in one for one in told) == CHANGES // 5
    assert [one for one in told if STAY not in one][:-1] == []
