"""Nothing that an app sends breaks the double itself."""

import random

import aiohttp
import pytest

VALUES = [
    "",
    "a",
    "[1",
    "[]",
    "{}",
    '{"type": "modal"}',
    0,
    -1,
    10**9,
    1.5,
    True,
    None,
    [],
    {},
    [None],
    ["a"],
    [[]],
    [{}],
    [{"type": None}],
    [{"type": "section", "text": None}],
    [{"type": "actions", "elements": [None]}],
    [{"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": 3}]}],
    [{"type": "markdown_text", "text": 3}],
    [{"type": "blocks", "blocks": [{}]}],
    {"type": "modal", "title": None, "blocks": 3},
    {"type": "home", "blocks": [{"type": "input"}]},
    {"event_type": 3, "event_payload": []},
    {"event_type": "a", "event_payload": {"a": "\ud83d\ude00"}},
    "1.000000",
    "C00000001",
]
NAMES = """
    channel channel_id user user_id users ts thread_ts timestamp message_ts text markdown_text
    blocks chunks metadata view view_id external_id trigger_id hash prompts title status
    loading_messages limit cursor oldest latest inclusive include_all_metadata types name file
    usergroup recipient_team_id recipient_user_id task_display_mode unfurl_links session_status
    exclude_archived code grant_type
"""
ARGUMENTS = NAMES.split()


@pytest.mark.parametrize("seed", range(5))
async def test_every_call_is_answered(double, general, alice, seed):
    chance = random.Random(seed)
    asked = alice.say(general, "how many?")
    place = {
        "channel": general.id,
        "channel_id": general.id,
        "thread_ts": asked.ts,
        "ts": asked.ts,
        "timestamp": asked.ts,
        "user": alice.id,
        "user_id": alice.id,
        "recipient_user_id": alice.id,
        "recipient_team_id": double.team,
    }
    methods = sorted({name for known in double.api.known() for name in known})
    headers = {"Authorization": f"Bearer {double.bot_token}"}
    statuses = set()

    async with aiohttp.ClientSession(double.api_url, headers=headers) as session:
        for _ in range(300):
            arguments = {name: chance.choice(VALUES) for name in chance.sample(ARGUMENTS, 6)}
            good = chance.sample(sorted(place), chance.randrange(len(place)))
            arguments |= {name: place[name] for name in good}
            if chance.random() < 0.5:
                view = alice.command("/ask", channel=general).payload["trigger_id"]
                arguments["trigger_id"] = view
            async with session.post(chance.choice(methods), json=arguments) as response:
                statuses.add((response.status, (await response.json())["ok"]))

    assert statuses == {(200, True), (200, False)}


async def test_a_body_that_is_no_json_is_refused(double):
    headers = {"Authorization": f"Bearer {double.bot_token}", "Content-Type": "application/json"}

    async with aiohttp.ClientSession(double.api_url, headers=headers) as session:
        for body in (b"{", b"[]", b"\xff", b"3"):
            async with session.post("chat.postMessage", data=body) as response:
                assert (await response.json())["error"] == "invalid_json"


async def test_a_frame_that_is_no_acknowledgement_is_passed_over(double, general, alice):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(double.sockets.url()) as channel,
    ):
        await channel.receive_json()
        alice.say(general, "how many?")
        envelope = (await channel.receive_json())["envelope_id"]
        for text in ("", "{", "[]", "3", '{"envelope_id": 3}', '{"envelope_id": "unknown"}'):
            await channel.send_str(text)
        await channel.send_bytes(b"bytes")
        await channel.send_json({"envelope_id": envelope})

        assert (await double.deliveries.log[0].settled()).state == "acknowledged"
