"""Slack does what every chat service must, in its stand-in."""

import pytest

from citewell.testing import AdapterContract


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    """Let answers grow without bounds: many scenarios of one minute share an adapter."""
    for name in ("_STREAMS", "_CHANGES", "_APPENDS"):
        monkeypatch.setattr(f"citewell_slack.budgets.{name}", 1_000_000)


class TestSlack(AdapterContract):
    name = "slack"
