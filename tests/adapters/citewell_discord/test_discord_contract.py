"""Discord does what every chat service must, in its stand-in."""

from citewell.testing import AdapterContract


class TestDiscord(AdapterContract):
    name = "discord"
