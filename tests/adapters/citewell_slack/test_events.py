"""What the app hears of what people do."""

import pytest

ALL = ("message", "app_mention", "reaction_added", "reaction_removed", "app_home_opened")


@pytest.fixture
def listening(connected):
    connected.listen(*ALL, "agent_session_stopped", "member_joined_channel", "member_left_channel")
    return connected


@pytest.fixture
def heard(double, listening):
    """Wait for this many events, and return them by type."""

    async def wait(count):
        await double.until(lambda: len(listening.heard) >= count)
        await double.deliveries.idle()
        assert len(listening.heard) == count
        return sorted(listening.heard, key=lambda event: event["type"])

    return wait


async def test_a_mention_makes_two_events_with_one_ts(double, general, alice, heard):
    asked = alice.say(general, f"{double.mention} how many?")

    mention, message = await heard(2)

    assert (mention["type"], message["type"]) == ("app_mention", "message")
    assert mention["ts"] == message["ts"] == asked.ts
    assert message["channel_type"] == "channel"
    assert message["text"] == f"{double.mention} how many?"


async def test_each_event_has_its_own_id(double, general, alice, heard, listening):
    alice.say(general, f"{double.mention} how many?")
    await heard(2)

    assert len({body["event_id"] for body in listening.bodies}) == 2


async def test_a_direct_message_is_one_event(double, alice, heard):
    alice.say(alice.im, f"{double.mention} how many?")

    (message,) = await heard(1)

    assert (message["channel_type"], message["channel"]) == ("im", alice.im.id)


async def test_a_private_channel_is_called_a_group(double, alice, heard):
    private = double.add_channel("private", [alice], is_private=True)
    alice.say(private, "how many?")

    (message,) = await heard(1)

    assert message["channel_type"] == "group"


async def test_a_reply_names_its_thread_and_whom_it_answers(general, alice, double, heard):
    bob = double.add_person("bob")
    bob.join(general)
    asked = alice.say(general, "how many?")
    bob.say(general, "28", thread=asked)

    events = await heard(4)

    reply = events[-1]
    assert (reply["thread_ts"], reply["parent_user_id"]) == (asked.ts, alice.id)


async def test_what_people_type_is_escaped_but_for_mentions_and_links(
    double, general, alice, heard
):
    alice.say(general, "1 < 2 & <script> <https://example.com|here>")

    (message,) = await heard(1)

    assert message["text"] == "1 &lt; 2 &amp; &lt;script&gt; <https://example.com|here>"


async def test_an_edit_tells_before_and_after(double, general, alice, heard):
    asked = alice.say(general, "27?")
    alice.edit(asked, "28?")

    _, change = await heard(2)

    assert change["subtype"] == "message_changed"
    assert change["message"]["ts"] == asked.ts
    assert (change["previous_message"]["text"], change["message"]["text"]) == ("27?", "28?")


async def test_an_edited_mention_mentions_anew(double, general, alice, heard):
    asked = alice.say(general, f"{double.mention} 27?")
    alice.edit(asked, f"{double.mention} 28?")

    first, second, *_ = await heard(4)

    assert first["ts"] == second["ts"] == asked.ts
    assert "edited" not in first
    assert second["edited"]["user"] == alice.id


async def test_a_preview_looks_like_an_edit_of_nothing(double, general, alice, heard):
    asked = alice.say(general, f"{double.mention} is <https://example.com> right?")
    double.unfurl(asked)

    *_, change = await heard(3)

    assert change["subtype"] == "message_changed"
    assert change["message"]["text"] == change["previous_message"]["text"]
    assert "edited" not in change["message"]


async def test_a_deletion_is_told(general, alice, heard):
    asked = alice.say(general, "how many?")
    alice.delete(asked)

    _, gone = await heard(2)

    assert (gone["subtype"], gone["deleted_ts"]) == ("message_deleted", asked.ts)


