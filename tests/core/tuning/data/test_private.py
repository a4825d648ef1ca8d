"""Secrets and personal data are found, plain talk about them is not, and nobody is asked."""

import socket

import pytest

from citewell.errors import ConfigError
from citewell.tuning.data.private import Private
from citewell.tuning.data.problems import shown

SECRETS = {
    "AKIAIOSFODNN7EXAMPLE": "aws",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a": "github",
    "xoxb-123456789012-1234567890123-abcdefghijklmnopqrstuvwx": "slack",
    "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD": "key",
    "postgres://bob:s3cr3tpw@db.example.com/x": "basic auth",
    "-----BEGIN RSA PRIVATE KEY-----": "private key",
    'password = "correct-horse-battery"': "secret keyword",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVm": "web",
}
TALK = [
    "My password does not work, what now?",
    "Password: see the page of the intranet",
    "The secret of good service is patience.",
    "The API key is in the vault, and its name is PAYMENTS_KEY.",
    "Order 4111 1111 1111 1112 of 2024-03-11, build 20240311123456789",
    "IBAN DE89 3704 0044 0532 0130 01 is wrong",
    "Ask support@acme.de or somebody@example.com",
    "Version 1.2.3.4, 1234567890123456, 000-12-3456 and 28 days",
]
PERSONAL = {
    "Write to bob.miller@acme.de": "e-mail address",
    "Call +49 30 901820 tomorrow": "phone number",
    "Pay to DE89 3704 0044 0532 0130 00 today": "bank account",
    "Card 4111 1111 1111 1111": "payment card",
    "His number is 536-90-4399.": "social security number",
}


@pytest.fixture(scope="module")
def private():
    with Private() as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Let whoever wants to ask a service fail."""

    def refuse(*_):
        raise AssertionError("something wanted to connect")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_found_and_not_told(private, text):
    found = [*private.secrets(f"Hello,\nuse {text} please.")]

    assert any(SECRETS[text] in kind for kind in found)
    assert not any(text in kind for kind in found)


@pytest.mark.parametrize("text", PERSONAL)
def test_what_identifies_somebody_is_found(private, text):
    assert [*private.personal(text)] == [PERSONAL[text]]


@pytest.mark.parametrize("text", TALK)
def test_talk_about_them_is_neither(private, text):
    assert [*private.secrets(text)] == []
    assert [*private.personal(text)] == []


def test_a_phone_number_without_a_country_is_one_where_it_is_known():
    text = "Call (212) 736-5000 tomorrow"

    with Private() as nowhere, Private("US") as there:
        assert [*nowhere.personal(text)] == []
        assert [*there.personal(text)] == ["phone number"]


def test_a_country_is_one_however_it_is_written():
    with Private("us") as there:
        assert [*there.personal("Call (212) 736-5000 tomorrow")] == ["phone number"]
    with pytest.raises(ConfigError, match='"Mars" is no country of phone numbers'):
        Private("Mars")


def test_a_value_in_a_message_is_no_secret():
    assert "16C7e42F292c6912E7710c838347Ae178B4a" not in shown(
        "the ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    )
    assert shown("what people say") == "what people say"
