"""Connections: made, made again, and refused with one line that says what to do."""

import asyncio
import logging
import os
import time
from urllib.parse import quote

import aiohttp
import pytest
from pydantic import ValidationError

from citewell import AdapterError, DeliveryError
from citewell.chat import Asked
from citewell_slack.settings import SlackConfig


class Recorder:
    """A host that nothing is told."""

    def __init__(self, config):
        self.config = config


@pytest.fixture
def refused(serving):
    """Return why an adapter cannot serve."""

    async def why(**settings):
        with pytest.raises(AdapterError) as caught:
            async with serving(**settings):
                pass
        message = str(caught.value)
        assert "\n" not in message
        assert not any(secret in message for secret in ("wrong-secret", "double-"))
        return message

    return why


async def test_a_wrong_bot_token_is_said(refused):
    message = await refused(bot_token="xoxb-wrong-secret")

    assert (
        message == "slack does not take bot_token: invalid_auth; copy it anew from the app's page"
    )


async def test_a_wrong_app_token_is_said(refused):
    message = await refused(app_token="xapp-wrong-secret")

    assert (
        message == "slack does not take app_token: invalid_auth; copy it anew from the app's page"
    )


async def test_tokens_that_were_taken_for_each_other_are_said(refused, double):
    message = await refused(bot_token=double.app_token)

    assert message.startswith("slack does not take bot_token: ")


@pytest.mark.parametrize("scope", ["chat:write", "channels:history", "users:read"])
async def test_a_missing_scope_is_said(refused, double, scope):
    double.tokens.scopes.remove(scope)

    assert f"lacks the scope {scope}" in await refused()


async def test_a_feature_that_was_left_out_is_named(serving, double, caplog):
    double.tokens.scopes.remove("files:read")
    async with serving() as (adapter, _):
        assert adapter.is_connected

    assert "is off: files:read" in caplog.text


async def test_groups_need_their_scopes(serving, refused, double):
    double.tokens.scopes.remove("usergroups:read")

    assert "usergroups:read" in await refused(groups={"S1234567": ["people"]})
    async with serving() as (adapter, _):
        assert adapter.is_connected


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "expected bot_token, or oauth"),
        ({"bot_token": "x"}, 'mode = "socket" needs app_token'),
        ({"bot_token": "x", "mode": "http"}, 'mode = "http" needs signing_secret'),
        (
            {
                "bot_token": "x",
                "app_token": "x",
                "oauth": {"client_id": "1", "client_secret": "x"},
            },
            "not both",
        ),
    ],
)
def test_settings_that_could_never_connect_are_refused(settings, problem):
    with pytest.raises(ValidationError, match=problem):
        SlackConfig.model_validate(settings)


async def test_a_slack_that_is_down_is_waited_for(serving, double, monkeypatch, caplog):
    monkeypatch.setattr("citewell_slack.adapter._RETRY_S", 0.01)
    monkeypatch.setattr("citewell_slack.connecting._PING_S", 0.05)
    double.faults.break_down("auth.test", 503, times=2)
    double.faults.break_down("apps.connections.open", 503, times=2)
    with caplog.at_level(logging.WARNING):
        async with serving() as (adapter, _):
            assert adapter.is_connected

    assert caplog.text.count("tried again") == 4


@pytest.mark.parametrize("how", ["closed", "broken", "refresh"])
async def test_a_connection_that_breaks_is_made_again(
    serving, double, alice, monkeypatch, eventually, how
):
    monkeypatch.setattr("citewell_slack.connecting._PING_S", 0.05)
    async with serving() as (adapter, host):
        if how == "refresh":
            await double.sockets.refresh()
        else:
            await double.sockets.drop(how)
        await double.until(lambda: double.sockets.opened == 2 and double.sockets.open)
        await eventually(lambda: adapter.is_connected)
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()

    assert [type(one) for one in host.events] == [Asked]


async def test_an_address_that_leads_nowhere_is_not_tried_for_ever(
    serving, double, alice, monkeypatch, eventually
):
    monkeypatch.setattr("citewell_slack.connecting._PING_S", 0.05)
    async with serving() as (adapter, host):
        await double.sockets.drop("broken")
        double.sockets._tickets.clear()
        # Whatever is handed out now is no good any more when it is used.
        good = double.sockets.url
        double.sockets.url = lambda: f"ws://{double.sockets.address}/link/?ticket=used"
        await eventually(lambda: len(double.calls("apps.connections.open")) > 1)
        double.sockets.url = good
        await eventually(lambda: adapter.is_connected)
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()

    assert len(host.events) == 1