async def test_a_deleted_thread_is_told_as_a_tombstone(double, general, alice, heard):
    asked = alice.say(general, "how many?")
    alice.say(general, "hello?", thread=asked)
    alice.delete(asked)

    *_, gone = await heard(3)

    assert gone["subtype"] == "message_changed"
    assert gone["message"]["subtype"] == "tombstone"


async def test_the_bots_own_posts_come_back(double, listening, general):
    await listening.client.chat_postMessage(channel=general.id, text=f"28 {double.mention}")
    (delivery,) = double.deliveries.log
    await delivery.settled()

    # bolt leaves out what the bot itself said.
    assert listening.heard == []
    assert delivery.event["bot_id"] == double.workspace.bot.bot_id
    assert delivery.state == "acknowledged"


async def test_another_bot_is_heard_as_a_bot(double, general, heard):
    jira = double.add_person("jira", is_bot=True)
    jira.join(general)
    jira.say(general, "DONE-1 was closed")

    *_, message = await heard(3)

    assert message["bot_id"] == jira.user.bot_id


async def test_reactions_are_told(general, alice, heard):
    asked = alice.say(general, "how many?")
    alice.react(asked, "eyes")
    alice.unreact(asked, "eyes")

    _, added, removed = await heard(3)

    assert (added["reaction"], added["item"]["ts"]) == ("eyes", asked.ts)
    assert removed["type"] == "reaction_removed"


async def test_joining_and_leaving_are_told(double, general, heard):
    bob = double.add_person("bob")
    bob.join(general)
    bob.leave(general)

    joined, left, *messages = await heard(4)

    assert (joined["type"], left["type"]) == ("member_joined_channel", "member_left_channel")
    assert [one["subtype"] for one in messages] == ["channel_join", "channel_leave"]


async def test_tabs_are_told(alice, heard):
    alice.open_home()
    alice.open_messages()

    opened = await heard(2)

    assert [one["tab"] for one in opened] == ["home", "messages"]
    assert {one["channel"] for one in opened} == {alice.im.id}


async def test_what_somebody_looks_at_is_told(double, connected, general, alice):
    connected.listen("app_context_changed")

    alice.look_at(general)
    await double.until(lambda: connected.heard)

    (entity,) = connected.heard[0]["context"]["entities"]
    assert (entity["type"], entity["value"]) == ("slack#/types/channel_id", general.id)


async def test_the_stop_button_is_told(general, alice, heard):
    asked = alice.say(general, "how many?")
    alice.press_stop(asked)

    stopped, _ = await heard(2)

    assert stopped["type"] == "agent_session_stopped"
    assert (stopped["thread_ts"], stopped["streaming_message_ts"]) == (asked.ts, [])


async def test_a_file_comes_with_its_message(general, alice, heard):
    file = alice.upload("rules.txt", b"28 days")
    alice.say(general, "see this", files=[file])

    (message,) = await heard(1)

    assert message["subtype"] == "file_share"
    assert [one["id"] for one in message["files"]] == [file.id]


async def test_nothing_is_told_of_channels_without_the_bot(double, alice):
    other = double.add_channel("other", [alice], has_bot=False)

    alice.say(other, f"{double.mention} how many?")

    assert double.deliveries.log == []


async def test_nothing_is_told_that_was_not_subscribed_to(double, general, alice):
    double.events.subscriptions -= {"message.channels", "app_home_opened"}

    alice.say(general, f"{double.mention} how many?")
    alice.open_home()

    assert [one.event["type"] for one in double.deliveries.log] == ["app_mention"]


async def test_people_cannot_do_what_slack_would_not_let_them(double, general, alice):
    from citewell_slack.testing import CannotAct

    bob = double.add_person("bob")
    asked = alice.say(general, "how many?")

    with pytest.raises(CannotAct, match="bob is not in general"):
        bob.say(general, "hello")
    with pytest.raises(CannotAct, match="bob did not write this"):
        bob.edit(asked, "none")
    with pytest.raises(CannotAct, match="no modal open"):
        alice.submit()
