"""Messages: written, changed, listed and taken away by a real client."""

import io

import aiohttp
import discord
import pytest

from citewell_discord.testing import (
    MessageFlags,
    MessageKind,
    Overwrite,
    Permissions,
    Upload,
    rendered,
)
from discord_clients import Bot


@pytest.fixture
def place(channel, bot):
    return bot.get_channel(channel.id)


def errors_of(refusal):
    return refusal.value.status, refusal.value.code, refusal.value.text


async def test_client_hears_what_is_said(double, channel, alice, bot):
    message = alice.say(channel, "How many days of leave?")
    await double.until(lambda: bot.heard)

    heard = bot.heard[0]

    assert (heard.id, heard.content) == (message.id, "How many days of leave?")
    assert (heard.author.name, heard.guild.name) == ("alice", "acme")


async def test_client_hears_a_direct_message(double, alice, bot):
    alice.tell_bot("psst")
    await double.until(lambda: bot.heard)

    await bot.heard[0].channel.send("yes?")

    assert bot.heard[0].guild is None
    direct = double.world.direct(alice.user)
    assert [one.content for one in double.messages(direct)] == ["psst", "yes?"]


async def test_a_client_opens_a_direct_conversation(double, guild, alice, bot):
    user = await bot.fetch_user(alice.user.id)

    await user.send("hello")

    assert double.messages(double.world.direct(alice.user))[0].content == "hello"


async def test_who_takes_no_direct_messages_gets_none(double, alice, bot):
    alice.refuse_direct()
    user = await bot.fetch_user(alice.user.id)

    with pytest.raises(discord.Forbidden) as refusal:
        await user.send("hello")

    assert refusal.value.code == 50007


async def test_own_messages_come_back_as_events(double, channel, place, bot):
    sent = await place.send("mine")
    await double.until(lambda: bot.echoes)

    assert sent.author.id == double.bot_user_id
    assert [(one.id, one.content) for one in bot.echoes] == [(sent.id, "mine")]
    assert double.messages(channel)[0].content == "mine"


async def test_other_bots_speak_too(double, guild, channel, bot):
    double.other_bot("echo", guild).say(channel, "beep")

    await double.until(lambda: bot.heard)

    assert bot.heard[0].author.bot


async def test_whole_edit_history_is_kept(double, channel, place):
    sent = await place.send("one")

    await sent.edit(content="one two")
    await sent.edit(content="one two three")

    message = double.messages(channel)[0]
    texts = [one.draft.content for one in message.revisions]
    assert texts == ["one", "one two", "one two three"]
    assert message.is_edited


async def test_edits_and_deletes_of_people_are_told(double, channel, alice, bot):
    message = alice.say(channel, "frist")
    await double.until(lambda: bot.heard)

    alice.edit(message, "first")
    alice.delete(message)
    await double.until(lambda: bot.deleted)

    assert bot.edits[0].data["content"] == "first"
    assert bot.edits[0].data["edited_timestamp"]
    assert bot.deleted[0].message_id == message.id


async def test_a_deleted_message_is_gone_but_remembered(double, channel, place):
    sent = await place.send("oops")

    await sent.delete()

    with pytest.raises(discord.NotFound) as refusal:
        await place.fetch_message(sent.id)
    assert refusal.value.code == 10008
    assert double.messages(channel) == []
    assert channel.messages[sent.id].is_deleted


async def test_others_messages_cannot_be_changed(double, channel, alice, place, bot):
    message = alice.say(channel, "mine")

    with pytest.raises(discord.Forbidden) as refusal:
        await bot.http.edit_message(
            channel.id,
            message.id,
            params=discord.http.handle_message_parameters(content="yours"),
        )
    assert refusal.value.code == 50005


async def test_others_messages_need_a_right_to_be_deleted(double, guild, channel, alice, place):
    message = alice.say(channel, "spam")
    heard = await place.fetch_message(message.id)

    with pytest.raises(discord.Forbidden) as refusal:
        await heard.delete()
    double.world.set_overwrites(
        channel, [Overwrite(double.bot_user_id, True, allow=Permissions.MANAGE_MESSAGES)]
    )
    await heard.delete()

    assert refusal.value.code == 50013
    assert message.is_deleted


