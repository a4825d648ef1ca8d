"""A whole bot in a Slack where things go wrong: each question has one outcome all the same."""

import asyncio

import pytest

from citewell.testing.adapters.library import DAYS, NOTE
from stages import NO_OUTCOME, hurry, locked, staged

SAID = "28 days"
EVERYTHING = "*"
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
    monkeypatch.setattr("citewell.journal.database._BUSY_MS", 1000)
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


async def sent_again(double):
    """Let the time pass after which Slack sends again what was not acknowledged, and no more.

    Else the three seconds for the acknowledgement would be over as well.
    """
    await double.deliveries.idle()
    waiting = [one for one in double.deliveries.log if one.state == "waiting"]
    due = max((one.attempts[0].at + MINUTE_S for one in waiting), default=0.0)
    await double.clock.advance(max(due - double.clock.now, 0.0))


# --- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", SHOWING)
async def test_a_limit_is_waited_for(stage, double, method):
    person, channel = await stage.scene(profile="slow")
    double.faults.limit(method, 0, times=4)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


@pytest.mark.parametrize(
    ("method", "status"),
    [*((one, 503) for one in SHOWING), ("chat.*", 500), ("chat.*", 502)],
)
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


async def test_a_long_limit_is_kept_and_holds_nobody_up(stage, double, monkeypatch):
    monkeypatch.setattr("citewell_slack.calls._PATIENCE_S", 0.5)
    person, channel = await stage.scene()
    # What grows, streamed and posted, and the whole.
    double.faults.limit("chat.*", 2, times=3)

    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.until(lambda: len(double.calls("chat.postMessage")) > 1, lambda: "not posted")
    other = await stage.chat.say(person, NOTE, channel=channel)
    await stage.until(lambda: stage.seen(other), lambda: "the other one is held up")
    assert not stage.seen(said)

    await whole(stage, said)
    shown = double.calls("chat.startStream") + double.calls("chat.postMessage")
    times = sorted(one.at for one in shown if one.arguments["thread_ts"] == said.thread)
    assert times[3] - times[2] >= 2


async def test_a_slack_that_cannot_be_reached_for_long_is_told_in_the_end(stage, double, caplog):
    person, channel = await stage.scene()
    double.faults.break_down(EVERYTHING, 503, times=10**9)
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.until(lambda: "waits, for nobody can be told" in caplog.text, lambda: caplog.text)

    double.faults.clear()

    await whole(stage, said)


async def test_the_command_is_answered_after_failing_calls(stage, double):
    person, channel = await stage.scene()
    double.faults.limit("response_url", 0, times=2)
    double.faults.break_down("response_url", 503, times=2)

    said = await stage.chat.command(person, DAYS, channel=channel)

    await stage.says(said, SAID)
    await whole(stage, said)


# --- sockets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["closed", "broken"])
async def test_a_socket_that_ends_is_opened_again(stage, double, how):
    person, channel = await stage.scene(profile="slow")
    said = await stage.chat.say(person, DAYS, channel=channel)
    await double.sockets.drop(how)
    later = await stage.chat.say(person, DAYS, channel=channel)

    await stage.until(lambda: stage.bot.is_connected, lambda: "not connected again")
    await sent_again(double)
    await whole(stage, said)
    await whole(stage, later)


async def test_what_a_half_open_socket_swallows_is_answered_once(stage, double):
    person, channel = await stage.scene()
    await stage.settled()
    await double.sockets.drop("half-open")
    opened = double.sockets.opened
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.until(lambda: double.sockets.opened > opened, lambda: "no new socket")
    await sent_again(double)

    await whole(stage, said)
    assert stage.bot.is_connected


async def test_refused_connections_are_tried_again(stage, double):
    person, channel = await stage.scene()
    double.sockets.refuse()
    double.sockets.cut()
    await stage.until(lambda: not stage.bot.is_connected, lambda: "it is said to be connected")
    said = await stage.chat.say(person, DAYS, channel=channel)
    await asyncio.sleep(0.5)
    double.sockets.accept()
    await stage.until(lambda: stage.bot.is_connected, lambda: "not connected again")

    await whole(stage, said)


async def test_a_disconnect_of_half_an_hour_loses_nothing(stage, double):
    person, channel = await stage.scene()
    changed = await stage.chat.say(person, DAYS, channel=channel)
    deleted = await stage.chat.say(person, DAYS, channel=channel)
    direct = await stage.chat.say(person, DAYS, mention=False)
    for said in (changed, deleted, direct):
        await stage.reply(said)
    double.sockets.refuse(30 * MINUTE_S)
    double.sockets.cut()
    await stage.until(lambda: not stage.bot.is_connected, lambda: "it is said to be connected")

    await double.clock.advance(5 * MINUTE_S)
    await stage.chat.change(changed, NOTE)
    await stage.chat.take_back(deleted)
    missed = await stage.chat.say(person, DAYS, channel=channel)
    follow_up = await stage.chat.say(
        person, NOTE, channel=channel, thread=changed.thread, mention=False
    )
    directly = await stage.chat.say(person, NOTE, mention=False)
    for _ in range(10):
        await double.deliveries.idle()
        await double.clock.advance(MINUTE_S)
    assert {one.state for one in double.deliveries.log[-5:]} == {"lost"}
    assert not stage.seen(missed)
    await double.clock.advance(16 * MINUTE_S)

    await whole(stage, missed)
    await stage.says(directly, "fourth day")
    await stage.until(lambda: not stage.seen(deleted), lambda: "the answer still stands there")
    await stage.until(lambda: len(stage.seen(follow_up)) == 2, lambda: repr(stage.seen(follow_up)))
    await stage.settled()
    assert ["fourth day" in one.text for one in stage.seen(changed)] == [True, True]


async def test_what_was_missed_is_read_as_soon_as_that_is_possible(stage, double):
    person, channel = await stage.scene()
    await stage.settled()
    double.sockets.refuse(30 * MINUTE_S)
    double.sockets.cut()
    await stage.until(lambda: not stage.bot.is_connected, lambda: "it is said to be connected")
    said = await stage.chat.say(person, DAYS, channel=channel)
    await double.clock.advance(10 * MINUTE_S)
    double.faults.break_down("conversations.history", 503, times=8)
    await double.clock.advance(21 * MINUTE_S)

    await whole(stage, said)


# --- the journal ------------------------------------------------------------------------------


async def test_what_cannot_be_kept_is_not_acknowledged_and_answered_once(stage, double, caplog):
    person, channel = await stage.scene()
    await stage.settled()
    with locked(stage):
        said = await stage.chat.say(person, DAYS, channel=channel)
        delivery = double.deliveries.log[-1]
        await stage.until(lambda: len(delivery.attempts) > 1, lambda: "it is not sent again")
        assert "database is locked" in caplog.text
        await double.deliveries.idle()
    await sent_again(double)

    await whole(stage, said)
    assert delivery.state == "acknowledged"
    assert [one.reason for one in delivery.attempts] == ["", "timeout", "timeout"]


async def test_an_answer_that_ends_while_the_journal_is_locked_is_whole(stage, caplog):
    person, channel = await stage.scene(profile="slower")
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.growing(said)
    with locked(stage):
        await asyncio.sleep(3.5)
        assert "database is locked" in caplog.text

    await whole(stage, said)
