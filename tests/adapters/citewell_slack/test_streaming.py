"""Messages that grow while they are read."""

import pytest

from citewell_slack.testing import rendered


@pytest.fixture
async def asked(general, alice):
    return alice.say(general, "How many?")


@pytest.fixture
def begin(double, client, asked, alice):
    """Start a stream in the thread of the question."""

    async def start(**more):
        arguments = {
            "channel": asked.channel,
            "thread_ts": asked.ts,
            "recipient_team_id": double.team,
            "recipient_user_id": alice.id,
        }
        answer = await client.chat_startStream(**arguments | more)
        return {"channel": asked.channel, "ts": answer["ts"]}

    return start


@pytest.fixture
def streamed(double, general):
    return lambda: double.posted(general)[0]


async def test_the_clients_helper_streams_text_a_card_and_buttons(
    double, client, asked, alice, streamed
):
    stream = await client.chat_stream(
        channel=asked.channel,
        thread_ts=asked.ts,
        recipient_team_id=double.team,
        recipient_user_id=alice.id,
        buffer_size=5,
    )
    source = {"type": "url", "text": "Handbook", "url": "https://example.com/h"}
    task = {"type": "task_update", "id": "s", "title": "Searched 3 passages", "status": "complete"}
    button = {"text": {"type": "plain_text", "text": "Good"}, "value": "up"}
    feedback = {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "rate",
                "positive_button": button,
                "negative_button": button | {"value": "down"},
            }
        ],
    }

    await stream.append(chunks=[{**task, "sources": [source]}])
    for piece in ("28 ", "days ", "a ", "year"):
        await stream.append(markdown_text=piece)
    await stream.stop(blocks=[feedback], metadata={"event_type": "answer", "event_payload": {}})

    seen = rendered(streamed())
    assert streamed().text == "28 days a year"
    assert streamed().stream.ended == "stopped"
    assert streamed().metadata == {"event_type": "answer", "event_payload": {}}
    assert [one.url for one in seen.links] == ["https://example.com/h"]
    assert [(one.action_id, one.value) for one in seen.buttons] == [
        ("rate", "up"),
        ("rate", "down"),
    ]
    assert "Searched 3 passages" in seen.text


async def test_a_task_is_updated_in_its_place(client, begin, streamed):
    place = await begin(markdown_text="Looking. ")
    task = {"type": "task_update", "id": "s", "title": "Searching", "status": "in_progress"}

    await client.chat_appendStream(**place, chunks=[task])
    await client.chat_appendStream(**place, markdown_text="Found.")
    await client.chat_appendStream(**place, chunks=[{**task, "status": "complete"}])

    assert [part["type"] for part in streamed().blocks] == ["markdown", "task_card", "markdown"]
    assert [card["status"] for card in streamed().stream.tasks] == ["complete"]


async def test_an_update_adds_to_what_a_task_said(client, begin, streamed):
    place = await begin()
    task = {"type": "task_update", "id": "s", "title": "Searching", "status": "in_progress"}

    await client.chat_appendStream(**place, chunks=[{**task, "output": "3 passages"}])
    await client.chat_appendStream(**place, chunks=[{**task, "title": "Searched"}])
    await client.chat_appendStream(**place, chunks=[{**task, "output": ", 2 read"}])

    (card,) = streamed().stream.tasks
    assert (card["title"], card["output"]) == ("Searching", "3 passages, 2 read")


async def test_history_says_whether_a_message_still_streams(double, client, begin, asked):
    place = await begin(markdown_text="28")

    async def state():
        thread = await client.conversations_replies(channel=asked.channel, ts=asked.ts)
        return [one.get("streaming_state") for one in thread["messages"]]

    running = await state()
    await client.chat_stopStream(**place)

    assert running == [None, "in_progress"]
    assert await state() == [None, "completed"]


async def test_in_plan_mode_tasks_stand_together(client, begin, streamed):
    place = await begin(task_display_mode="plan")
    tasks = [
        {"type": "task_update", "id": name, "title": name, "status": "pending"} for name in "ab"
    ]

    await client.chat_appendStream(**place, chunks=[tasks[0]])
    await client.chat_appendStream(**place, markdown_text="text")
    await client.chat_appendStream(
        **place, chunks=[tasks[1], {"type": "plan_update", "title": "Two steps"}]
    )

    plan, text = streamed().blocks
    assert (plan["title"], [task["task_id"] for task in plan["tasks"]]) == ("Two steps", ["a", "b"])
    assert text["text"] == "text"


async def test_a_stream_in_a_channel_names_its_recipient(client, asked, begin, refused):
    place = {"channel": asked.channel, "thread_ts": asked.ts}

    assert await refused(client.chat_startStream(**place)) == "missing_recipient_team_id"
    assert await refused(begin(recipient_user_id=None)) == "missing_recipient_user_id"


async def test_a_stream_to_one_person_needs_no_recipient(double, client, alice):
    asked = alice.say(alice.im, "How many?")

    await client.chat_startStream(channel=alice.im.id, thread_ts=asked.ts, markdown_text="28")

    assert double.posted(alice.im)[0].is_streaming