async def test_a_token_that_is_taken_away_ends_the_service(
    settings, opening, double, monkeypatch, eventually
):
    monkeypatch.setattr("citewell_slack.connecting._PING_S", 0.02)
    async with opening(settings()) as adapter:
        serve = asyncio.create_task(adapter.serve(Recorder(settings())))
        await eventually(lambda: adapter.is_connected)
        double.api.app_token = "xapp-another"
        double.sockets.cut()
        await asyncio.wait({serve}, timeout=10)

    with pytest.raises(AdapterError, match="app_token: invalid_auth"):
        serve.result()


async def test_the_address_of_slack_may_come_from_the_environment(serving, double, monkeypatch):
    monkeypatch.setenv("SLACK_API_URL", double.api_url.rstrip("/"))
    async with serving(api_url=None) as (adapter, _):
        assert adapter.is_connected


async def test_other_settings_of_bolt_in_the_environment_change_nothing(
    serving, double, alice, monkeypatch
):
    for name in ("BOT_TOKEN", "SIGNING_SECRET", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", "other")
    async with serving() as (_, host):
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()

    assert len(host.events) == 1


async def test_nothing_is_left_running(serving, double):
    async with serving() as (adapter, _):
        assert adapter.is_connected
    await asyncio.sleep(0)

    assert not adapter.is_connected
    assert asyncio.all_tasks() == {asyncio.current_task(), *_of_pytest(double)}


def _of_pytest(double):
    names = ("web_protocol", "RequestHandler", "double")
    return {one for one in asyncio.all_tasks() if any(name in repr(one) for name in names)}


# --- signed requests --------------------------------------------------------------------------


@pytest.fixture
async def signed(serving, double):
    http = {"mode": "http", "signing_secret": double.signing_secret, "http": {"port": 0}}
    async with serving(**http) as (adapter, host):
        url = f"http://127.0.0.1:{adapter.links.http.port}/slack/events"
        yield await double.deliver_to(url), host


async def test_signed_requests_are_heard(signed, double, alice, general):
    requests, host = signed
    alice.say(general, f"{double.mention} how many days?")
    await alice.command("/ask", "how many days?", channel=general).settled()
    await double.deliveries.idle()

    assert len(host.of(Asked)) == 2
    assert {*requests.statuses} == {200}


@pytest.mark.parametrize("spoil", ["secret", "age"])
async def test_a_wrong_or_stale_signature_is_refused(signed, double, alice, spoil):
    requests, host = signed
    if spoil == "secret":
        requests.signature.secret = "wrong-secret"
    else:
        requests.signature.age_s = 600
    delivery = alice.command("/ask", "how many days?", channel=alice.im)
    await delivery.settled()

    assert requests.statuses[-1] == 401
    assert host.events == []


async def test_a_request_without_a_signature_is_refused(signed):
    requests, host = signed
    body = {"type": "event_callback"}
    async with aiohttp.ClientSession() as session, session.post(requests.url, json=body) as answer:
        assert answer.status == 401

    assert host.events == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"\xff\xfe\xfa", {}),
        (b"{}", {"Content-Type": "text/plain; charset=foo"}),
        (b"{", {"Content-Type": "application/json"}),
        (b"[1]", {"Content-Type": "application/json"}),
        (b"payload=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"{}", {"X-Slack-Request-Timestamp": "abc", "X-Slack-Signature": "v0=1"}),
        (b"{}", {"X-Slack-Request-Timestamp": "9" * 5000}),
        (b"{}", {"X-Slack-Request-Timestamp": f"{time.time():.0f}", "X-Slack-Signature": "v0=ü"}),
    ],
)
async def test_what_nobody_signed_is_refused_whatever_it_is(signed, body, headers):
    requests, host = signed
    async with (
        aiohttp.ClientSession() as session,
        session.post(requests.url, data=body, headers=headers) as answer,
    ):
        assert (answer.status, await answer.text()) == (401, "")

    assert host.events == []


async def test_a_check_of_the_certificate_is_answered(signed):
    requests, _ = signed
    check = {"ssl_check": "1", "token": "x"}
    async with aiohttp.ClientSession() as session, session.post(requests.url, data=check) as answer:
        assert answer.status == 200


async def test_a_question_that_names_such_a_check_is_heard(signed, double, alice):
    _, host = signed
    link = {"type": "link", "url": "https://example.org/?a=1&ssl_check=1&b=2"}
    double.deliveries.hold()
    alice.say(alice.im, "what is at this address?")
    for delivery in double.deliveries._held:
        delivery.payload["event"]["blocks"] = [{"type": "rich_text", "elements": [link]}]
    double.deliveries.release()
    await double.deliveries.idle()

    assert [one.text for one in host.of(Asked)] == ["what is at this address?"]


