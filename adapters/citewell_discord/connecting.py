"""The way into Discord: logged in, commands registered, identified not too often."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import aiohttp
import discord

from citewell import AdapterError, Context, blocking
from citewell_discord.client import Client, make_client
from citewell_discord.config import DiscordConfig
from citewell_discord.ending import cancellable, end_heartbeats
from citewell_discord.identifies import LASTED_S, Identifies
from citewell_discord.keeping import keep

IDENTIFY_PAUSE_S = 5.0
"""Between two sessions that one process begins. Source: "Session Start Limit Object"."""

_LONGEST_RETRY_S: Final = 60.0
# discord.py gives a connection up that takes longer.
_IN_HOOK_S: Final = 40.0
_AUTHENTICATION: Final = 4004
_SHARDING: Final = frozenset({4010, 4011})

Sleep = Callable[[float], Awaitable[None]]


class Connecting:
    """Connects one client.

    Args:
        config: of the adapter.
        context: its name, and where it keeps files.
        starts: the sessions that were begun, also by who connected before.
        sleep: waits.
    """

    def __init__(
        self,
        config: DiscordConfig,
        context: Context,
        starts: Identifies,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._context = context
        self._log = context.log
        self._sleep = sleep
        self._starts = starts
        self._is_first = True

    @asynccontextmanager
    async def logged_in(self) -> AsyncIterator[Client]:
        """Yield a client that is logged in, as soon as Discord can be reached.

        Raises:
            AdapterError: the token is wrong, or too many sessions ended badly today.
        """
        self._starts.leave()
        await self._wait_for_turn()
        client = await self._login()
        ended_well = False
        try:
            yield client
        except (asyncio.CancelledError, GeneratorExit):
            ended_well = True
            raise
        finally:
            await client.close()
            client.sockets.close()
            await end_heartbeats(client)
            if ended_well:
                self._starts.vouch()

    async def stay(self, client: Client) -> None:
        """Stay connected until cancelled.

        Raises:
            AdapterError: Discord refuses the bot.
        """
        await self._register(client)
        await self._check_hand_off(client)
        vouching = asyncio.create_task(self._vouch())
        try:
            await cancellable(client.connect())
        except discord.PrivilegedIntentsRequired as error:
            raise AdapterError(self._intents_wanted()) from error
        except discord.ConnectionClosed as error:
            raise AdapterError(self._closed(error.code)) from error
        except _Exhausted as error:
            raise AdapterError(str(error)) from error
        finally:
            vouching.cancel()
        raise AdapterError(f'adapter "{self._context.name}": discord ended the connection')

    async def _vouch(self) -> None:
        """Note which sessions last."""
        while True:
            await asyncio.sleep(LASTED_S / 10)
            await blocking.call(partial(self._starts.vouch, after_s=LASTED_S))

    # --- logging in ------------------------------------------------------------------------

    async def _login(self) -> Client:
        retry_s = 1.0
        while True:
            client = make_client(self._config, self._before_identify)
            try:
                await client.login(self._config.token.get_secret_value())
                return client
            except discord.LoginFailure as error:
                await client.close()
                raise AdapterError(self._token_wrong()) from error
            except discord.HTTPException as error:
                await client.close()
                if error.status < 500 and error.status != 429:
                    told = (
                        f'adapter "{self._context.name}": discord refuses the login: {error.text}'
                    )
                    raise AdapterError(told) from error
                self._log.warning("discord cannot be reached: %s", error)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                await client.close()
                self._log.warning("discord cannot be reached: %s", error)
            except BaseException:
                await client.close()
                raise
            await self._sleep(retry_s)
            retry_s = min(retry_s * 2, _LONGEST_RETRY_S)

    async def _check_hand_off(self, client: Client) -> None:
        """Prove that there is a channel to hand questions off to: later only users would notice."""
        if self._config.hand_off is None:
            return
        channel = self._config.hand_off.channel
        try:
            found = channel.isdecimal() and await client.fetch_channel(int(channel))
        except (discord.NotFound, discord.Forbidden, discord.InvalidData):
            found = False
        except discord.HTTPException as error:
            self._log.warning("the channel of hand_off cannot be looked up: %s", error)
            return
        if not found:
            raise AdapterError(
                f'adapter "{self._context.name}": hand_off.channel: discord shows the bot no '
                f"channel {channel}; correct the id, or let the bot see the channel"
            )

    async def _register(self, client: Client) -> None:
        """Register the commands if they are others than the last time."""
        commands = [one.to_dict(client.tree) for one in client.tree.get_commands()]
        told = json.dumps([client.application_id, commands], sort_keys=True, default=str)
        wanted = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
        path = self._context.data_dir / "commands.txt"
        known = path.read_text(encoding="utf-8") if path.is_file() else ""
        if known == wanted:
            return
        try:
            await client.tree.sync()
        except (discord.HTTPException, discord.app_commands.AppCommandError) as error:
            self._log.warning("the command /ask cannot be registered: %s", error)
            return
        keep(path, wanted)

    # --- identifying -----------------------------------------------------------------------

    async def _wait_for_turn(self) -> None:
        """Wait until a session may begin after those that ended badly.

        Raises:
            AdapterError: there were too many of them today.
        """
        starts = self._starts
        bad = await blocking.call(starts.bad_today)
        pause_s = await blocking.call(starts.pause_s)
        if await blocking.call(starts.is_spent):
            raise AdapterError(self._exhausted(bad, pause_s))
        if pause_s > 0:
            self._log.warning(
                "%d sessions ended badly in the last day; the next one begins in %.0f s",
                bad,
                pause_s,
            )
            await self._sleep(pause_s)

    async def _before_identify(self, shard: int | None) -> None:
        """Wait before a session begins, and count it.

        Raises:
            OSError: it has to wait longer than discord.py would; it tries again.
        """
        starts = self._starts
        if not self._is_first:
            await self._sleep(IDENTIFY_PAUSE_S)
            pause_s = await blocking.call(starts.pause_s)
            if await blocking.call(starts.is_spent):
                bad = await blocking.call(starts.bad_today)
                raise _Exhausted(self._exhausted(bad, pause_s))
            await self._sleep(min(pause_s, _IN_HOOK_S))
            if pause_s > _IN_HOOK_S:
                raise OSError("discord is not to be asked for another session yet")
        self._is_first = False
        await blocking.call(starts.note, shard or 0)

    # --- words -----------------------------------------------------------------------------

    def _token_wrong(self) -> str:
        return (
            f'adapter "{self._context.name}": token: discord does not know it; copy it again at '
            "discord.com/developers/applications, Bot, Reset Token"
        )

    def _intents_wanted(self) -> str:
        intents = {
            "Message Content": self._config.message_content,
            "Server Members": self._config.knows_members,
        }
        wanted = " and ".join(name for name, is_wanted in intents.items() if is_wanted)
        return (
            f'adapter "{self._context.name}": discord does not grant the intent {wanted}; switch '
            "it on at discord.com/developers/applications, Bot, or set message_content and "
            "server_members to false"
        )

    def _closed(self, code: int) -> str:
        if code == _AUTHENTICATION:
            return self._token_wrong()
        if code in _SHARDING:
            return (
                f'adapter "{self._context.name}": discord wants this bot to connect in shards '
                f"({code}); set sharded = true"
            )
        return f'adapter "{self._context.name}": discord closed the connection for good ({code})'

    def _exhausted(self, bad: int, pause_s: float) -> str:
        return (
            f'adapter "{self._context.name}": {bad} sessions ended badly or at once in the last '
            "day, and discord resets the token of who begins too many; look in the log for what "
            f"ends them, and start again in {pause_s / 3600:.0f} hours"
        )


class _Exhausted(Exception):
    """Too many sessions ended badly."""
