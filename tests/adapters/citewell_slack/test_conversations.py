"""What the app can read."""

import pytest


async def test_history_comes_newest_first_and_in_pages(client, general, alice):
    for number in range(5):
        alice.say(general, str(number))

    first = await client.conversations_history(channel=general.id, limit=3)
    second = await client.conversations_history(
        channel=general.id, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )

    assert [one["text"] for one in first["messages"]] == ["4", "3", "2"]
    assert [one["text"] for one in second["messages"]] == ["1", "0"]
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_history_has_bounds(client, general, alice):
    stamps = [alice.say(general, str(number)).ts for number in range(4)]

    async def between(**bounds):
        found = await client.conversations_history(channel=general.id, **bounds)
        return [one["text"] for one in found["messages"]]

    assert await between(oldest=stamps[1]) == ["3", "2"]
    assert await between(oldest=stamps[1], latest=stamps[2], inclusive=True) == ["2", "1"]


async def test_replies_come_oldest_first_and_only_in_their_thread(client, general, alice):
    asked = alice.say(general, "question")
    alice.say(general, "aside")
    for number in range(2):
        alice.say(general, str(number), thread=asked)

    thread = await client.conversations_replies(channel=general.id, ts=asked.ts)
    history = await client.conversations_history(channel=general.id)

    assert [one["text"] for one in thread["messages"]] == ["question", "0", "1"]
    assert thread["messages"][0]["reply_count"] == 2
    assert [one["text"] for one in history["messages"]] == ["aside", "question"]


async def test_metadata_is_shown_where_it_is_asked_for(client, general):
    metadata = {"event_type": "answer", "event_payload": {"id": "a1"}}
    await client.chat_postMessage(channel=general.id, text="a", metadata=metadata)

    plain = await client.conversations_history(channel=general.id)
    full = await client.conversations_history(channel=general.id, include_all_metadata=True)

    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata


async def test_an_edit_shows_in_history(client, general, alice):
    asked = alice.say(general, "27?")
    alice.edit(asked, "28?")

    (shown,) = (await client.conversations_history(channel=general.id))["messages"]

    assert (shown["text"], shown["edited"]["user"]) == ("28?", alice.id)


async def test_a_deleted_question_heads_its_thread_as_a_tombstone(client, general, alice):
    asked = alice.say(general, "question")
    await client.chat_postMessage(channel=general.id, text="answer", thread_ts=asked.ts)

    alice.delete(asked)

    thread = await client.conversations_replies(channel=general.id, ts=asked.ts)
    assert [one.get("subtype") for one in thread["messages"]] == ["tombstone", None]
    assert asked.edits[-1].before.text == "question"


async def test_reading_needs_membership_and_a_thread(double, client, general, refused):
    other = double.add_channel("other", has_bot=False)

    assert await refused(client.conversations_history(channel=other.id)) == "not_in_channel"
    replies = client.conversations_replies(channel=general.id, ts="1.000000")
    assert await refused(replies) == "thread_not_found"
    paged = client.conversations_history(channel=general.id, cursor="!")
    assert await refused(paged) == "invalid_cursor"


async def test_members_come_in_pages(double, client):
    people = [double.add_person(f"person{number}") for number in range(5)]
    channel = double.add_channel("all", people)
    found, cursor = [], None

    while cursor != "":
        page = await client.conversations_members(channel=channel.id, limit=2, cursor=cursor)
        found += page["members"]
        cursor = page["response_metadata"]["next_cursor"]

    assert found == [*(one.id for one in people), double.bot_user_id]


async def test_membership_changes_show_at_once(double, client, general, alice):
    bob = double.add_person("bob")

    bob.join(general)
    alice.leave(general)

    members = (await client.conversations_members(channel=general.id))["members"]
    assert members == [double.bot_user_id, bob.id]


async def test_channels_are_listed_by_kind(double, client, general, alice):
    private = double.add_channel("private", [alice], is_private=True)
    double.add_channel("unseen", [alice], is_private=True, has_bot=False)

    async def ids(types):
        listed = await client.conversations_list(types=types)
        return [one["id"] for one in listed["channels"]]

    assert await ids("public_channel") == [general.id]
    assert await ids("public_channel,private_channel") == [general.id, private.id]


async def test_a_channel_says_what_it_is(client, general, alice):
    info = (await client.conversations_info(channel=general.id))["channel"]
    im = (await client.conversations_open(users=alice.id))["channel"]
    opened = (await client.conversations_info(channel=im["id"]))["channel"]

    assert (info["name"], info["is_member"], info["is_private"]) == ("general", True, False)
    assert (opened["is_im"], opened["user"]) == (True, alice.id)


async def test_a_users_channels_are_told(double, client, general, alice):
    double.add_channel("other")

    told = await client.users_conversations(user=alice.id)

    assert [one["name"] for one in told["channels"]] == ["general"]