async def test_history_goes_both_ways_and_around(double, channel, alice, place):
    ids = [alice.say(channel, str(number)).id for number in range(10)]

    newest = [one.content async for one in place.history(limit=3)]
    before = [one.content async for one in place.history(limit=2, before=discord.Object(ids[5]))]
    after = [one.content async for one in place.history(limit=3, after=discord.Object(ids[5]))]
    around = [one.content async for one in place.history(limit=3, around=discord.Object(ids[5]))]

    assert newest == ["9", "8", "7"]
    assert before == ["4", "3"]
    assert after == ["6", "7", "8"]
    assert sorted(around) == ["4", "5", "6"]


async def test_history_past_a_hundred_comes_in_pages(double, channel, alice, place):
    for number in range(130):
        alice.say(channel, str(number))

    found = [one.content async for one in place.history(limit=None)]

    assert found == [str(number) for number in reversed(range(130))]
    pages = double.calls_of("GET /channels/{channel_id}/messages")
    assert [page.query["limit"] for page in pages] == ["100", "100"]
    assert "before" in pages[1].query


async def test_content_over_two_thousand_is_refused_in_discords_words(place):
    await place.send("x" * 2000)

    with pytest.raises(discord.HTTPException) as refusal:
        await place.send("x" * 2001)

    status, code, text = errors_of(refusal)
    assert (status, code) == (400, 50035)
    assert text == "Invalid Form Body\nIn content: Must be 2000 or fewer in length."


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_an_empty_message_is_refused(place, text):
    with pytest.raises(discord.HTTPException) as refusal:
        await place.send(text)

    assert refusal.value.code == 50006


async def test_white_space_around_content_is_cut(double, channel, place):
    await place.send("  hello \n")

    assert double.messages(channel)[0].content == "hello"


@pytest.mark.parametrize(
    ("embeds", "words"),
    [
        ([discord.Embed(description="x" * 4097)], "Must be 4096 or fewer in length."),
        ([discord.Embed(title="x" * 257)], "Must be 256 or fewer in length."),
        (
            [discord.Embed(description="x" * 3001), discord.Embed(description="x" * 3000)],
            "Embed size exceeds maximum size of 6000",
        ),
        ([discord.Embed(title="x", url="nowhere")], "Not a well formed URL."),
        ([discord.Embed(title="x", url="ftp://a.b")], 'Scheme "ftp" is not supported.'),
        ([discord.Embed().add_field(name="x", value="x" * 1025)], "between 1 and 1024"),
    ],
)
async def test_embeds_out_of_bounds_are_refused(place, embeds, words):
    with pytest.raises(discord.HTTPException) as refusal:
        await place.send(embeds=embeds)

    status, code, text = errors_of(refusal)
    assert (status, code) == (400, 50035)
    assert words in text


async def test_embeds_up_to_the_bounds_are_taken(double, channel, place):
    embed = discord.Embed(title="Leave", description="x" * 4096, url="https://docs.example/leave")
    embed.set_footer(text="5 of 6 statements supported").add_field(name="a", value="b")

    sent = await place.send(embed=embed)

    assert sent.embeds[0].url == "https://docs.example/leave"
    seen = rendered(double.messages(channel)[0])
    assert seen.texts == ["Leave", "x" * 4096, "a", "b", "5 of 6 statements supported"]
    assert [link.url for link in seen.links] == ["https://docs.example/leave"]


async def test_embeds_without_their_right_are_left_out_silently(double, guild, channel, place):
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=Permissions.EMBED_LINKS)])

    sent = await place.send("text", embed=discord.Embed(title="sources"))
    await sent.edit(content="more", embed=discord.Embed(title="sources"))
    with pytest.raises(discord.Forbidden) as refusal:
        await place.send(embed=discord.Embed(title="sources"))

    message = double.messages(channel)[0]
    assert [list(one.draft.embeds) for one in message.revisions] == [[], []]
    assert refusal.value.code == 50013


