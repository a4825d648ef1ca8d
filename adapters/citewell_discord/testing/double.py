"""Discord on this machine: what a real client talks to over real sockets, offline."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web

from citewell_discord.testing.calls import Api, RestCall
from citewell_discord.testing.clock import Clock
from citewell_discord.testing.deliveries import Deliveries
from citewell_discord.testing.events import Event
from citewell_discord.testing.faults import Faults
from citewell_discord.testing.gateway import Gateway
from citewell_discord.testing.interactions import Interaction, Interactions
from citewell_discord.testing.messages import Message
from citewell_discord.testing.people import Person
from citewell_discord.testing.places import Channel, Guild, Role
from citewell_discord.testing.posts import Posts
from citewell_discord.testing.rates import Rates
from citewell_discord.testing.rest import API_PATH, Rest
from citewell_discord.testing.threads import Threads
from citewell_discord.testing.world import World

_MAX_BODY_BYTES = 120 * 2**20
_LOOK_AGAIN_S = 0.005


class DiscordDouble:
    """A Discord of one's own, on a free port of this machine, while it is entered.

    Attributes:
        token: the bot's; another one is refused.
        clock: the time that it lives in.
        world: who and what there is; guilds, channels and roles are added here.
        gateway: who is connected, and how connections are broken.
        deliveries: how events are held, duplicated and reordered.
        api_url: where the API is.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.deliveries = Deliveries(self._tell)
        self.world = World(self.clock, self.deliveries.publish)
        self.token = f"{self.world.bot.id}.double.{secrets.token_urlsafe(24)}"
        self.gateway = Gateway(self.world, self._is_token)
        self._posts = Posts(self.world)
        self._threads = Threads(self.world, self._posts)
        self._interactions = Interactions(self.world, self._posts)
        self._rest = Rest(
            Api(self.world, self._posts, self._threads, self._interactions, self.gateway),
            self._is_token,
        )
        self._runner: web.AppRunner | None = None
        self.api_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_get("/", self.gateway.handle)
        self._rest.add_to(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.api_url = f"http://127.0.0.1:{port}{API_PATH}"
        self.gateway.url = f"ws://127.0.0.1:{port}/"
        self.world.files_url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def gateway_url(self) -> str:
        """Where the gateway is."""
        return self.gateway.url

    @property
    def application_id(self) -> int:
        """Of the application under test."""
        return self.world.application_id

    @property
    def bot_user_id(self) -> int:
        """Of the bot under test."""
        return self.world.bot.id

    @property
    def calls(self) -> Sequence[RestCall]:
        """Every call of the API, in the order in which they were answered."""
        return self._rest.log

    @property
    def interactions(self) -> Sequence[Interaction]:
        """Everything that people asked directly, with its answers."""
        return self._interactions.all

    @property
    def rates(self) -> Rates:
        """How many calls are taken."""
        return self._rest.rates

    @property
    def faults(self) -> Faults:
        """What goes wrong with calls."""
        return self._rest.faults

    def person(self, name: str, guild: Guild | None = None, *roles: Role) -> Person:
        """Return somebody new, a member of `guild` if one is given."""
        return self._arrive(name, guild, roles, is_bot=False)

    def other_bot(self, name: str, guild: Guild | None = None, *roles: Role) -> Person:
        """Return a bot that is not the one under test."""
        return self._arrive(name, guild, roles, is_bot=True)

    def has_failed(self, interaction: Interaction) -> bool:
        """Tell whether the person was told that the application did not respond."""
        return self._interactions.has_failed(interaction)

    def watch(self, watcher: Callable[[Message], None]) -> None:
        """Call `watcher` with each message that is written, changed or taken away from now on.

        Ephemeral ones are among them; what it shows may change again before anybody looks.
        """
        self._posts.watchers.append(watcher)

    def messages(self, channel: Channel) -> Sequence[Message]:
        """Return what everybody who may read the channel sees, oldest first."""
        return list(channel.visible())

    def calls_of(self, route: str) -> Sequence[RestCall]:
        """Return the calls of a route, such as `POST /channels/{channel_id}/messages`."""
        return [one for one in self.calls if one.route == route]

    async def until(self, holds: Callable[[], object], *, timeout_s: float = 5.0) -> None:
        """Wait until something holds.

        Raises:
            TimeoutError: it does not.
        """
        async with asyncio.timeout(timeout_s):
            while not holds():  # noqa: ASYNC110 - nobody tells when that is so
                await asyncio.sleep(_LOOK_AGAIN_S)

    def _arrive(
        self, name: str, guild: Guild | None, roles: Sequence[Role], *, is_bot: bool
    ) -> Person:
        user = self.world.add_user(name, is_bot=is_bot)
        if guild is not None:
            self.world.join(guild, user, roles)
        return Person(user, self.world, self._posts, self._threads, self._interactions)

    def _is_token(self, token: str) -> bool:
        return token == self.token and not self.gateway.token_resets

    def _tell(self, event: Event) -> None:
        self.gateway.tell(event)
