"""The client of discord.py: hears what happens, and hands it over."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import discord
from discord import app_commands

from citewell_discord.config import DiscordConfig
from citewell_discord.ending import Sockets
from citewell_discord.logs import quieten

if TYPE_CHECKING:
    import re

    from citewell_discord.hearing import Hearing

ASK: Final = "ask"
ASK_ABOUT: Final = "Ask about this"
# Longer would be retried by discord.py for a minute and more, without a word.
_MAX_WAIT_S: Final = 30.0
# After which a connection on which nothing comes is given up.
_SILENCE_S: Final = 60.0
# How long after the last server that is told of the bot counts as ready.
_READY_S: Final = 0.1

log = logging.getLogger(__name__)

# A bot that writes has no voice, and need not be told what it would take.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False

BeforeIdentify = Callable[[int | None], Awaitable[None]]


class _Heard(discord.Client):
    """Hands over what happens; combined below with either client.

    Attributes:
        hearing: takes it.
        tree: the commands.
        sockets: that it has opened.
    """

    hearing: Hearing
    tree: app_commands.CommandTree[Any]
    before_identify: BeforeIdentify
    sockets: Sockets

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        # What still arrives of a client that was closed has no loop to run on.
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002 - the pause depends on more
        await self.before_identify(shard_id)

    async def on_ready(self) -> None:
        await self.hearing.connected(resumed=False)

    async def on_resumed(self) -> None:
        await self.hearing.connected(resumed=True)

    async def on_disconnect(self) -> None:
        self.hearing.disconnected()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        self.hearing.disconnected(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        await self.hearing.connected(shard_id, resumed=True)

    async def on_shard_ready(self, shard_id: int) -> None:
        await self.hearing.connected(shard_id, resumed=False)

    async def on_message(self, message: discord.Message) -> None:
        await self.hearing.message(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        await self.hearing.edit(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self.hearing.delete(payload.channel_id, payload.message_id, payload.cached_message)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        cached = {one.id: one for one in payload.cached_messages}
        for message_id in sorted(payload.message_ids):
            await self.hearing.delete(payload.channel_id, message_id, cached.get(message_id))

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self.hearing.interacting.submitted(interaction)


class PlainClient(_Heard):
    """One connection."""


class ShardedClient(_Heard, discord.AutoShardedClient):
    """As many connections as Discord recommends."""


class AnswerButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.LayoutView]],
    template=r"cw:(?P<action>[a-z]+):(?P<answer>.{1,80})",
):
    """A button below an answer, which works whichever process has posted it."""

    def __init__(
        self, item: discord.ui.Button[discord.ui.LayoutView], action: str, answer: str
    ) -> None:
        super().__init__(item)
        self._action = action
        self._answer = answer

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py passes it
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> AnswerButton:
        """Return the button that was pressed."""
        if not isinstance(item, discord.ui.Button):
            raise TypeError(f"expected a button, got {type(item).__name__}")
        return cls(item, match["action"], match["answer"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what it says."""
        client = interaction.client
        if isinstance(client, _Heard):
            await client.hearing.interacting.press(interaction, self._action, self._answer)


class _Tree(app_commands.CommandTree[Any]):
    _told: ClassVar[str] = "discord: a command failed"

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        from citewell_discord.interacting import failed

        log.error(self._told, exc_info=error)
        await failed(interaction)


Client: TypeAlias = PlainClient | ShardedClient


def make_client(config: DiscordConfig, before_identify: BeforeIdentify) -> Client:
    """Return a client that is not logged in; its `hearing` is to be set before it is."""
    quieten()
    kind = ShardedClient if config.sharded else PlainClient
    sockets = Sockets()
    client = kind(
        intents=intents(config),
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=_MAX_WAIT_S,
        guild_ready_timeout=_READY_S,
        heartbeat_timeout=_SILENCE_S,
        chunk_guilds_at_startup=False,
        enable_debug_events=False,
        http_trace=sockets.trace(),
    )
    client.sockets = sockets
    client.before_identify = before_identify
    client.tree = _Tree(client)
    _add_commands(client.tree)
    client.add_dynamic_items(AnswerButton)
    return client


def intents(config: DiscordConfig) -> discord.Intents:
    """Return what the gateway is asked to tell; no more than is used."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        message_content=config.message_content,
        members=config.knows_members,
    )


def _add_commands(tree: app_commands.CommandTree[Any]) -> None:
    # Who has the bot in their own account alone is of no server that it knows.
    where = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
    of = app_commands.AppInstallationType(guild=True, user=False)
    tree.allowed_contexts, tree.allowed_installs = where, of

    @tree.command(name=ASK, description="Ask the documents; only you see the answer")
    @app_commands.describe(question="What do you want to know?")
    async def ask(
        interaction: discord.Interaction[Any], question: app_commands.Range[str, 1, 4000]
    ) -> None:
        await interaction.client.hearing.interacting.ask(interaction, question)

    @tree.context_menu(name=ASK_ABOUT)
    async def ask_about(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.client.hearing.interacting.ask_about(interaction, message)
