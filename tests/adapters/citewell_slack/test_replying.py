"""One reply, whatever happens on the way: streamed, changed or posted, and found again."""

import asyncio

import pytest

from citewell import DeliveryError
from citewell.blocks import Action, Actions, Notice, Span, Table, Text
from citewell.chat import Address, Venue
from citewell_slack.testing import rendered
from citewell_slack.testing.messages import Message
from citewell_slack.testing.wire import Refusal


@pytest.fixture
async def address(double, alice, general):
    asked = alice.say(general, "how many days?")
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=asked.ts)
    return Address(venue=venue, data={"user": alice.id, "ts": asked.ts})


def said(words):
    return [Text((Span(words),))]


def texts(double, general):
    return [rendered(one).text for one in double.posted(general)]


async def test_an_answer_that_is_there_is_posted_at_once(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    await reply.status("Looking …")
    await reply.show([said("28 days")], complete=True)

    (message,) = double.posted(general)
    assert (message.text, message.thread_ts) == ("28 days", address.venue.thread)
    assert message.metadata["event_payload"] == {"key": "k1", "part": 0, "complete": True}
    assert message.content.unfurls is False
    assert reply.posted == (message.ts,)
    status = double.workspace.surfaces.status(
        general.id, address.venue.thread, now=double.clock.now
    )
    assert status == ""


async def test_an_answer_that_grows_is_streamed(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    for words in ("There are", "There are 28", "There are 28 days"):
        await reply.show([said(words)], complete=False)
        (message,) = double.posted(general)
        assert message.is_streaming
        assert message.text == words
    below = [Notice("1 of 1 supported"), Actions((Action("helpful", "Helpful", "a1"),))]
    await reply.show([[*said("There are 28 days."), *below]], complete=True)

    (message,) = double.posted(general)
    assert (message.is_streaming, message.edits) == (False, [])
    assert message.metadata["event_payload"]["key"] == "k1"
    assert [one.value for one in rendered(message).buttons] == ["helpful:a1"]
    assert "1 of 1 supported" in rendered(message).text
    assert message.stream.recipient == address.data["user"]
    assert message.stream.tasks[0]["status"] == "complete"


async def test_without_streams_the_message_is_changed(adapter, double, general, address):
    double.faults.fail("chat.startStream", "unknown_method", times=9)
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There")], complete=False)
    (message,) = double.posted(general)
    assert rendered(message).text == "There\n…"
    await reply.show([said("There are")], complete=False)
    await reply.show([said("There are 28 days")], complete=True)

    assert texts(double, general) == ["There are 28 days"]
    assert double.posted(general) == [message]
    assert message.metadata["event_payload"]["complete"] is True


async def test_what_cannot_be_changed_is_posted(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There")], complete=True)
    double.faults.fail("chat.update", "edit_window_closed")
    await reply.show([said("There are 28 days")], complete=True)

    assert texts(double, general)[-1] == "There are 28 days"
    assert reply.posted == (double.posted(general)[-1].ts,)


@pytest.mark.parametrize("how", ["expired", "stopped"])
async def test_a_stream_that_ended_is_changed(adapter, double, alice, general, address, how):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There")], complete=False)
    (message,) = double.posted(general)
    if how == "expired":
        await double.clock.advance(31)
    else:
        alice.press_stop(message)
    await reply.show([said("There are")], complete=False)
    await reply.show([said("There are 28 days")], complete=True)

    assert texts(double, general) == ["There are 28 days"]


async def test_what_is_said_differently_replaces_what_was_streamed(
    adapter, double, general, address
):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There are 27")], complete=False)
    await reply.show([said("There are 28 days")], complete=True)

    (message,) = double.posted(general)
    assert (rendered(message).text, message.is_streaming) == ("There are 28 days", False)


async def test_what_is_too_long_for_a_stream_goes_on_by_changes(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    for count in (100, 900, 2000):
        await reply.show([said("word " * count)], complete=False)
    await reply.show([said("word " * 2200)], complete=True)

    (message,) = double.posted(general)
    assert rendered(message).text.split() == ["word"] * 2200
    assert not message.is_streaming


async def test_further_messages_follow_and_surplus_ones_go(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("one")], complete=False)
    await reply.show([said("one"), said("two")], complete=False)
    first, second = double.posted(general)
    assert (first.is_streaming, second.is_streaming) == (False, True)
    await reply.show([said("one"), said("two"), said("three")], complete=True)
    assert texts(double, general)[1:] != []
    assert len(reply.posted) == 3

    await reply.show([said("other")], complete=True)

    assert texts(double, general) == ["other"]
    assert reply.posted == (first.ts,)


async def test_the_same_is_not_said_twice(adapter, double, address):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("one")], complete=True)
    calls = len(double.calls())
    await reply.show([said("one")], complete=True)

    assert len(double.calls()) == calls


async def test_a_table_is_a_table(adapter, double, general, address):
    row = (((Span("a"),), (Span("b"),)), ((Span("<!here>"),), ()))
    blocks = [*said("see"), Table(row[0], (row[1],))]
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("see")], complete=False)
    await reply.show([blocks], complete=False)
    await reply.show([blocks], complete=True)

    (message,) = double.posted(general)
    assert "<!here>" in rendered(message).text
    assert rendered(message).mentions == []
    assert not message.is_streaming


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.startStream"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_cut_connection_makes_no_second_message(
    adapter, double, general, address, method, when
):
    double.faults.cut(method, when)
    reply = await adapter.open_reply(address, "k1")
    is_growing = method == "chat.startStream"
    try:
        await reply.show([said("There")], complete=not is_growing)
    except DeliveryError:
        reply = await adapter.find_reply(address, "k1", reply.posted)
    await reply.show([said("There are 28 days")], complete=True)

    assert texts(double, general) == ["There are 28 days"]
    assert not double.posted(general)[0].is_streaming


