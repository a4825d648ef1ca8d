"""Takes secrets out of what is logged, recorded or shown."""

from __future__ import annotations

import logging
import re
from functools import cache

_HIDDEN = "***"
_SHORTEST = 6

_secrets: set[str] = set()


def remember(secret: str) -> None:
    """Let `redact` take out `secret` from now on."""
    if len(secret) >= _SHORTEST:
        _secrets.add(secret)


def redact(text: str) -> str:
    """Return `text` without the secrets of the settings, and what has the form of one."""
    # The longest first: one may begin like another.
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _forms().sub(_HIDDEN, text)


@cache
def _forms() -> re.Pattern[str]:
    """Return what keys look like: OpenAI and Anthropic, Slack, AWS, Discord, and HTTP headers."""
    return re.compile(
        r"\bsk-[\w-]{8,}"
        r"|\bx(?:ox[abeprs]|app)-[\w-]{8,}"
        r"|\bAKIA[0-9A-Z]{16}\b"
        r"|\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}"
        r"|(?<=[Bb]earer )[\w.~+/=-]{8,}"
    )


class Redacting(logging.Formatter):
    """Formats a record, its traceback included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of the record."""
        return redact(super().format(record))