async def test_a_reply_names_what_it_answers(double, channel, alice, bot):
    question = alice.say(channel, "why?")
    await double.until(lambda: bot.heard)

    sent = await bot.heard[0].reply("because")

    answer = double.messages(channel)[1]
    assert answer.reference is question
    assert answer.kind == MessageKind.REPLY
    assert sent.reference.resolved.content == "why?"


async def test_a_person_replies_to_the_bot(double, channel, alice, place, bot):
    await place.send("anything else?")
    alice.reply(double.messages(channel)[0], "yes")
    await double.until(lambda: bot.heard)

    heard = bot.heard[0]

    assert heard.reference.resolved.content == "anything else?"
    assert bot.user in heard.mentions


async def test_what_is_gone_cannot_be_answered(double, channel, alice, place):
    question = alice.say(channel, "why?")
    reference = discord.MessageReference(message_id=question.id, channel_id=channel.id)
    alice.delete(question)

    with pytest.raises(discord.HTTPException) as refusal:
        await place.send("because", reference=reference)
    reference.fail_if_not_exists = False
    await place.send("because", reference=reference)

    assert "Unknown message" in refusal.value.text
    assert double.messages(channel)[0].reference is None


async def test_a_nonce_is_sent_once_within_minutes(double, channel, place):
    first = await place.send("answer", nonce="outbox-1")
    again = await place.send("answer", nonce="outbox-1")
    double.clock.advance(600)
    later = await place.send("answer", nonce="outbox-1")

    assert first.id == again.id
    assert later.id != first.id
    assert [one.nonce for one in double.messages(channel)] == ["outbox-1", "outbox-1"]


async def test_a_nonce_of_a_deleted_message_is_not_sent_again(place):
    sent = await place.send("answer", nonce="outbox-1")
    await sent.delete()

    with pytest.raises(discord.NotFound) as refusal:
        await place.send("answer", nonce="outbox-1")

    assert refusal.value.code == 10008


async def test_a_nonce_over_25_is_refused(place):
    with pytest.raises(discord.HTTPException) as refusal:
        await place.send("answer", nonce="x" * 26)

    assert "In nonce: Must be 25 or fewer in length." in refusal.value.text


async def test_files_go_both_ways(double, channel, alice, place, bot):
    alice.say(channel, "see here", Upload("notes.txt", b"28 days", "text/plain"))
    await double.until(lambda: bot.heard)

    read = await bot.heard[0].attachments[0].read()
    await place.send(file=discord.File(io.BytesIO(b"long answer"), "answer.md", description="all"))

    answer = double.messages(channel)[1].attachments[0]
    assert read == b"28 days"
    assert bot.heard[0].attachments[0].content_type == "text/plain"
    assert (answer.filename, answer.data, answer.description) == (
        "answer.md",
        b"long answer",
        "all",
    )


async def test_an_edit_can_add_and_drop_files(double, channel, place):
    sent = await place.send("x", file=discord.File(io.BytesIO(b"one"), "one.txt"))

    await sent.edit(attachments=[discord.File(io.BytesIO(b"two"), "two.txt")])

    assert [one.data for one in double.messages(channel)[0].attachments] == [b"two"]


async def test_a_file_too_large_is_refused(place):
    with pytest.raises(discord.HTTPException) as refusal:
        await place.send(file=discord.File(io.BytesIO(bytes(10 * 2**20 + 1)), "big.bin"))

    assert (refusal.value.status, refusal.value.code) == (413, 40005)


async def test_what_was_never_sent_cannot_be_downloaded(bot):
    base = discord.http.Route.BASE.removesuffix("/api/v10")

    with pytest.raises(discord.NotFound):
        await bot.http.get_from_cdn(f"{base}/attachments/1/2/x.txt")


