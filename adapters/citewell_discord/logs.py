"""What discord.py logs, without what nobody may read: tokens of interactions are in addresses."""

from __future__ import annotations

import logging
import re
from typing import Final

# Filters hold for the very logger alone, not for those below it.
_NAMES: Final = (
    "discord.http",
    "discord.gateway",
    "discord.client",
    "discord.webhook",
    "discord.webhook.async_",
)
_TOKEN: Final = re.compile(r"(/(?:interactions|webhooks)/\d+/)[^/\s?'\"]+")


def redacted(text: str) -> str:
    """Return text in which addresses have no token."""
    return _TOKEN.sub(r"\1***", text)


class _Redacting(logging.Filter):
    """Takes tokens out of what is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        told = record.getMessage()
        clean = redacted(told)
        if clean != told:
            record.msg, record.args = clean, ()
        return True


_REDACTING: Final = _Redacting()


def quieten() -> None:
    """Let discord.py log warnings alone, whatever else is logged: below them are whole messages."""
    for name in _NAMES:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
        logger.addFilter(_REDACTING)
