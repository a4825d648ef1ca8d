"""What every adapter must do, in the stand-in for the Bot API."""

from __future__ import annotations

from citewell.testing import AdapterContract


class TestTelegram(AdapterContract):
    name = "telegram"
