"""Takes secrets out of what is logged, recorded or shown."""

from __future__ import annotations

import logging
import os
import re
from functools import cache

_HIDDEN = "***"
_SHORTEST = 6
# Libraries take keys from variables that no setting names.
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$", re.IGNORECASE)
_SHORTEST_UNNAMED = 12

_secrets: set[str] = set()


def remember(secret: str) -> None:
    """Let `redact` take out `secret` from now on."""
    if len(secret) >= _SHORTEST:
        _secrets.add(secret)


def redact(text: str) -> str:
    """Return `text` without secrets: of the settings, of the environment, and what looks like one.

    Whoever cuts a text that somebody else wrote does it after: half a secret is not recognised.
    """
    # The longest first: one may begin like another.
    for secret in sorted(_secrets | _of_environment(), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _forms().sub(_HIDDEN, text)


def _of_environment() -> set[str]:
    return {
        value
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST_UNNAMED and _SECRET_NAME.search(name)
    }


@cache
def _forms() -> re.Pattern[str]:
    """Return what keys look like: OpenAI and Anthropic, Slack, AWS, Discord, HTTP headers, URLs."""
    return re.compile(
        r"\bsk-[\w-]{8,}"
        r"|\bx(?:ox[abeprs]|app)-[\w-]{8,}"
        r"|\bAKIA[0-9A-Z]{16}\b"
        r"|\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}"
        r"|(?<=[Bb]earer )[\w.~+/=-]{8,}"
        r"|(?<=://)[^\s/?#@\"]*:[^\s/?#@\"]+(?=@)"
    )


class Redacting(logging.Formatter):
    """Formats a record, its traceback included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of the record."""
        return redact(super().format(record))
