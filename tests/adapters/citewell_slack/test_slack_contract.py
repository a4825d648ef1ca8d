"""Slack does what every chat service must, in its stand-in."""

from citewell.testing import AdapterContract


class TestSlack(AdapterContract):
    name = "slack"
