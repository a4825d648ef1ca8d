"""Registers the adapter and the command `slack`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from citewell import AdapterSpec, CommandSpec, Context, MissingExtra, hookimpl
from citewell.chat import Adapter, Rehearsal
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
def register_commands() -> Iterable[CommandSpec]:
    """Offer `citewell slack`."""
    return (
        CommandSpec(
            name="slack", summary="Set the Slack app up: print its manifest.", load=load_command
        ),
    )
