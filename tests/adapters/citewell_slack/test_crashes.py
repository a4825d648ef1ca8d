"""Wherever the process is killed, each question has one answer in Slack, and it is complete."""

import asyncio
import json
import os
import random
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from assistants import write_handbook
from citewell.engine.settings import load_settings
from citewell_slack.plugin import rehearsal
from tests.adapters.citewell_slack.test_rehearsal import SETTINGS, working

SLOW = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n').replace("0.05", "0.02")
CHILD = """
import asyncio, json, os, sys
from pathlib import Path
from types import SimpleNamespace
sys.path[:0] = json.loads(os.environ["TEST_PATH"])
from citewell.engine.settings import load_settings
from tests.adapters.citewell_slack import test_rehearsal

async def nothing():
    pass

async def main():
    folder = Path(sys.argv[1])
    standin = SimpleNamespace(
        settings=json.loads(os.environ["TEST_SETTINGS"]), until_connected=nothing
    )
    async with test_rehearsal.working(folder, load_settings(folder / "citewell.toml"), standin):
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
KILLS = 6
ROOT = str(Path(__file__).resolve().parents[3])


async def test_no_kill_loses_a_question_or_answers_it_twice(tmp_path, monkeypatch):
    chance = random.Random(11)
    async with rehearsal() as standin:
        monkeypatch.setenv("TEST_BOT_TOKEN", standin.double.bot_token)
        monkeypatch.setenv("TEST_APP_TOKEN", standin.double.app_token)
        config = write_handbook(tmp_path, SLOW)
        environment = {
            **os.environ,
            "TEST_SETTINGS": json.dumps(dict(standin.settings)),
            "TEST_PATH": json.dumps([ROOT, *sys.path]),
        }
        ann = standin.person("ann")
        general = standin.channel("general", [ann])
        asked = []
        for kill in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", CHILD, str(tmp_path)), stdout=PIPE, env=environment
            )
            assert await process.stdout.readline() == b"ready\n"
            await standin.until_connected()
            for number in range(4):
                text = f"How many days of leave, {kill} {number}?"
                asked.append(await standin.say(ann, text, channel=general))
            await asyncio.sleep(chance.uniform(0.05, 1.5))
            process.kill()
            await process.wait()
            standin.cut()
        async with working(tmp_path, load_settings(config), standin) as scene:
            # What nobody had acknowledged, Slack sends again.
            for said in asked:
                await standin.repeat(said)
            await scene.idle()
        seen = [standin.seen(ann, channel=general, thread=said.thread) for said in asked]

    assert [len(one) for one in seen] == [1] * len(asked)
    assert not any(one.is_growing for (one,) in seen)
    assert all("28 days" in one.text for (one,) in seen)
