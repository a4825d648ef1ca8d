"""Registers the adapter `discord` and the command of its name; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from citewell import AdapterSpec, CommandSpec, Context, MissingExtra, hookimpl
from citewell.chat import Adapter, Rehearsal
from citewell_discord.config import DiscordConfig

if TYPE_CHECKING:
    import click


@asynccontextmanager
async def build(config: DiscordConfig, context: Context) -> AsyncIterator[Adapter]:
    """Open the adapter; nothing is connected yet.

    Raises:
        MissingExtra: discord.py is not installed.
        AdapterError: another adapter of this process speaks to another address.
    """
    if find_spec("discord") is None:
        raise MissingExtra(f'adapter "{context.name}"', package="discord.py", extra="discord")
    from citewell_discord.adapter import DiscordAdapter
    from citewell_discord.pointing import pointed

    with pointed(config):
        yield DiscordAdapter(config, context)


@asynccontextmanager
async def rehearsal() -> AsyncIterator[Rehearsal]:
    """Open a Discord on this machine.

    Raises:
        MissingExtra: discord.py, or what comes with it, is not installed.
    """
    if find_spec("discord") is None:
        raise MissingExtra("the rehearsal of discord", package="discord.py", extra="discord")
    from citewell_discord.testing.rehearsal import DiscordRehearsal

    async with DiscordRehearsal() as opened:
        yield opened


@hookimpl
def register_adapters() -> Iterable[AdapterSpec[Any]]:
    """Offer `discord`."""
    return (
        AdapterSpec(
            name="discord",
            summary="answers in Discord: mentions, direct messages, threads, forums and /ask",
            config=DiscordConfig,
            build=build,
            rehearsal=rehearsal,
            extra="discord",
        ),
    )


@hookimpl
def register_commands() -> Iterable[CommandSpec]:
    """Offer `citewell discord`."""
    return (CommandSpec(name="discord", summary="Set the Discord bot up.", load=_command),)


def _command() -> click.Command:
    from citewell_discord.command import command

    return command
