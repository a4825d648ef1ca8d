"""The way of a question through a real app, with bolt's own tools for agents."""

from citewell_slack.testing import Clock, SlackDouble, rendered

FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "rate",
            "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
        }
    ],
}


async def test_a_mention_is_answered_by_a_stream(double, connected, general, alice):
    @connected.app.event("app_mention")
    async def answer(set_status, say_stream):
        await set_status("is reading", loading_messages=["Searching …"])
        stream = await say_stream(buffer_size=4)
        await stream.append(markdown_text="28 days ")
        await stream.append(markdown_text="a year")
        await stream.stop(blocks=[FEEDBACK])

    asked = alice.say(general, f"{double.mention} how many?")
    await double.until(
        lambda: any(one.stream and not one.is_streaming for one in double.posted(general))
    )

    (message,) = double.posted(general)
    assert (message.text, message.thread_ts) == ("28 days a year", asked.ts)
    assert message.stream.recipient == alice.id
    assert [one.value for one in rendered(message).buttons] == ["up", "down"]
    shown = double.workspace.surfaces.statuses[general.id, asked.ts]
    assert [one.text for one in shown] == ["is reading", ""]


async def test_the_messages_tab_gets_its_prompts(double, connected, alice):
    @connected.app.event("app_home_opened")
    async def suggest(event, set_suggested_prompts):
        if event["tab"] == "messages":
            await set_suggested_prompts(prompts=["How many days of leave?"])

    alice.open_messages()
    await double.until(lambda: alice.im.id in double.workspace.surfaces.prompts)

    (prompt,) = double.workspace.surfaces.prompts[alice.im.id].prompts
    assert prompt["message"] == "How many days of leave?"


async def test_a_direct_message_is_answered_in_its_thread(double, connected, alice):
    @connected.app.event("message")
    async def answer(event, say):
        await say("28", thread_ts=event["ts"])

    asked = alice.say(alice.im, "how many?")
    await double.until(lambda: double.posted(alice.im))

    assert [one.thread_ts for one in double.posted(alice.im)] == [asked.ts]


async def test_a_bot_that_is_invited_hears_of_it(double, connected, alice):
    connected.listen("member_joined_channel", "message")
    channel = double.add_channel("new", [alice], has_bot=False)

    alice.say(channel, "before")
    double.bot().join(channel)
    alice.say(channel, "after")
    await double.until(lambda: len(connected.heard) == 2)

    assert double.posted(channel) == []
    assert connected.heard[0]["user"] == double.bot_user_id
    assert connected.texts()[1] == "after"


async def test_with_a_running_clock_nobody_needs_to_move_it(general):
    async with SlackDouble(clock=Clock(runs=True)) as double:
        double.deliveries.transport = None
        alice = double.add_person("alice")
        channel = double.add_channel("general", [alice])

        alice.say(channel, "how many?")
        await double.deliveries.idle()
        before = double.clock.now
        await double.clock.sleep(0.01)

    assert double.clock.now > before
    assert len(double.deliveries.log[0].attempts) == 2
