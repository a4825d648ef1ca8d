"""Registers the adapter; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pydantic import Field, SecretStr

from citewell import AdapterSpec, ApiUrl, Context, hookimpl
from citewell.chat import Adapter, ChatConfig, Rehearsal


class TelegramConfig(ChatConfig):
    """Settings of `telegram`."""

    token: SecretStr = Field(description="of the bot, as BotFather gives it")
    api_url: ApiUrl = Field(
        default="https://api.telegram.org", description="another server of the Bot API"
    )
    hand_off: str | None = Field(
        default=None, description="id of the group whose people are asked instead of the assistant"
    )
    pace_s: float = Field(
        default=3.0,
        ge=0.05,
        description="seconds between two changes of a reply; in a group Telegram takes 20 a minute",
    )


@asynccontextmanager
async def build(config: TelegramConfig, context: Context) -> AsyncIterator[Adapter]:
    """Open the adapter; nothing is connected yet."""
    from citewell_telegram.adapter import TelegramAdapter
    from citewell_telegram.calls import opened

    async with opened(config) as calls:
        yield TelegramAdapter(calls, config, context)


@asynccontextmanager
async def rehearsal() -> AsyncIterator[Rehearsal]:
    """Open a stand-in for the Bot API on this machine."""
    from citewell_telegram.standin.rehearsal import rehearsed

    async with rehearsed() as opened:
        yield opened


@hookimpl
def register_adapters() -> Iterable[AdapterSpec[TelegramConfig]]:
    """Offer Telegram."""
    return (
        AdapterSpec(
            name="telegram",
            summary="answers in groups and direct conversations of Telegram",
            config=TelegramConfig,
            build=build,
            rehearsal=rehearsal,
        ),
    )
