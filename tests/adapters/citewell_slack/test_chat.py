"""What an app may post, and what it may not."""

import pytest

from citewell_slack.testing import rendered


async def test_a_post_is_in_the_channel_with_all_it_carried(double, client, general):
    metadata = {"event_type": "answer", "event_payload": {"id": "a1"}}

    answer = await client.chat_postMessage(
        channel=general.id,
        text="28 days",
        metadata=metadata,
        unfurl_links=False,
        unfurl_media=False,
    )

    (message,) = double.posted(general)
    assert (message.ts, message.text) == (answer["ts"], "28 days")
    assert message.metadata == metadata
    assert message.content.unfurls is False
    assert message.user == double.bot_user_id


async def test_markdown_text_becomes_a_markdown_block(double, client, general):
    await client.chat_postMessage(channel=general.id, markdown_text="# 28 **days**")

    assert double.posted(general)[0].blocks == [{"type": "markdown", "text": "# 28 **days**"}]


async def test_an_update_keeps_what_was_there_before(double, client, general):
    posted = await client.chat_postMessage(channel=general.id, text="27 days")

    await client.chat_update(channel=general.id, ts=posted["ts"], text="28 days")

    (message,) = double.posted(general)
    assert message.text == "28 days"
    assert [edit.before.text for edit in message.edits] == ["27 days"]


LINE = {"type": "divider", "block_id": "line"}


@pytest.mark.parametrize(
    ("change", "text", "blocks"),
    [
        ({"text": "b"}, "b", []),
        ({"blocks": [{**LINE, "block_id": "new"}]}, "a", [{**LINE, "block_id": "new"}]),
        ({"text": "b", "blocks": [LINE]}, "b", [LINE]),
        ({"metadata": {"event_type": "draft", "event_payload": {}}}, "a", [LINE]),
    ],
)
async def test_an_update_with_text_alone_takes_blocks_away(
    double, client, general, change, text, blocks
):
    metadata = {"event_type": "answer", "event_payload": {}}
    posted = await client.chat_postMessage(
        channel=general.id, text="a", blocks=[LINE], metadata=metadata
    )

    place = {"channel": general.id, "ts": posted["ts"]}
    answer = await client.api_call("chat.update", json=place | change)

    (message,) = double.posted(general)
    assert (message.text, message.blocks) == (text, blocks)
    assert message.metadata == change.get("metadata", metadata)
    assert ("edited" in answer["message"]) is (not blocks)


async def test_an_update_must_say_something(client, general, refused):
    posted = await client.chat_postMessage(channel=general.id, text="a")
    place = {"channel": general.id, "ts": posted["ts"]}

    assert await refused(client.api_call("chat.update", json=place)) == "no_text"


async def test_nobody_can_reply_to_what_was_deleted_before_it_was_answered(
    double, client, general, alice, refused
):
    asked = alice.say(general, "How many?")
    alice.delete(asked)
    place = {"channel": general.id, "thread_ts": asked.ts}

    post = client.chat_postMessage(**place, text="28")
    stream = client.chat_startStream(
        **place, recipient_team_id=double.team, recipient_user_id=alice.id
    )

    assert await refused(post) == "thread_not_found"
    assert await refused(stream) == "thread_not_found"


async def test_a_thread_whose_first_message_was_deleted_goes_on(client, general, alice):
    asked = alice.say(general, "How many?")
    await client.chat_postMessage(channel=general.id, text="28", thread_ts=asked.ts)
    alice.delete(asked)

    posted = await client.chat_postMessage(channel=general.id, text="days", thread_ts=asked.ts)

    assert posted["message"]["thread_ts"] == asked.ts


async def test_a_deleted_post_is_gone_but_remembered(double, client, general):
    posted = await client.chat_postMessage(channel=general.id, text="oops")

    await client.chat_delete(channel=general.id, ts=posted["ts"])

    assert double.posted(general) == []
    assert [one.is_deleted for one in double.workspace.messages.all(general.id)] == [True]


async def test_an_ephemeral_is_shown_to_one_and_in_no_history(double, client, general, alice):
    bob = double.add_person("bob")

    await client.chat_postEphemeral(channel=general.id, user=alice.id, text="for you")

    history = await client.conversations_history(channel=general.id)
    assert history["messages"] == []
    assert [one.text for one in double.workspace.shown_to(alice.id)] == ["for you"]
    assert double.workspace.shown_to(bob.id) == []


async def test_a_permalink_names_channel_message_and_thread(client, general, alice):
    asked = alice.say(general, "How many?")
    reply = await client.chat_postMessage(channel=general.id, text="28", thread_ts=asked.ts)

    link = await client.chat_getPermalink(channel=general.id, message_ts=reply["ts"])

    number = reply["ts"].replace(".", "")
    end = f"/archives/{general.id}/p{number}?thread_ts={asked.ts}&cid={general.id}"
    assert link["permalink"].endswith(end)


