"""`citewell run` says in one line what keeps it from answering, and does not start again."""

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager

import pytest

from assistants import write_handbook
from citewell_discord.testing import DiscordDouble
from citewell_slack.testing import Clock, SlackDouble

RUN = "from citewell.cli.main import main; main()"
WITHOUT = "import sys; sys.modules['{}'] = None; "
MODEL = """
[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""


async def refused(folder, settings, *, before="", **secrets):
    """Return the line that a process ends with, which must be one, with exit code 2."""
    config = write_handbook(folder, settings + MODEL)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", before + RUN, "run", "--config", str(config)),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **secrets},
    )
    try:
        async with asyncio.timeout(60):
            out, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    told = complaints.decode()
    lines = [one for one in told.splitlines() if one.startswith("error: ")]
    assert "Traceback" not in told + out.decode()
    assert "wrong-secret" not in told
    assert process.returncode == 2, told
    assert len(lines) == 1, told
    return lines[0].removeprefix("error: ")


# --- Slack -------------------------------------------------------------------------------------


@asynccontextmanager
async def slack(more="", **changed):
    """Yield a double, settings that lead to it, and the secrets that they name."""
    async with SlackDouble(clock=Clock(runs=True)) as double:
        settings = f"""
[adapter.slack]
use = "slack"
bot_token = {{ env = "TEST_BOT_TOKEN" }}
app_token = {{ env = "TEST_APP_TOKEN" }}
api_url = "{double.api_url}"
{more}
"""
        secrets = {"TEST_BOT_TOKEN": double.bot_token, "TEST_APP_TOKEN": double.app_token}
        yield double, settings, secrets | changed


@pytest.mark.parametrize("name", ["TEST_BOT_TOKEN", "TEST_APP_TOKEN"])
async def test_slack_without_a_token(tmp_path, name):
    async with slack() as (_, settings, secrets):
        del secrets[name]
        told = await refused(tmp_path, settings, **secrets)

    assert "adapter.slack" in told
    assert name in told
    assert "is empty or unset" in told


async def test_slack_without_any_token_in_the_settings(tmp_path):
    told = await refused(tmp_path, '[adapter.slack]\nuse = "slack"\n')

    assert "citewell.toml" in told
    assert "adapter.slack" in told
    assert "expected bot_token" in told


@pytest.mark.parametrize(
    ("name", "setting"), [("TEST_BOT_TOKEN", "bot_token"), ("TEST_APP_TOKEN", "app_token")]
)
async def test_slack_with_a_wrong_token(tmp_path, name, setting):
    async with slack(**{name: f"{setting[0]}-wrong-secret"}) as (_, settings, secrets):
        told = await refused(tmp_path, settings, **secrets)

    assert f"slack does not take {setting}: invalid_auth; copy it anew" in told


async def test_slack_with_the_two_tokens_swapped(tmp_path):
    async with slack() as (_, settings, secrets):
        bot, app = secrets.values()
        told = await refused(tmp_path, settings, TEST_BOT_TOKEN=app, TEST_APP_TOKEN=bot)

    assert "bot_token" in told


@pytest.mark.parametrize("scope", ["chat:write", "users:read"])
async def test_slack_without_a_scope(tmp_path, scope):
    async with slack() as (double, settings, secrets):
        double.tokens.scopes.remove(scope)
        told = await refused(tmp_path, settings, **secrets)

    assert f"lacks the scope {scope}; create the app" in told


async def test_slack_with_an_unknown_channel_to_hand_off_to(tmp_path):
    async with slack('hand_off = { channel = "C404" }') as (_, settings, secrets):
        told = await refused(tmp_path, settings, **secrets)

    assert "hand_off.channel: slack shows the bot no channel C404; correct the id" in told


async def test_slack_without_a_signing_secret_in_http_mode(tmp_path):
    async with slack('mode = "http"') as (_, settings, secrets):
        told = await refused(tmp_path, settings, **secrets)

    assert 'mode = "http" needs signing_secret, from "Basic Information"' in told


async def test_slack_with_a_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        more = f"""mode = "http"
signing_secret = {{ env = "TEST_SIGNING_SECRET" }}
http = {{ port = {port} }}
"""
        async with slack(more, TEST_SIGNING_SECRET="s") as (_, settings, secrets):
            told = await refused(tmp_path, settings, **secrets)

    assert f"slack cannot listen on 127.0.0.1:{port}: " in told
    assert "set http.host and http.port" in told


# --- Discord -----------------------------------------------------------------------------------


@asynccontextmanager
async def discord(more="", **changed):
    """Yield a double, settings that lead to it, and the secrets that they name."""
    async with DiscordDouble() as double:
        settings = f"""
[adapter.discord]
use = "discord"
token = {{ env = "TEST_TOKEN" }}
api_url = "{double.api_url}"
gateway_url = "{double.gateway_url}"
{more}
"""
        yield double, settings, {"TEST_TOKEN": double.token} | changed


async def test_discord_without_a_token(tmp_path):
    async with discord() as (_, settings, _):
        told = await refused(tmp_path, settings)

    assert "adapter.discord" in told
    assert "TEST_TOKEN" in told
    assert "is empty or unset" in told


async def test_discord_without_any_token_in_the_settings(tmp_path):
    told = await refused(tmp_path, '[adapter.discord]\nuse = "discord"\n')

    assert "adapter.discord.token" in told


async def test_discord_with_a_wrong_token(tmp_path):
    async with discord(TEST_TOKEN="wrong-secret") as (_, settings, secrets):
        told = await refused(tmp_path, settings, **secrets)

    assert "token: discord does not know it; copy it again" in told


@pytest.mark.parametrize(
    ("setting", "intent"),
    [("message_content = true", "Message Content"), ("server_members = true", "Server Members")],
)
async def test_discord_without_an_intent(tmp_path, setting, intent):
    async with discord(setting) as (double, settings, secrets):
        double.world.enabled = 0
        told = await refused(tmp_path, settings, **secrets)

    assert f"discord does not grant the intent {intent}; switch it on" in told


@pytest.mark.parametrize("channel", ["404", "help"])
async def test_discord_with_an_unknown_channel_to_hand_off_to(tmp_path, channel):
    async with discord(f'hand_off = {{ channel = "{channel}" }}') as (_, settings, secrets):
        told = await refused(tmp_path, settings, **secrets)

    assert f"hand_off.channel: discord shows the bot no channel {channel}; correct the id" in told


# --- both --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "missing", "package"),
    [
        (slack, "slack_bolt", "slack-bolt"),
        (slack, "aiohttp", "slack-bolt"),
        (discord, "discord", "discord.py"),
    ],
)
async def test_without_its_extra(tmp_path, service, missing, package):
    async with service() as (_, settings, secrets):
        told = await refused(tmp_path, settings, before=WITHOUT.format(missing), **secrets)

    assert f'needs {package}, which is not installed; run: pip install "citewell[' in told
    assert f'"citewell[{service.__name__}]"' in told


async def test_where_one_service_refuses_the_other_is_named_by_nobody(tmp_path):
    async with (
        slack(TEST_BOT_TOKEN="x-wrong-secret") as (_, one, some),
        discord() as (_, other, more),
    ):
        told = await refused(tmp_path, one + other, **some, **more)

    assert "slack does not take bot_token" in told