@pytest.mark.parametrize("when", ["before", "after"])
async def test_what_is_said_at_once_takes_over_no_stream_of_another_reply(
    adapter, double, general, address, when
):
    other = await adapter.open_reply(address, "k1")
    await other.show([said("There")], complete=False)
    double.faults.cut("chat.postMessage", when)
    reply = await adapter.open_reply(address, "k2")
    try:
        await reply.show([said("Please wait.")], complete=True)
    except DeliveryError:
        await reply.show([said("Please wait.")], complete=True)
    await other.show([said("There are 28 days")], complete=True)

    assert texts(double, general)[0].endswith("There are 28 days")
    assert texts(double, general)[1:] == ["Please wait."]
    assert (len(other.posted), len(reply.posted)) == (1, 1)


async def test_a_cut_while_appending_is_made_good(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There")], complete=False)
    double.faults.cut("chat.appendStream", "after")
    await reply.show([said("There are")], complete=False)
    await reply.show([said("There are 28 days")], complete=True)

    assert texts(double, general) == ["There are 28 days"]


async def test_a_limit_is_waited_for(adapter, double, general, address):
    double.faults.limit("chat.postMessage", 0, times=2)
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("28 days")], complete=True)

    assert texts(double, general) == ["28 days"]


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (Refusal("channel_not_found"), False),
        (Refusal("not_in_channel"), False),
        (Refusal("is_archived"), False),
        (Refusal("internal_error", status=500), True),
        (Refusal("service_unavailable", status=503), True),
    ],
)
async def test_a_refusal_says_whether_it_passes(adapter, double, address, error, passes):
    double.faults.break_down("chat.postMessage", error.status, times=1)
    if error.status == 200:
        double.faults.clear()
        double.faults.fail("chat.postMessage", error.error)
    reply = await adapter.open_reply(address, "k1")
    with pytest.raises(DeliveryError) as caught:
        await reply.show([said("28 days")], complete=True)

    assert caught.value.passes is passes
    assert "xoxb" not in str(caught.value)


async def test_a_finished_reply_is_found_by_its_key(adapter, settings, opening, double, address):
    first = await adapter.open_reply(address, "k1")
    await first.show([said("one"), said("two")], complete=True)
    other = await adapter.open_reply(address, "k2")
    await other.show([said("other")], complete=True)

    async with opening(settings()) as restarted:
        found = await restarted.find_reply(address, "k1", ())

    assert found.posted == first.posted


async def test_a_stream_that_nobody_wrote_down_is_found_and_finished(
    adapter, settings, opening, double, general, address
):
    lost = await adapter.open_reply(address, "k1")
    await lost.show([said("There")], complete=False)

    async with opening(settings()) as restarted:
        found = await restarted.find_reply(address, "k1", ())
        await found.show([said("There are")], complete=False)
        await found.show([said("There are 28 days")], complete=True)

    assert texts(double, general) == ["There are 28 days"]
    assert not double.posted(general)[0].is_streaming


async def test_nothing_is_found_where_nothing_was_posted(adapter, double, address):
    found = await adapter.find_reply(address, "k1", ())

    assert found.posted == ()


