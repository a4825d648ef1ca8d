"""Calls of the Bot API, whose failures are told in the words of Citewell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from telegram import Bot
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from citewell import AdapterError, DeliveryError, redact
from citewell_telegram.plugin import TelegramConfig

POLL_S = 50
"""How long Telegram keeps a call waiting for something to happen."""


@asynccontextmanager
async def opened(config: TelegramConfig) -> AsyncIterator[Bot]:
    """Open the client; nothing is called yet."""
    waiting = HTTPXRequest(connection_pool_size=1, read_timeout=10)
    calling = HTTPXRequest(connection_pool_size=16, read_timeout=20, pool_timeout=30)
    try:
        yield Bot(
            config.token.get_secret_value(),
            base_url=f"{config.api_url}/bot",
            base_file_url=f"{config.api_url}/file/bot",
            request=calling,
            get_updates_request=waiting,
        )
    except InvalidToken as error:
        raise AdapterError("token: Telegram knows no such bot; BotFather gives another") from error
    finally:
        await waiting.shutdown()
        await calling.shutdown()


@contextmanager
def told() -> Iterator[None]:
    """Raise what Telegram refuses as a `DeliveryError`."""
    try:
        yield
    except RetryAfter as error:
        raise DeliveryError(
            "Telegram wants fewer calls", passes=True, retry_after_s=_seconds(error)
        ) from error
    except (BadRequest, Forbidden, InvalidToken) as error:
        raise DeliveryError(f"Telegram refuses: {_said(error)}", passes=False) from error
    except NetworkError as error:
        raise DeliveryError(f"Telegram does not answer: {_said(error)}", passes=True) from error
    except TelegramError as error:
        raise DeliveryError(f"Telegram refuses: {_said(error)}", passes=False) from error


def _said(error: TelegramError) -> str:
    return redact(error.message)


def _seconds(error: RetryAfter) -> float:
    # The attribute warns that it will be of another type; pickling tells the number by itself.
    _, (seconds,) = error.__reduce__()
    return float(seconds)
