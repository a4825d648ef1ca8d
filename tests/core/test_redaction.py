"""A key is in no log, traceback, explanation or journal."""

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

import openai_server as api
from assistants import answers, assistant, write_handbook
from citewell.cli.main import run
from citewell.redaction import Redacting, redact, remember

KEY = "canary-key-of-no-known-form-4711"
SETTINGS = """
[model.cloud]
use = "litellm"
model = "openai/test"
api_key = {{ env = "CLOUD_KEY" }}
api_base = "{url}"
retries = 0
patience_s = 2

[profile.default]
retriever = "main"
model = "cloud"
"""


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("CLOUD_KEY", KEY)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:s3cret@docs.example.com/a", "https://***@docs.example.com/a"),
        ("postgresql://app:p%40ss@db/app", "postgresql://***@db/app"),
        ("https://docs.example.com:8080/a@b", "https://docs.example.com:8080/a@b"),
        ("ssh://git@example.com/a.git", "ssh://git@example.com/a.git"),
    ],
)
def test_the_password_in_an_address_is_taken_out(text, shown):
    assert redact(f'cannot read "{text}"') == f'cannot read "{shown}"'


async def test_what_a_service_echoes_is_recorded_without_the_key(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with (
        api.serving() as server,
        assistant(tmp_path, SETTINGS.format(url=server.url)) as (asked, kept),
    ):
        server.respond = api.fail(401, f"Incorrect API key provided: {KEY}")
        answer = (await answers(asked))[-1]

    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(to_builtins(kept.records[0]))
    assert "***" in kept.records[0].errors[0]
    assert KEY not in answer.notice
    assert KEY not in caplog.text


def test_the_command_line_shows_and_stores_no_key(tmp_path, monkeypatch, capsys):
    config = write_handbook(tmp_path, SETTINGS.format(url="http://127.0.0.1:9/v1"))
    monkeypatch.chdir(config.parent)
    monkeypatch.setenv("CITEWELL_DEBUG", "1")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    run(["sync"])
    run(["ask", "How many days of leave?"])

    shown = capsys.readouterr()
    assert "cloud" in shown.err
    assert KEY not in shown.out + shown.err
    for path in config.parent.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_a_traceback_is_formatted_without_secrets():
    remember(KEY)
    try:
        int(KEY)
    except ValueError:
        record = logging.LogRecord("a", 40, "", 1, "failed with %s", (KEY,), sys.exc_info())

    shown = Redacting(logging.BASIC_FORMAT).format(record)

    assert "Traceback" in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop",
        "sk-ant-api03-abcdefghijklmnop",
        "xoxb-123456789012-abcdefghijkl",
        "xapp-1-A0123-abcdefghijkl",
        "AKIAIOSFODNN7EXAMPLE",
        "Bearer abcdefghijklmnop",
    ],
)
def test_what_has_the_form_of_a_key_is_taken_out(secret):
    assert redact(f"with {secret}, said the server").count(secret.split()[-1]) == 0


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_remembered_secret_never_comes_through(before, after):
    remember(KEY)

    assert KEY not in redact(f"{before}{KEY}{after}")


async def test_a_long_echo_does_not_cut_the_key_in_two(tmp_path):
    async with (
        api.serving() as server,
        assistant(tmp_path, SETTINGS.format(url=server.url)) as (asked, kept),
    ):
        for length in range(250, 300, 7):
            server.respond = api.fail(401, "x" * length + KEY)
            await answers(asked)

    assert "canary-key" not in str([to_builtins(record) for record in kept.records])


def test_a_key_that_only_the_environment_names_is_taken_out(monkeypatch):
    monkeypatch.setenv("SOME_PROVIDER_API_KEY", "canary-of-a-provider")
    monkeypatch.setenv("SOME_FLAG_KEY", "on")

    assert redact("it says canary-of-a-provider, go on") == "it says ***, go on"
