"""`citewell budgets`, after an answer that cost something."""

import asyncio
import json
import threading

import pytest

import openai_server as api
from assistants import write_handbook
from citewell.cli.main import run

SETTINGS = """
[model.cloud]
use = "litellm"
model = "openai/test"
api_base = "{url}"
api_key = {{ env = "CLOUD_KEY" }}
price = {{ input = 1000, output = 1000 }}

[profile.default]
retriever = "main"
model = "cloud"
max_output_tokens = 50

[budget.team]
limit = 5
per = "total"
"""


@pytest.fixture
def served():
    """A server in a thread of its own, as a command has an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = api.serving()
    server = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_what_an_answer_cost_is_shown(served, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CLOUD_KEY", "sk-canary-0123456789")
    served.respond = api.say("Every employee has 28 days of paid leave a year [1].")
    config = write_handbook(tmp_path, SETTINGS.format(url=served.url))
    monkeypatch.chdir(config.parent)
    run(["sync"])

    assert run(["budgets"]) == 0
    assert "nothing was spent yet" in capsys.readouterr().out
    assert run(["ask", "How many days of leave?"]) == 0
    capsys.readouterr()
    assert run(["budgets", "--json"]) == 0

    [account] = json.loads(capsys.readouterr().out)["accounts"]
    assert account == {
        "budget": "team",
        "period": "total",
        "payer": "all",
        "spent": 0.11,
        "reserved": 0.0,
        "limit": 5.0,
    }
    assert run(["budgets"]) == 0
    assert "0.11" in capsys.readouterr().out


def test_without_budgets_it_says_so(tmp_path, monkeypatch, capsys):
    config = write_handbook(tmp_path, "")
    monkeypatch.chdir(config.parent)

    assert run(["budgets"]) == 0
    assert "no [budget.NAME]" in capsys.readouterr().out
