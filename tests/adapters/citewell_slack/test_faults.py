"""A whole bot in a Slack where things go wrong: each question has one outcome, without a restart."""

import asyncio

import pytest

from citewell.testing.adapters.library import DAYS, NOTE
from citewell.types.chat import Asked
from stages import NO_OUTCOME, hurry, staged

SAID = "28 days"
EVERYTHING = "*"
POSTING = "chat.*|response_url"
SHOWING = [
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.postMessage",
    "chat.update",
    "conversations.replies",
    "assistant.threads.setStatus",
]
MINUTE_S = 60.0


@pytest.fixture
async def stage(monkeypatch):
    hurry(monkeypatch)
    monkeypatch.setattr("citewell_slack.adapter._RETRY_S", 0.05)
    monkeypatch.setattr("citewell_slack.connecting._PING_S", 0.1)
    async with staged("slack") as opened:
        yield opened


@pytest.fixture
def double(stage):
    return stage.chat.double


async def whole(stage, said, text=SAID):
    """Assert that one message answers, and that it is whole."""
    seen = await stage.one_reply(said)
    assert text in seen.text
    assert not seen.is_growing
    assert NO_OUTCOME not in seen.text


# --- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", SHOWING)
async def test_a_limit_is_waited_for(stage, double, method):
    person, channel = await stage.scene(profile="slow")
    double.faults.limit(method, 0, times=4)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("method", SHOWING)
async def test_a_server_error_passes(stage, double, method, status):
    person, channel = await stage.scene(profile="slow")
    double.faults.break_down(method, status, times=3)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", SHOWING)
async def test_a_cut_call_is_done_once(stage, double, method, when):
    person, channel = await stage.scene(profile="slow")
    double.faults.cut(method, when, times=2)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


@pytest.mark.parametrize("method", SHOWING)
async def test_a_call_that_hangs_is_left(stage, double, method, monkeypatch):
    monkeypatch.setattr("citewell.delivery.shown._SHOW_S", 0.5)
    monkeypatch.setattr("citewell.delivery.shown._STATUS_S", 0.2)
    person, channel = await stage.scene(profile="slow")
    double.faults.delay(method, 1e6)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
