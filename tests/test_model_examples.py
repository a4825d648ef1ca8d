"""The examples with language models answer, with a small model and a server in place of yours."""

from pathlib import Path

import pytest

import ggufs
import openai_server as api
from assistants import Kept, answers
from citewell import Outcome
from citewell.cli.indexing import bring_up
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings

CONFIG = Path(__file__).resolve().parent.parent / "config"
SAID = "Every employee has 28 days of paid leave a year [1]."


@pytest.mark.parametrize("name", ["gguf", "lora", "api", "chain", "classify"])
async def test_an_example_answers(tmp_path, monkeypatch, name):
    (tmp_path / "models").mkdir()
    (tmp_path / "docs" / "hr").mkdir(parents=True)
    (tmp_path / "docs" / "leave.md").write_text("Every employee has 28 days of paid leave a year.")
    lora = {"support-lora": ggufs.adapter(1), "legal-lora": ggufs.adapter(2)}
    for stem, path in {"model": ggufs.model(), **lora}.items():
        (tmp_path / "models" / f"{stem}.gguf").write_bytes(path.read_bytes())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    async with api.serving() as server:
        server.respond = api.say(SAID)
        text = (CONFIG / f"{name}.toml").read_text(encoding="utf-8")
        named = 'model = "openai/gpt-5-mini"'
        text = text.replace(named, f'{named}\napi_base = "{server.url}"')
        config = tmp_path / "citewell.toml"
        config.write_text(text, encoding="utf-8")
        settings = load_settings(config)
        async with open_runtime(settings) as runtime:
            if settings.libraries:
                await bring_up(runtime)
            kept = Kept()
            found = [
                (await answers(Assistant(runtime, kept), "How many days of leave?", profile=one))[
                    -1
                ]
                for one in settings.profiles
            ]

    assert [record.errors for record in kept.records] == [()] * len(found)
    assert all(answer.outcome is not Outcome.FAILED for answer in found)
    if name == "api":
        assert found[0].outcome is Outcome.ANSWERED
    if name == "classify":
        assert found[0].shown[0].text in {"billing", "technical", "other"}
