"""Registers what there is for Discord; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from citewell import (
    AdapterSpec,
    CommandSpec,
    Config,
    Context,
    Loader,
    LoaderSpec,
    Membership,
    MissingExtra,
    Source,
    SourceSpec,
    hookimpl,
)
from citewell.chat import Adapter, Rehearsal
from citewell_discord.config import DiscordConfig
from citewell_discord.history_config import SUFFIX, DiscordHistoryConfig, ThreadConfig, label

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
async def build_history(config: DiscordHistoryConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; Discord is asked at each sync.

    Raises:
        MissingExtra: discord.py is not installed.
        AdapterError: an adapter of this process speaks to another address.
    """
    if find_spec("discord") is None:
        raise MissingExtra(f'library "{context.name}"', package="discord.py", extra="discord")
    from citewell_discord.history import opened
    from citewell_discord.pointing import pointed

    with pointed(config):
        async with opened(config, context) as source:
            yield source


@asynccontextmanager
async def build_thread(_config: Config, _context: Context) -> AsyncIterator[Loader]:
    """Open the loader of what the source hands over."""
    from citewell.conversations import TranscriptLoader

    yield TranscriptLoader()


def memberships(config: DiscordHistoryConfig) -> tuple[Membership, ...]:
    """Return who may read what is said in a channel: who sees it and its history."""
    return tuple(
        Membership(service="discord", group=f"channel:{one}", label=label(one))
        for one in config.channels
    )


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
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `discord-history`."""
    return (
        SourceSpec(
            name="discord-history",
            summary="channels of Discord: each thread a document, for who sees the channel",
            config=DiscordHistoryConfig,
            build=build_history,
            memberships=memberships,
        ),
    )


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer the loader of threads."""
    return (
        LoaderSpec(
            name="discord-thread",
            summary="threads that discord-history hands over, with a link to each message",
            config=ThreadConfig,
            build=build_thread,
            suffixes=(SUFFIX,),
            version=2,
            is_private=True,
        ),
    )


@hookimpl
def register_commands() -> Iterable[CommandSpec]:
    """Offer `citewell discord`."""
    return (CommandSpec(name="discord", summary="Set the Discord bot up.", load=_command),)


def _command() -> click.Command:
    from citewell_discord.command import command

    return command