async def test_previews_can_be_suppressed(double, channel, place):
    await place.send("see https://docs.example/a", suppress_embeds=True)
    await place.send("see https://docs.example/a")

    quiet, loud = double.messages(channel)
    assert quiet.flags == MessageFlags.SUPPRESS_EMBEDS
    assert list(rendered(quiet).previews) == []
    assert list(rendered(loud).previews) == ["https://docs.example/a"]


async def test_reactions_are_told_and_can_be_taken_back(double, channel, alice, place, bot):
    sent = await place.send("good?")
    reactions = []
    bot.on_raw_reaction_add = lambda payload: record(reactions, payload)

    await sent.add_reaction("🤔")
    alice.react(double.messages(channel)[0], "👍")
    await double.until(lambda: len(reactions) == 2)
    await sent.remove_reaction("🤔", bot.user)

    assert [(one.user_id, str(one.emoji)) for one in reactions] == [
        (bot.user.id, "🤔"),
        (alice.user.id, "👍"),
    ]
    assert double.messages(channel)[0].reactions == {"👍": [alice.user.id]}


async def record(into, payload):
    into.append(payload)


async def test_a_word_is_no_reaction(place):
    sent = await place.send("good?")

    with pytest.raises(discord.HTTPException) as refusal:
        await sent.add_reaction("thumbs")

    assert refusal.value.code == 10014


async def test_who_reacted_can_be_asked(double, channel, alice, place):
    sent = await place.send("good?")
    alice.react(double.messages(channel)[0], "👍")

    fetched = await place.fetch_message(sent.id)
    users = [user.name async for user in fetched.reactions[0].users()]

    assert users == ["alice"]


async def test_typing_is_seen_and_told(double, channel, alice, place, bot):
    seen = []
    bot.on_raw_typing = lambda payload: record(seen, payload)

    async with place.typing():
        alice.type(channel)
        await double.until(lambda: len(seen) == 2)

    assert [one.user_id for one in channel.typing] == [bot.user.id, alice.user.id]


async def test_nothing_is_pinged_by_a_careful_client(double, guild, channel, alice, start):
    careful = await start(Bot(allowed_mentions=discord.AllowedMentions.none()))
    question = alice.say(channel, "who?")
    await double.until(lambda: careful.heard)

    text = f"@everyone {alice.mention} {guild.everyone.mention}"
    await careful.heard[0].reply(text)

    answer = double.messages(channel)[1]
    assert question is answer.reference
    assert list(rendered(answer).mentions) == ["@everyone", alice.mention, guild.everyone.mention]
    assert list(rendered(answer).pings) == []
    assert answer.mentions == []


async def test_a_careless_client_rings_everybody(double, channel, alice, bot):
    alice.say(channel, "who?")
    await double.until(lambda: bot.heard)

    await bot.heard[0].reply("@everyone")

    assert list(rendered(double.messages(channel)[1]).pings) == ["@everyone", alice.mention]
    assert double.messages(channel)[1].mentions_everyone


async def test_every_call_is_written_down(double, channel, place):
    await place.send("hello", allowed_mentions=discord.AllowedMentions.none())

    (call,) = double.calls_of("POST /channels/{channel_id}/messages")
    assert call.status == 200
    assert call.body["content"] == "hello"
    assert call.body["allowed_mentions"] == {"parse": []}
    assert call.path == f"/channels/{channel.id}/messages"
    assert abs(call.at - double.clock.now()) < 5


async def test_a_body_that_is_no_message_is_refused_by_field(channel, caller):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json={"embeds": [{"color": "red"}]})

    assert refusal.value.code == 50035
    assert "In embeds.0.color: Expected `int | null`, got `str`" in refusal.value.text


async def test_an_unknown_path_is_not_found(double, caller):
    with pytest.raises(discord.NotFound) as refusal:
        await caller.http.request(discord.http.Route("GET", "/nowhere"))

    assert refusal.value.code == 0
    assert double.calls[-1].status == 404


async def test_previews_of_others_are_taken_away_with_a_right(double, moderated, bot):
    channel = double.world.add_text(moderated, "ours")
    message = double.person("alice", moderated).say(channel, "https://docs.example/a")
    await double.until(lambda: bot.heard)

    await bot.heard[0].edit(suppress=True)

    assert message.flags == MessageFlags.SUPPRESS_EMBEDS
    assert not message.is_edited