async def test_what_cannot_be_kept_is_asked_for_again(signed, double, alice):
    requests, host = signed
    host.failures = 1
    alice.say(alice.im, "how many days?")
    await double.deliveries.idle()

    assert requests.statuses[-2:] == [500, 200]
    assert len(host.of(Asked)) == 1


async def test_an_address_that_is_taken_is_said(signed, refused, double):
    requests, _ = signed
    port = int(requests.url.split(":")[2].split("/")[0])
    message = await refused(mode="http", signing_secret=double.signing_secret, http={"port": port})

    assert f"cannot listen on 127.0.0.1:{port}" in message


# --- several workspaces -----------------------------------------------------------------------

# How slack_sdk shows who the app is.
_OLD_CLIENT = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")


@pytest.fixture
def multi(double):
    return {
        "bot_token": None,
        "http": {"port": 0},
        "oauth": {
            "client_id": double.installation.client_id,
            "client_secret": double.installation.client_secret,
        },
    }


def let_tokens_end(double, monkeypatch):
    """Let Slack give tokens that end, by its clock."""
    double.installation.rotates = True
    for name in ("slack_sdk.oauth.token_rotation.async_rotator", "citewell_slack.workspaces"):
        monkeypatch.setattr(f"{name}.time", lambda: double.clock.now)


async def install(adapter, team, person):
    """Do what somebody does who presses "Add to Slack"."""
    base = f"http://127.0.0.1:{adapter.links.http.port}/slack"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/install") as page:
            state = page.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
        headers = {"Cookie": f"slack-app-oauth-state={state}"}
        query = {"code": team.allow(person), "state": state}
        async with session.get(f"{base}/oauth_redirect", params=query, headers=headers) as done:
            return done.status


@_OLD_CLIENT
async def test_workspaces_install_the_app_and_are_answered_apart(serving, double, multi):
    other = double.add_team("Other")
    bob = other.add_person("bob")
    alice = double.add_person("alice")
    async with serving(**multi) as (adapter, host):
        assert await install(adapter, double, alice) == 200
        assert await install(adapter, other, bob) == 200
        alice.say(alice.im, "how many days?")
        bob.say(bob.im, "how many nights?")
        await double.deliveries.idle()
        assert {(one.venue.team, one.text) for one in host.events} == {
            (double.team, "how many days?"),
            (other.team, "how many nights?"),
        }
        for event in host.events:
            reply = await adapter.open_reply(event.address, "k")
            await reply.show([_said("an answer")], complete=True)
        assert [one.text for one in other.posted(bob.im)] == ["an answer"]
        assert [one.text for one in double.posted(alice.im)] == ["an answer"]
        assert [event async for event in adapter.missed(0)] != []

        other.uninstall()
        await double.deliveries.idle()
        bob.say(bob.im, "still there?")
        await double.deliveries.idle()

    assert len(host.events) == 2


@_OLD_CLIENT
async def test_tokens_that_end_are_renewed(serving, double, multi, alice, monkeypatch):
    double.installation.rotates = True
    async with serving(**multi) as (adapter, host):
        await install(adapter, double, alice)
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()
        before = [*double.tokens.bots]
        await double.clock.advance(42_000)
        monkeypatch.setattr(
            "slack_sdk.oauth.token_rotation.async_rotator.time", lambda: double.clock.now
        )
        reply = await adapter.open_reply(host.events[0].address, "k")
        await reply.show([_said("an answer")], complete=True)

    assert len(double.tokens.bots) == len(before) + 1
    assert [one.text for one in double.posted(alice.im)] == ["an answer"]


async def test_an_event_of_a_workspace_without_the_app_is_not_answered(serving, double, multi):
    alice = double.add_person("alice")
    async with serving(**multi) as (_, host):
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()

    assert host.events == []


@_OLD_CLIENT
async def test_only_workspaces_that_are_named_install_the_app(
    serving, double, multi, alice, caplog
):
    other = double.add_team("Other")
    bob = other.add_person("bob")
    multi["oauth"]["teams"] = [double.team]
    async with serving(**multi) as (adapter, host):
        assert await install(adapter, double, alice) == 200
        with caplog.at_level(logging.WARNING):
            assert await install(adapter, other, bob) == 500
        bob.say(bob.im, "how many nights?")
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()

    assert other.team in caplog.text
    assert [one.text for one in host.events] == ["how many days?"]


@_OLD_CLIENT
async def test_a_workspace_that_is_named_no_more_is_not_answered(serving, double, multi, alice):
    async with serving(**multi) as (adapter, _):
        await install(adapter, double, alice)
    multi["oauth"]["teams"] = ["T999"]
    async with serving(**multi) as (adapter, host):
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()
        assert [event async for event in adapter.missed(0)] == []

    assert host.events == []