async def test_a_reply_to_a_reply_goes_to_the_thread(double, client, general, alice):
    asked = alice.say(general, "How many?")
    first = await client.chat_postMessage(channel=general.id, text="28", thread_ts=asked.ts)

    await client.chat_postMessage(channel=general.id, text="days", thread_ts=first["ts"])

    assert [one.text for one in double.workspace.messages.thread(general.id, asked.ts)] == [
        "How many?",
        "28",
        "days",
    ]


async def test_a_user_stands_for_their_conversation(double, client, alice):
    await client.chat_postMessage(channel=alice.id, text="hello")

    assert [one.text for one in double.posted(alice.im)] == ["hello"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C99999999", "text": "a"}, "channel_not_found"),
        ({}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"markdown_text": "a" * 12_001}, "msg_too_long"),
        ({"text": "a", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"text": "a", "thread_ts": "0"}, "invalid_thread_ts"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
    ],
)
async def test_a_post_is_refused(client, general, refused, arguments, error):
    arguments = {"channel": general.id, **arguments}

    assert await refused(client.api_call("chat.postMessage", json=arguments)) == error


async def test_the_bot_posts_only_where_it_is_a_member(double, client, refused):
    public = double.add_channel("public", has_bot=False)
    private = double.add_channel("private", has_bot=False, is_private=True)

    assert await refused(client.chat_postMessage(channel=public.id, text="a")) == "not_in_channel"
    assert (
        await refused(client.chat_postMessage(channel=private.id, text="a")) == "channel_not_found"
    )


async def test_an_archived_channel_takes_nothing(client, general, refused):
    general.is_archived = True

    assert await refused(client.chat_postMessage(channel=general.id, text="a")) == "is_archived"


async def test_text_that_is_too_long_is_cut_when_posted_and_refused_when_updated(
    double, client, general, refused
):
    posted = await client.chat_postMessage(channel=general.id, text="a" * 40_001)

    update = client.chat_update(channel=general.id, ts=posted["ts"], text="b" * 4_001)

    assert await refused(update) == "msg_too_long"
    assert double.posted(general)[0].text == "a" * 40_000


async def test_blocks_have_one_cap_together(client, general, refused):
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "a" * 2_700}}
    within = [section] * 4

    await client.chat_postMessage(channel=general.id, text="a", blocks=within)
    beyond = client.chat_postMessage(channel=general.id, text="a", blocks=[*within, section])

    assert await refused(beyond) == "msg_blocks_too_long"


async def test_what_others_wrote_cannot_be_changed(client, general, alice, refused):
    asked = alice.say(general, "How many?")

    update = client.chat_update(channel=general.id, ts=asked.ts, text="None")
    delete = client.chat_delete(channel=general.id, ts=asked.ts)

    assert await refused(update) == "cant_update_message"
    assert await refused(delete) == "cant_delete_message"


async def test_what_is_not_there_cannot_be_changed(client, general, refused):
    update = client.chat_update(channel=general.id, ts="1.000000", text="a")

    assert await refused(update) == "message_not_found"


async def test_an_ephemeral_needs_a_member(double, client, general, refused):
    bob = double.add_person("bob")

    whisper = client.chat_postEphemeral(channel=general.id, user=bob.id, text="a")

    assert await refused(whisper) == "user_not_in_channel"


async def test_nothing_is_idempotent(double, client, general):
    for _ in range(2):
        await client.chat_postMessage(channel=general.id, text="a", client_msg_id="same")

    assert len(double.posted(general)) == 2


async def test_every_call_is_logged_with_its_answer(double, client, general, refused):
    await client.chat_postMessage(channel=general.id, text="a")
    await refused(client.chat_postMessage(channel="C99999999", text="b"))

    good, bad = double.calls("chat.postMessage")
    assert (good.token, good.arguments["text"], good.status) == (double.bot_token, "a", 200)
    assert good.answer["ts"] == double.posted(general)[0].ts
    assert (bad.error, bad.at) == ("channel_not_found", double.clock.now)


async def test_what_was_posted_can_be_read_as_a_person_reads_it(double, client, general, alice):
    await client.chat_postMessage(channel=general.id, text=f"<@{alice.id}> 1 &lt; 2")

    seen = rendered(double.posted(general)[0])

    assert seen.text == f"@{alice.id} 1 < 2"


async def test_what_is_whispered_below_a_message_without_replies_is_not_shown(
    double, client, general, alice
):
    said = alice.say(general, "a")
    where = {"channel": general.id, "user": alice.id, "thread_ts": said.ts}
    await client.chat_postEphemeral(text="lost", **where)
    alice.say(general, "b", thread=said)
    await client.chat_postEphemeral(text="seen", **where)

    assert [one.text for one in double.workspace.shown_to(alice.id)] == ["seen"]
