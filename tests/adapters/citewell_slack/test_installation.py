"""One app in several workspaces, installed through bolt's own OAuth."""

import re

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@pytest.fixture
async def app(double, tmp_path):
    """A real app that is installed nowhere yet, behind its URL; it answers each mention."""
    settings = AsyncOAuthSettings(
        client_id=double.installation.client_id,
        client_secret=double.installation.client_secret,
        scopes=["chat:write"],
        installation_store=FileInstallationStore(base_dir=str(tmp_path / "installed")),
        state_store=FileOAuthStateStore(expiration_seconds=600, base_dir=str(tmp_path / "states")),
    )
    app = AsyncApp(
        client=AsyncWebClient(base_url=double.api_url),
        signing_secret=double.signing_secret,
        oauth_settings=settings,
    )

    @app.event("app_mention")
    async def answer(event, say):
        await say(f"28, {event['user']}")

    runner = web.AppRunner(app.web_app(path="/slack/events"), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await double.deliver_to(f"{url}/slack/events")
    yield url
    await runner.cleanup()


async def install(url, team, person):
    """Go the way of somebody who installs the app; return the status of the last page."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(f"{url}/slack/install") as page:
            state = re.search(r"state=([\w-]+)", await page.text())[1]
            cookies = {key: one.value for key, one in page.cookies.items()}
        query = {"code": team.allow(person), "state": state}
        redirect = f"{url}/slack/oauth_redirect"
        async with session.get(redirect, params=query, cookies=cookies) as done:
            return done.status


async def test_each_workspace_is_answered_with_its_own_token(double, app):
    other = double.add_team("Other")
    asked = []
    for team in (double, other):
        person = team.add_person("alice")
        channel = team.add_channel("general", [person])
        assert await install(app, team, person) == 200
        person.say(channel, f"{team.mention} how many?")
        asked.append((team, channel, person))

    for team, channel, person in asked:
        await double.until(lambda team=team, channel=channel: team.posted(channel))
        (message,) = team.posted(channel)
        assert message.text == f"28, {person.id}"
    tokens = {call.token for call in double.calls("chat.postMessage")}
    assert tokens == {double.tokens.bots[-1], other.bot_token}


async def test_a_workspace_without_the_app_is_silent(double):
    other = double.add_team("Other")
    alice = other.add_person("alice")

    alice.say(other.add_channel("general", [alice]), f"{other.mention} how many?")

    assert double.deliveries.log == []


async def test_what_is_uninstalled_is_told_and_then_silent(double, app):
    other = double.add_team("Other")
    alice = other.add_person("alice")
    channel = other.add_channel("general", [alice])
    await install(app, other, alice)
    token = other.bot_token

    other.uninstall()
    alice.say(channel, f"{other.mention} how many?")

    assert [one.event["type"] for one in double.deliveries.log] == [
        "tokens_revoked",
        "app_uninstalled",
    ]
    with pytest.raises(Exception, match="invalid_auth"):
        await AsyncWebClient(token=token, base_url=double.api_url).auth_test()


async def test_one_workspace_cannot_see_another(double, client, refused):
    other = double.add_team("Other")
    channel = other.add_channel("general")

    assert await refused(client.conversations_info(channel=channel.id)) == "channel_not_found"


async def test_a_rotated_token_ends_and_is_refreshed(double, alice, refused):
    double.installation.rotates = True
    client = AsyncWebClient(base_url=double.api_url)
    secret = {
        "client_id": double.installation.client_id,
        "client_secret": double.installation.client_secret,
    }
    granted = await client.oauth_v2_access(**secret, code=double.allow(alice))
    await double.clock.advance(granted["expires_in"])

    old = AsyncWebClient(token=granted["access_token"], base_url=double.api_url)
    again = await client.oauth_v2_access(
        **secret, grant_type="refresh_token", refresh_token=granted["refresh_token"]
    )
    new = AsyncWebClient(token=again["access_token"], base_url=double.api_url)

    assert await refused(old.auth_test()) == "token_expired"
    assert (await new.auth_test())["team_id"] == double.team