async def test_a_reply_is_taken_back(adapter, double, general, address):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("one"), said("two")], complete=False)
    await reply.withdraw()
    await reply.withdraw()

    assert double.posted(general) == []
    assert reply.posted == ()


async def test_a_reply_outside_a_thread_is_posted_and_found(adapter, double, alice, general):
    venue = Venue(platform="slack", team=double.team, channel=general.id)
    address = Address(venue=venue, data={"user": alice.id, "ts": double.clock.stamp()})
    reply = await adapter.open_reply(address, "k1")
    await reply.status("Looking …")
    await reply.show([said("There")], complete=False)
    found = await adapter.find_reply(address, "k1", ())
    await found.show([said("There are 28 days")], complete=True)

    (message,) = double.posted(general)
    assert message.thread_ts is None
    assert rendered(message).text == "There are 28 days"


async def test_a_workspace_without_statuses_is_answered(adapter, double, general, address):
    double.faults.fail("assistant.threads.setStatus", "unknown_method", times=9)
    reply = await adapter.open_reply(address, "k1")
    await reply.status("Looking …")
    await reply.show([said("28 days")], complete=True)

    assert texts(double, general) == ["28 days"]


# --- for one person alone --------------------------------------------------------------------


async def test_the_answer_to_a_command_replaces_what_was_acknowledged(
    serving, double, alice, general
):
    async with serving() as (adapter, host):
        await alice.command("/ask", "how many days?", channel=general).settled()
        address = host.events[0].address
        reply = await adapter.open_reply(address, "k1")
        await reply.status("Looking …")
        for words in ("There", "There are", "There are 28"):
            await reply.show([said(words)], complete=False)
        await reply.show([said("There are 28 days"), said("more")], complete=True)

    first, second = double.workspace.shown_to(alice.id)
    assert [rendered(one).text for one in (first, second)] == ["There are 28 days", "more"]
    assert len(reply.posted) == 2
    assert double.posted(general) == []


async def test_the_answer_to_a_command_is_said_once(serving, double, alice, general):
    async with serving() as (adapter, host):
        await alice.command("/ask", "how many days?", channel=general).settled()
        address = host.events[0].address
        reply = await adapter.open_reply(address, "k1")
        await reply.show([said("There")], complete=False)
        assert double.workspace.shown_to(alice.id) == []
        for _ in range(2):
            await reply.show([said("There are 28 days")], complete=True)

        # What was said cannot be found, and not be changed.
        assert await adapter.find_reply(address, "k1", reply.posted) is None
        assert await adapter.find_reply(address, "k1", ()) is None

    (shown,) = double.workspace.shown_to(alice.id)
    assert rendered(shown).text == "There are 28 days"
    (used,) = double.calls("response_url")
    assert "replace_original" not in used.arguments


async def test_when_the_address_of_a_command_is_used_up_it_is_said_anew(
    serving, double, alice, general
):
    async with serving() as (adapter, host):
        await alice.command("/ask", "how many days?", channel=general).settled()
        await double.clock.advance(1801)
        reply = await adapter.open_reply(host.events[0].address, "k1")
        await reply.show([said("There are 28 days")], complete=True)

    assert rendered(double.workspace.shown_to(alice.id)[-1]).text == "There are 28 days"


@pytest.mark.parametrize("has_reply", [False, True])
async def test_a_private_answer_stands_where_it_is_seen(adapter, double, alice, general, has_reply):
    asked = alice.say(general, "how many days?")
    if has_reply:
        alice.say(general, "anybody?", thread=asked)
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=asked.ts)
    private = Address(venue=venue, only_for=alice.id, data={"user": alice.id})
    reply = await adapter.open_reply(private, "k1")
    await reply.show([said("There are 28 days")], complete=True)

    (shown,) = double.workspace.shown_to(alice.id)
    assert shown.thread_ts == (asked.ts if has_reply else None)


async def test_a_private_answer_comes_once_it_is_complete(adapter, double, alice, address):
    private = Address(venue=address.venue, only_for=alice.id, data={"user": alice.id})
    reply = await adapter.open_reply(private, "k1")
    await reply.status("Looking …")
    await reply.show([said("There")], complete=False)
    assert double.workspace.shown_to(alice.id) == []
    await reply.show([said("There are 28 days")], complete=True)

    (shown,) = double.workspace.shown_to(alice.id)
    assert rendered(shown).text == "There are 28 days"
    assert await adapter.find_reply(private, "k1", reply.posted) is None
    assert await adapter.find_reply(private, "k1", ()) is None