async def test_a_stopped_stream_takes_no_more(client, begin, refused):
    place = await begin(markdown_text="28")
    await client.chat_stopStream(**place)

    append = client.chat_appendStream(**place, markdown_text="29")
    stop = client.chat_stopStream(**place)

    assert await refused(append) == "message_not_in_streaming_state"
    assert await refused(stop) == "message_not_in_streaming_state"


async def test_slack_ends_a_stream_that_nobody_feeds(double, client, begin, refused, streamed):
    place = await begin(markdown_text="28")

    await double.clock.advance(double.limits.stream_idle_s)

    append = client.chat_appendStream(**place, markdown_text=" days")
    assert await refused(append) == "message_not_in_streaming_state"
    assert (streamed().stream.ended, streamed().text) == ("expired", "28")


async def test_slack_ends_an_old_stream_however_busy(double, client, begin, streamed):
    place = await begin()

    for _ in range(14):
        await double.clock.advance(20)
        await client.chat_appendStream(**place, markdown_text=".")
    assert streamed().is_streaming
    await double.clock.advance(20)

    assert streamed().stream.ended == "expired"


async def test_an_expired_stream_can_be_finished_by_an_update(double, client, begin, streamed):
    place = await begin(markdown_text="28")
    await double.clock.advance(double.limits.stream_idle_s)

    await client.chat_update(**place, markdown_text="28 days")

    assert streamed().text == "28 days"
    assert streamed().edits[0].before.text == "28"


async def test_a_running_stream_can_be_neither_updated_nor_deleted(client, begin, refused):
    place = await begin(markdown_text="28")

    assert await refused(client.chat_update(**place, text="a")) == "streaming_state_conflict"
    assert await refused(client.chat_delete(**place)) == "cant_delete_message"


async def test_metadata_comes_with_the_stop_alone(client, begin, asked):
    metadata = {"event_type": "answer", "event_payload": {"id": "a1"}}
    place = await begin(markdown_text="28")

    async def carried():
        thread = await client.conversations_replies(
            channel=asked.channel, ts=asked.ts, include_all_metadata=True
        )
        return thread["messages"][1].get("metadata")

    before = await carried()
    await client.chat_stopStream(**place, metadata=metadata)

    assert (before, await carried()) == (None, metadata)


async def test_the_stop_is_told_as_a_change_from_what_was_there(double, client, begin):
    place = await begin(markdown_text="28")

    await client.chat_stopStream(**place, markdown_text=" days")

    change = double.deliveries.log[-1].event
    assert change["subtype"] == "message_changed"
    assert (change["previous_message"]["text"], change["message"]["text"]) == ("28", "28 days")
    assert change["previous_message"]["blocks"] == [{"type": "markdown", "text": "28"}]


async def test_a_person_can_stop_a_stream(double, client, begin, streamed, alice, refused):
    place = await begin(markdown_text="28")

    alice.press_stop(streamed())

    append = client.chat_appendStream(**place, markdown_text=" days")
    assert await refused(append) == "message_not_in_streaming_state"
    assert double.deliveries.log[-1].event["streaming_message_ts"] == [place["ts"]]


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "unknown"},
        {"type": "markdown_text"},
        {"type": "task_update", "id": "s", "title": "x", "status": "completed"},
        {"type": "task_update", "id": "s", "title": "x" * 257, "status": "complete"},
        {"type": "plan_update", "title": 3},
    ],
)
async def test_a_malformed_chunk_is_refused(client, begin, refused, chunk):
    place = await begin()

    assert await refused(client.chat_appendStream(**place, chunks=[chunk])) == "invalid_chunks"


async def test_an_append_brings_something(client, begin, refused):
    place = await begin()

    assert await refused(client.chat_appendStream(**place)) == "invalid_arguments"


async def test_one_append_is_not_too_long(client, begin, refused):
    place = await begin()

    append = client.chat_appendStream(**place, markdown_text="a" * 12_001)

    assert await refused(append) == "msg_too_long"


async def test_a_chunk_can_be_blocks(client, begin, streamed, refused):
    place = await begin(markdown_text="28")
    line = {"type": "blocks", "blocks": [{"type": "divider"}]}
    wrong = {"type": "blocks", "blocks": [{"type": "unknown"}]}

    await client.chat_appendStream(**place, chunks=[line])

    assert [one["type"] for one in streamed().blocks] == ["markdown", "divider"]
    append = client.chat_appendStream(**place, chunks=[wrong])
    assert await refused(append) == "invalid_blocks"


async def test_text_and_cards_share_one_cap(client, begin, refused, streamed):
    place = await begin(markdown_text="a" * 3_000)
    cards = [
        {"type": "task_update", "id": str(number), "title": "x" * 80, "status": "complete"}
        for number in range(24)
    ]

    too_many = client.chat_appendStream(**place, chunks=cards)

    assert await refused(too_many) == "msg_too_long"
    assert streamed().stream.tasks == []


async def test_another_apps_message_is_no_stream_of_ours(client, asked, refused):
    append = client.chat_appendStream(channel=asked.channel, ts=asked.ts, markdown_text="a")

    assert await refused(append) == "message_not_owned_by_app"


async def test_stopping_sets_the_state_of_the_session(double, client, begin, asked):
    place = await begin()

    await client.chat_stopStream(**place, session_status="active")

    assert double.workspace.surfaces.sessions[asked.channel, asked.ts] == "active"