async def test_others_messages_cannot_be_deleted_in_a_direct_conversation(double, alice, bot):
    alice.tell_bot("hello")
    await double.until(lambda: bot.heard)

    with pytest.raises(discord.Forbidden) as refusal:
        await bot.heard[0].delete()

    assert refusal.value.code == 50003


async def test_reactions_of_others_are_removed_with_a_right(double, moderated, bot):
    channel = double.world.add_text(moderated, "ours")
    alice = double.person("alice", moderated)
    message = alice.say(channel, "hello")
    alice.react(message, "👍")
    await double.until(lambda: bot.heard)

    await bot.heard[0].remove_reaction("👍", discord.Object(alice.user.id))

    assert message.reactions == {}


async def test_a_person_takes_a_reaction_back(double, channel, alice, place, bot):
    removed = []
    bot.on_raw_reaction_remove = lambda payload: record(removed, payload)
    await place.send("good?")
    message = double.messages(channel)[0]

    alice.react(message, "👍")
    alice.react(message, "👍")
    alice.unreact(message, "👍")
    alice.unreact(message, "👍")
    await double.until(lambda: removed)

    assert [str(one.emoji) for one in removed] == ["👍"]
    assert message.reactions == {}


async def test_an_edit_keeps_the_files_that_it_names(double, channel, place):
    files = [discord.File(io.BytesIO(name), f"{name.decode()}.txt") for name in (b"a", b"b")]
    sent = await place.send(files=files)

    await sent.edit(attachments=[sent.attachments[1]])

    assert [one.data for one in double.messages(channel)[0].attachments] == [b"b"]


async def test_a_file_that_was_never_sent_is_refused(channel, caller):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json={"content": "x", "attachments": [{"id": 5}]})

    assert "Attachment 5 was not found" in refusal.value.text


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        ({"parse": ["users"], "users": ["1"]}, "are mutually exclusive"),
        ({"parse": ["everybody"]}, "Value must be one of"),
        ({"users": ["1"] * 101}, "Must be 100 or fewer in length."),
    ],
)
async def test_allowed_mentions_that_make_no_sense_are_refused(channel, caller, allowed, words):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json={"content": "x", "allowed_mentions": allowed})

    assert words in refusal.value.text


async def test_embeds_show_their_author_and_pictures(double, channel, place):
    embed = discord.Embed(title="x").set_image(url="https://a.example/i.png")
    embed.set_author(name="Handbook", url="https://a.example/h")
    embed.set_thumbnail(url="https://a.example/t.png")

    await place.send(embed=embed)

    seen = rendered(double.messages(channel)[0])
    assert [(one.label, one.url) for one in seen.links] == [("Handbook", "https://a.example/h")]
    assert list(seen.images) == ["https://a.example/i.png", "https://a.example/t.png"]


@pytest.mark.parametrize("limit", ["0", "101", "many"])
async def test_a_limit_out_of_bounds_is_refused(channel, caller, limit):
    route = discord.http.Route("GET", "/channels/{channel_id}/messages", channel_id=channel.id)

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, params={"limit": limit})

    assert "int value should be between 1 and 100." in refusal.value.text


async def test_an_id_in_a_body_is_a_number(channel, caller):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"content": "x", "message_reference": {"message_id": "first"}}

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json=body)

    assert "In message_reference.message_id: Expected `str` matching" in refusal.value.text


async def test_an_id_is_a_number(caller):
    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(discord.http.Route("GET", "/channels/general"))

    assert 'Value "general" is not snowflake.' in refusal.value.text


async def test_a_body_that_is_no_json_is_refused(double, channel):
    headers = {"Authorization": f"Bot {double.token}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{double.api_url}/channels/{channel.id}/messages", data="{") as answer,
    ):
        body = await answer.json()

    assert (answer.status, body["code"]) == (400, 50109)
    assert double.calls[-1].body == "{"