async def test_people_groups_and_the_team_are_told(double, client, alice, refused):
    group = double.add_group("people-team", [alice])

    user = (await client.users_info(user=alice.id))["user"]
    users = (await client.users_list())["members"]
    groups = (await client.usergroups_list())["usergroups"]
    members = (await client.usergroups_users_list(usergroup=group.id))["users"]
    team = (await client.team_info())["team"]

    assert (user["name"], user["is_bot"]) == ("alice", False)
    assert [one["is_bot"] for one in users] == [True, False]
    assert [one["handle"] for one in groups] == ["people-team"]
    assert (members, team["id"]) == ([alice.id], double.team)
    assert await refused(client.users_info(user="U99999999")) == "user_not_found"
    unknown = client.usergroups_users_list(usergroup="S99999999")
    assert await refused(unknown) == "no_such_subteam"


async def test_an_address_needs_a_scope_of_its_own(double, client, alice):
    hidden = (await client.users_info(user=alice.id))["user"]["profile"]
    double.tokens.scopes.add("users:read.email")
    shown = (await client.users_info(user=alice.id))["user"]["profile"]

    assert "email" not in hidden
    assert shown["email"] == "alice@example.com"


async def test_reactions_come_and_go(client, general, alice, refused):
    asked = alice.say(general, "How many?")
    place = {"channel": general.id, "timestamp": asked.ts, "name": "eyes"}

    await client.reactions_add(**place)
    added = {**asked.reactions}

    assert await refused(client.reactions_add(**place)) == "already_reacted"
    await client.reactions_remove(**place)
    assert await refused(client.reactions_remove(**place)) == "no_reaction"
    assert (list(added), asked.reactions) == (["eyes"], {})


@pytest.mark.parametrize("token", ["good", "wrong"])
async def test_a_file_is_for_the_token_alone(double, client, general, alice, token):
    import aiohttp

    file = alice.upload("rules.txt", b"28 days")
    alice.say(general, "see this", files=[file])
    info = (await client.files_info(file=file.id))["file"]
    bearer = double.bot_token if token == "good" else "xoxb-wrong"

    headers = {"Authorization": f"Bearer {bearer}"}
    async with aiohttp.request("GET", info["url_private"], headers=headers) as response:
        content = await response.read()

    assert (response.status, info["name"]) == (200, "rules.txt")
    assert (content == b"28 days") is (token == "good")
    assert response.content_type == ("text/plain" if token == "good" else "text/html")


async def test_a_file_elsewhere_is_not_found(double, client, alice, refused):
    other = double.add_channel("other", [alice], has_bot=False)
    file = alice.upload("rules.txt", b"28 days")
    alice.say(other, "see this", files=[file])

    assert await refused(client.files_info(file=file.id)) == "file_not_found"


async def test_statuses_titles_and_prompts_are_shown(double, client, alice):
    asked = alice.say(alice.im, "How many?")
    place = {"channel_id": alice.im.id, "thread_ts": asked.ts}

    await client.assistant_threads_setStatus(**place, status="is reading", loading_messages=["…"])
    await client.assistant_threads_setTitle(**place, title="Leave")
    await client.assistant_threads_setSuggestedPrompts(
        channel_id=alice.im.id, title="Try", prompts=[{"title": "Leave", "message": "How many?"}]
    )

    surfaces = double.workspace.surfaces
    key = (alice.im.id, asked.ts)
    assert surfaces.status(*key, now=double.clock.now) == "is reading"
    assert surfaces.titles[key] == "Leave"
    assert [one["message"] for one in surfaces.prompts[alice.im.id].prompts] == ["How many?"]


@pytest.mark.parametrize("how", ["answered", "two minutes"])
async def test_a_status_goes_away_by_itself(double, client, alice, how):
    asked = alice.say(alice.im, "How many?")
    place = {"channel_id": alice.im.id, "thread_ts": asked.ts}
    await client.assistant_threads_setStatus(**place, status="is reading")

    if how == "answered":
        await client.chat_postMessage(channel=alice.im.id, text="28", thread_ts=asked.ts)
    else:
        await double.clock.advance(120)

    surfaces = double.workspace.surfaces
    assert surfaces.status(alice.im.id, asked.ts, now=double.clock.now) == ""


async def test_there_are_one_to_four_prompts(client, alice, refused):
    prompt = {"title": "a", "message": "b"}

    call = client.assistant_threads_setSuggestedPrompts(
        channel_id=alice.im.id, prompts=[prompt] * 5
    )

    assert await refused(call) == "invalid_arguments"


async def test_an_agent_session_has_a_state(double, client, alice, refused):
    asked = alice.say(alice.im, "How many?")
    place = {"channel_id": alice.im.id, "thread_ts": asked.ts}

    await client.agents_sessions_setStatus(**place, status="processing")

    assert double.workspace.surfaces.sessions[alice.im.id, asked.ts] == "processing"
    wrong = client.agents_sessions_setStatus(**place, status="busy")
    assert await refused(wrong) == "invalid_arguments"
