"""The invitation asks for no more than the settings need."""

import base64
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
from click.testing import CliRunner

from citewell import ConfigError
from citewell_discord.client import intents
from citewell_discord.command import command
from citewell_discord.config import DiscordConfig
from citewell_discord.inviting import client_id_of, rights

LEAST = {"read_messages", "send_messages", "read_message_history"}
IN_THREADS = {"create_public_threads", "send_messages_in_threads"}


def config(**settings):
    return DiscordConfig.model_validate({"token": "t", **settings})


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({"threads": False}, set()),
        ({}, IN_THREADS),
        ({"threads": False, "forums": {"1": {}}}, {"send_messages_in_threads"}),
        (
            {"threads": False, "forums": {"1": {"solved_tag": "solved"}}},
            {"send_messages_in_threads", "manage_threads"},
        ),
    ],
)
def test_rights_follow_from_the_settings(settings, more):
    granted = discord.Permissions(int(rights(config(**settings))))

    assert {name for name, value in granted if value} == LEAST | more


@pytest.mark.parametrize(
    ("settings", "privileged"),
    [
        ({}, set()),
        ({"message_content": True}, {"message_content"}),
        ({"groups": {"1": ["a"]}}, {"members"}),
        ({"groups": {"1": ["a"]}, "server_members": False}, set()),
    ],
)
def test_privileged_intents_are_asked_for_only_when_they_are_needed(settings, privileged):
    wanted = intents(config(**settings))

    ordinary = {"guilds", "guild_messages", "dm_messages"}
    assert {name for name, value in wanted if value} == ordinary | privileged


def test_a_token_tells_whose_it_is():
    first = base64.b64encode(b"1234567890").decode().rstrip("=")

    assert client_id_of(f"{first}.x.y") == "1234567890"
    assert client_id_of("nonsense.x.y") is None
    assert client_id_of("") is None


def run(*arguments, **environment):
    return CliRunner(env=environment).invoke(command, ["invite", *arguments])


def asked(result):
    assert result.exit_code == 0, result.output
    return {key: value[0] for key, value in parse_qs(urlsplit(result.output.strip()).query).items()}


def test_the_invitation_names_bot_and_rights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    query = asked(run("--client-id", "42"))
    assert query == {
        "client_id": "42",
        "permissions": str(int(rights(config()))),
        "scope": "bot applications.commands",
    }


def test_the_settings_of_the_section_count(tmp_path, monkeypatch):
    text = '[adapter.support]\nuse = "discord"\nthreads = false\ntoken = { env = "T" }\n'
    (tmp_path / "citewell.toml").write_text(text, encoding="utf-8")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    token = base64.b64encode(b"77").decode() + ".x.y"

    query = asked(run(T=token))
    assert query["client_id"] == "77"
    assert query["permissions"] == str(int(rights(config(threads=False))))


def test_a_token_in_a_file_is_read(tmp_path):
    (tmp_path / "token").write_text(base64.b64encode(b"78").decode() + ".x.y\n", encoding="utf-8")
    path = tmp_path / "citewell.toml"
    path.write_text('[adapter.discord]\ntoken = { file = "token" }\n', encoding="utf-8")

    assert asked(run("--config", str(path)))["client_id"] == "78"


def test_without_an_id_the_fix_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run()

    assert result.exit_code == 2
    assert "--client-id" in result.output


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("[adapter.discord]\nthread = false\n", (), "thread: extra inputs"),
        ("[adapter", (), "cannot be read"),
        ('adapter = "x"\n', (), "adapter: expected tables"),
        ('[adapter.a]\nuse = "discord"\n[adapter.b]\nuse = "discord"\n', (), "name one with"),
        ("[adapter.discord]\n", ("--adapter", "x"), "adapter.x: no such section"),
    ],
)
def test_wrong_settings_are_named(tmp_path, text, arguments, words):
    path = tmp_path / "citewell.toml"
    path.write_text(text, encoding="utf-8")
    result = run("--config", str(path), "--client-id", "1", *arguments)

    assert isinstance(result.exception, ConfigError)
    assert words in str(result.exception)


def test_an_id_has_digits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert "expected digits" in run("--client-id", "me").output


def test_help_shows_examples():
    shown = CliRunner().invoke(command, ["invite", "--help"]).output

    assert "citewell discord invite --client-id 1234567890" in shown