async def test_where_the_bot_is_no_member_a_private_answer_comes_directly(
    serving, double, alice, general
):
    general.members.remove(double.bot_user_id)
    venue = Venue(platform="slack", team=double.team, channel=general.id)
    private = Address(venue=venue, only_for=alice.id, data={"user": alice.id})
    async with serving() as (adapter, _):
        reply = await adapter.open_reply(private, "k1")
        await reply.show([said("28 days")], complete=True)

    assert [rendered(one).text for one in double.posted(alice.im)] == ["28 days"]


@pytest.fixture
def asking(double, alice):
    """Ask many questions, of which each channel has two."""

    def ask(count):
        channels = [double.add_channel(f"c{number}", [alice]) for number in range(count // 2)]
        addresses = []
        for number in range(count):
            channel = channels[number // 2]
            asked = alice.say(channel, f"question {number}?")
            venue = Venue(platform="slack", team=double.team, channel=channel.id, thread=asked.ts)
            addresses.append(Address(venue=venue, data={"user": alice.id, "ts": asked.ts}))
        return channels, addresses

    return ask


async def test_many_questions_in_a_minute_are_answered_without_a_pause(adapter, double, asking):
    channels, addresses = asking(40)
    double.api.rates.enforced = True

    async def answer(number, address):
        reply = await adapter.open_reply(address, f"k{number}")
        await reply.status("Looking …")
        for words in ("There", "There are", "There are 28", "There are 28 of"):
            await reply.show([said(words)], complete=False)
        await reply.show([said(f"There are 28 of {number}")], complete=True)

    async with asyncio.timeout(20):
        await asyncio.gather(*(answer(*one) for one in enumerate(addresses)))

    shown = [one for channel in channels for one in double.posted(channel)]
    told = sorted(rendered(one).text.splitlines()[-1] for one in shown)
    assert told == sorted(f"There are 28 of {number}" for number in range(40))
    assert not any(one.is_streaming for one in shown)
    assert 0 < len([one for one in shown if one.stream]) < 20


async def test_while_streams_are_limited_messages_are_posted_and_changed(adapter, double, asking):
    _, addresses = asking(4)
    double.faults.limit("chat.startStream", 60)
    async with asyncio.timeout(10):
        for number, address in enumerate(addresses):
            reply = await adapter.open_reply(address, f"k{number}")
            await reply.show([said("There")], complete=False)
            await reply.show([said("There are 28")], complete=True)

    assert len(double.calls("chat.startStream")) == 1
    assert len(double.calls("chat.update")) == 4


@pytest.mark.parametrize("method", ["chat.appendStream", "chat.update"])
async def test_growth_that_is_limited_is_left_out(adapter, double, general, address, method):
    if method == "chat.update":
        double.faults.fail("chat.startStream", "unknown_method", times=9)
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There")], complete=False)
    double.faults.limit(method, 60)
    async with asyncio.timeout(10):
        await reply.show([said("There are")], complete=False)
        await reply.show([said("There are 28")], complete=False)
        await reply.show([said("There are 28 days")], complete=True)

    assert [one.splitlines()[-1] for one in texts(double, general)] == ["There are 28 days"]
    assert len(double.calls(method)) == (1 if method == "chat.appendStream" else 2)


@pytest.mark.parametrize("is_told", [False, True])
@pytest.mark.parametrize("how", ["show", "withdraw"])
async def test_a_stream_of_before_a_crash_is_closed_though_slack_does_not_tell_of_it(
    adapter, double, general, address, monkeypatch, is_told, how
):
    lost = await adapter.open_reply(address, "k1")
    await lost.show([said("There")], complete=False)
    if not is_told:
        monkeypatch.setattr(Message, "_streaming_state", lambda _: None)
    reply = await adapter.find_reply(address, "k1", lost.posted)
    if how == "withdraw":
        await reply.withdraw()
        assert double.posted(general) == []
        return
    await reply.show([said("There are 28 days")], complete=True)

    assert texts(double, general) == ["There are 28 days"]
    assert not double.posted(general)[0].is_streaming


async def test_a_message_that_turns_out_to_stream_is_stopped_and_changed(
    adapter, double, general, address
):
    reply = await adapter.open_reply(address, "k1")
    await reply.show([said("There")], complete=False)
    double.faults.fail("chat.stopStream", "message_not_found", times=2)
    await reply.show([said("There are"), said("more")], complete=False)
    await reply.show([said("28 days"), said("more")], complete=True)

    first = double.posted(general)[0]
    assert (rendered(first).text, first.is_streaming) == ("28 days", False)
