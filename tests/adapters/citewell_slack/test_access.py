"""Tokens, scopes and rates."""

import pytest
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient


async def test_a_bot_learns_who_it_is(double, client):
    answer = await client.auth_test()

    assert (answer["user_id"], answer["team_id"]) == (double.bot_user_id, double.team)
    assert "chat:write" in answer.headers["x-oauth-scopes"]


@pytest.mark.parametrize(("token", "error"), [("", "not_authed"), ("xoxb-wrong", "invalid_auth")])
async def test_a_token_must_be_good(double, refused, token, error):
    stranger = AsyncWebClient(token=token, base_url=double.api_url)

    assert await refused(stranger.auth_test()) == error


async def test_each_kind_of_token_has_its_methods(double, client, refused):
    app = AsyncWebClient(token=double.app_token, base_url=double.api_url)

    assert await refused(app.auth_test()) == "not_allowed_token_type"
    open_socket = client.apps_connections_open(app_token=double.bot_token)
    assert await refused(open_socket) == "not_allowed_token_type"


async def test_a_missing_scope_is_named(double, client, general):
    double.tokens.scopes.discard("chat:write")

    with pytest.raises(Exception, match="missing_scope") as caught:
        await client.chat_postMessage(channel=general.id, text="a")
    assert caught.value.response["needed"] == "chat:write"
    assert "users:read" in caught.value.response["provided"]


async def test_history_needs_the_scope_of_its_kind_of_channel(double, client, alice, refused):
    double.tokens.scopes.discard("groups:history")
    private = double.add_channel("private", [alice], is_private=True)

    assert await refused(client.conversations_history(channel=private.id)) == "missing_scope"


async def test_an_unknown_method_is_refused(client, refused):
    assert await refused(client.api_call("chat.shout")) == "unknown_method"


async def test_rates_are_free_unless_enforced(double, client, general):
    for _ in range(10):
        await client.chat_postMessage(channel=general.id, text="a")

    assert [message.text for message in double.posted(general)] == ["a"] * 10


async def test_a_call_too_many_is_told_when_to_come_back(double, client, general, refused):
    double.api.rates.enforced = True
    for _ in range(3):
        await client.chat_postMessage(channel=general.id, text="a")

    with pytest.raises(Exception, match="ratelimited") as caught:
        await client.chat_postMessage(channel=general.id, text="a")
    wait_s = int(caught.value.response.headers["Retry-After"])
    await double.clock.advance(wait_s)
    await client.chat_postMessage(channel=general.id, text="a")

    assert caught.value.response.status_code == 429
    assert wait_s == 3
    assert len(double.posted(general)) == 4


async def test_the_clients_own_retry_handler_gets_through(double, general):
    client = AsyncWebClient(
        token=double.bot_token,
        base_url=double.api_url,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=2)],
    )
    double.faults.limit("chat.postMessage", retry_after_s=0, times=2)

    await client.chat_postMessage(channel=general.id, text="a")

    assert [one.status for one in double.calls("chat.postMessage")] == [429, 429, 200]


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
async def test_a_code_is_good_for_one_token(double, client, alice, refused):
    secret = {
        "client_id": double.installation.client_id,
        "client_secret": double.installation.client_secret,
    }
    code = double.allow(alice)

    granted = await client.oauth_v2_access(**secret, code=code)
    installed = AsyncWebClient(token=granted["access_token"], base_url=double.api_url)

    assert (await installed.auth_test())["team_id"] == granted["team"]["id"] == double.team
    assert await refused(client.oauth_v2_access(**secret, code=code)) == "invalid_code"
    wrong = secret | {"client_secret": "wrong"}
    assert await refused(client.oauth_v2_access(**wrong, code=code)) == "bad_client_secret"
