"""Registers what there is for Slack; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
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
from citewell_slack.history_settings import SUFFIX, SlackHistoryConfig, ThreadConfig, label
from citewell_slack.settings import SlackConfig

if TYPE_CHECKING:
    import click


@asynccontextmanager
async def build(config: SlackConfig, context: Context) -> AsyncIterator[Adapter]:
    """Open the adapter; nothing is sent yet.

    Raises:
        MissingExtra: slack-bolt is not installed.
    """
    try:
        import aiohttp  # noqa: F401 - slack_sdk imports it, but does not require it
        import slack_bolt  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f'adapter "{context.name}"', package="slack-bolt", extra="slack"
        ) from error
    from citewell_slack.adapter import opened

    async with opened(config, context) as adapter:
        yield adapter


@asynccontextmanager
async def build_history(config: SlackHistoryConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; Slack is asked at each sync.

    Raises:
        MissingExtra: slack-bolt is not installed.
    """
    try:
        import aiohttp  # noqa: F401 - slack_sdk imports it, but does not require it
        import slack_sdk  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f'library "{context.name}"', package="slack-bolt", extra="slack"
        ) from error
    from citewell_slack.history import opened

    async with opened(config, context) as source:
        yield source


@asynccontextmanager
async def build_thread(_config: Config, _context: Context) -> AsyncIterator[Loader]:
    """Open the loader of what the source hands over."""
    from citewell.conversations import TranscriptLoader

    yield TranscriptLoader()


def memberships(config: SlackHistoryConfig) -> tuple[Membership, ...]:
    """Return who may read what is said in a channel: its members."""
    return tuple(
        Membership(service="slack", group=f"channel:{one}", label=label(one))
        for one in config.channels
    )


@asynccontextmanager
async def rehearsal() -> AsyncIterator[Rehearsal]:
    """Open a stand-in for Slack on this machine.

    Raises:
        MissingExtra: aiohttp is not installed.
    """
    try:
        import aiohttp  # noqa: F401 - only whether it is there
    except ModuleNotFoundError as error:
        raise MissingExtra("the rehearsal of Slack", package="aiohttp", extra="slack") from error
    from citewell_slack.testing.rehearsal import opened

    async with opened() as standin:
        yield standin


def load_command() -> click.Command:
    """Return the command."""
    from citewell_slack.command import slack

    return slack


@hookimpl
def register_adapters() -> Iterable[AdapterSpec[Any]]:
    """Offer `slack`."""
    return (
        AdapterSpec(
            name="slack",
            summary="Slack: mentions, direct messages, threads, /ask and the Home tab",
            config=SlackConfig,
            build=build,
            rehearsal=rehearsal,
            extra="slack",
        ),
    )


@hookimpl
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `slack-history`."""
    return (
        SourceSpec(
            name="slack-history",
            summary="channels of Slack: each thread a document, for the members of the channel",
            config=SlackHistoryConfig,
            build=build_history,
            memberships=memberships,
        ),
    )


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer the loader of threads."""
    return (
        LoaderSpec(
            name="slack-thread",
            summary="threads that slack-history hands over, with a link to each message",
            config=ThreadConfig,
            build=build_thread,
            suffixes=(SUFFIX,),
            version=2,
            is_private=True,
        ),
    )


@hookimpl
def register_commands() -> Iterable[CommandSpec]:
    """Offer `citewell slack`."""
    return (
        CommandSpec(
            name="slack", summary="Set the Slack app up: print its manifest.", load=load_command
        ),
    )