@_OLD_CLIENT
async def test_tokens_of_users_that_end_leave_the_bot_its_own(serving, double, multi, alice):
    async with serving(**multi) as (adapter, host):
        await install(adapter, double, alice)
        revoked = {"oauth": [alice.id], "bot": []}
        double.events.other({"type": "tokens_revoked", "tokens": revoked})
        await double.deliveries.idle()
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()

    assert [one.text for one in host.events] == ["how many days?"]


@_OLD_CLIENT
async def test_an_installation_that_cannot_be_read_is_none(
    serving, double, multi, alice, tmp_path, caplog
):
    async with serving(**multi) as (adapter, host):
        await install(adapter, double, alice)
        (file,) = tmp_path.glob("installations/*/bot-latest")
        assert file.stat().st_mode & 0o077 == 0
        file.write_text(file.read_text()[:40])
        with caplog.at_level(logging.WARNING):
            alice.say(alice.im, "how many days?")
            await double.deliveries.idle()
        assert host.events == []
        await install(adapter, double, alice)
        alice.say(alice.im, "how many nights?")
        await double.deliveries.idle()

    assert "install the app again" in caplog.text
    assert [one.text for one in host.events] == ["how many nights?"]


@_OLD_CLIENT
async def test_a_token_that_is_not_renewed_is_used_until_it_ends(
    serving, double, multi, alice, monkeypatch
):
    let_tokens_end(double, monkeypatch)
    async with serving(**multi) as (adapter, host):
        await install(adapter, double, alice)
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()
        await double.clock.advance(42_000)
        double.faults.fail("oauth.v2.access", "internal_error", times=9)
        reply = await adapter.open_reply(host.events[0].address, "k")
        await reply.show([_said("an answer")], complete=True)
        assert len(double.calls("oauth.v2.access")) == 2

        await double.clock.advance(2_000)
        with pytest.raises(DeliveryError):
            await adapter.open_reply(host.events[0].address, "k")

    assert [one.text for one in double.posted(alice.im)] == ["an answer"]


@_OLD_CLIENT
async def test_a_new_token_that_cannot_be_saved_is_used_and_saved_later(
    serving, double, multi, alice, monkeypatch, tmp_path, caplog
):
    let_tokens_end(double, monkeypatch)
    async with serving(**multi) as (adapter, host):
        await install(adapter, double, alice)
        alice.say(alice.im, "how many days?")
        await double.deliveries.idle()
        (file,) = tmp_path.glob("installations/*/bot-latest")
        before = file.read_text()
        in_the_way = file.with_name("bot-new")
        in_the_way.mkdir()
        await double.clock.advance(42_000)
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                await adapter.open_reply(host.events[0].address, "k")
        assert file.read_text() == before
        await double.clock.advance(2_000)
        in_the_way.rmdir()
        reply = await adapter.open_reply(host.events[0].address, "k")
        await reply.show([_said("an answer")], complete=True)

    assert caplog.text.count("cannot be saved yet") == 1
    # One for the installation, one for the token that takes its place.
    assert len(double.calls("oauth.v2.access")) == 2
    assert [one.text for one in double.posted(alice.im)] == ["an answer"]
    assert file.read_text() != before


@_OLD_CLIENT
@pytest.mark.parametrize("state", ["../secret", "x/../../secret", "a\0b", "a" * 300, "nope"])
async def test_a_state_that_nobody_issued_opens_and_deletes_nothing(
    serving, double, multi, tmp_path, state
):
    (tmp_path / "states" / "x").mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text(str(time.time()))
    async with serving(**multi) as (adapter, _):
        url = f"http://127.0.0.1:{adapter.links.http.port}/slack/oauth_redirect"
        headers = {"Cookie": f"slack-app-oauth-state={quote(state)}"}
        query = {"code": "1", "state": state}
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params=query, headers=headers) as page,
        ):
            assert page.status in {400, 401}

    assert secret.exists()
    assert double.calls("oauth.v2.access") == []


async def test_installations_that_nobody_goes_on_with_leave_nothing(
    serving, double, multi, tmp_path
):
    old = tmp_path / "states" / "old"
    old.parent.mkdir()
    old.write_text("1")
    os.utime(old, (1, 1))
    async with serving(**multi) as (adapter, _):
        url = f"http://127.0.0.1:{adapter.links.http.port}/slack/install"
        async with aiohttp.ClientSession() as session, session.get(url) as page:
            assert page.status == 200

    assert old not in [*old.parent.iterdir()]
    assert len([*old.parent.iterdir()]) == 1


def _said(words):
    from citewell.blocks import Span, Text

    return [Text((Span(words),))]
