"""The assistant in Slack."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from citewell import AdapterError, Context, DeliveryError
from citewell.blocks import Block
from citewell.chat import Address, Asked, Attachment, Deleted, Edited, Event, Host, Reply
from citewell_slack.budgets import Budgets
from citewell_slack.calls import Refused, base_url, client, session
from citewell_slack.catching_up import Missed
from citewell_slack.connecting import HttpLink, Links, SocketLink, oauth_flow
from citewell_slack.encoding import Encoder
from citewell_slack.handing import HandOffs
from citewell_slack.listening import Chores, Listener, slack_config
from citewell_slack.manifest import scopes
from citewell_slack.pressing import Presser
from citewell_slack.reading import Readers, fetch
from citewell_slack.replying import PublicReply, spot_of
from citewell_slack.settings import SlackConfig, channel_of
from citewell_slack.whispering import CommandReply, WhisperedReply
from citewell_slack.workspaces import InstalledWorkspaces, Workspaces, cannot_connect

_RETRY_S: Final = 3.0
# chat.update may be called 50 times a minute.
_PACE_S: Final = 1.2
# Without these no reply can be posted and found again, or nobody knows who reads it.
_NEEDED: Final = frozenset(scopes(())) - {"assistant:write", "mpim:history", "mpim:read"}


class SlackAdapter:
    """Speaks to Slack.

    Args:
        config: the settings.
        context: names the section, and where files are kept.
        http: for every call.
    """

    pace_s = _PACE_S

    def __init__(self, config: SlackConfig, context: Context, http: aiohttp.ClientSession) -> None:
        self._config = config
        self._context = context
        self._log = context.log
        self._session = http
        self._workspaces = _workspaces(config, context, http)
        self._encoder = Encoder(has_person=self._has_person)
        self._readers = Readers(self._workspaces, self._log)
        self._chores = Chores(self._log)
        self._budgets: defaultdict[str, Budgets] = defaultdict(Budgets)
        self._host: Host | None = None
        self.links: Links | None = None

    @property
    def is_connected(self) -> bool:
        """Whether events come in now."""
        return self.links is not None and self.links.is_connected

    def _has_person(self) -> bool:
        in_force = self._config if self._host is None else self._host.config
        return slack_config(in_force, self._config).hand_off is not None

    def fits(self, blocks: Sequence[Block], _address: Address) -> bool:
        """Tell whether blocks fit one message."""
        return self._encoder.fits(blocks)

    async def close(self) -> None:
        """Leave what is not done."""
        await self._chores.close()

    # --- events ---------------------------------------------------------------------------

    async def serve(self, host: Host) -> None:
        """Hand over what happens, until cancelled.

        Raises:
            AdapterError: a token is no good, or a scope is missing.
        """
        self._host = host
        await self._check()
        app = self._app(host)
        self.links = self._connections(app)
        try:
            await self.links.run()
        finally:
            self.links = None

    def missed(self, since: float) -> AsyncIterator[Event]:
        """Yield what was said since then."""
        missed = Missed(self._context.name, self._workspaces, self._host, self._log)
        return missed.since(since)

    async def changed(self, asked: Asked) -> Edited | Deleted | None:
        """Return what became of a question, if it does not stand there as it was taken in."""
        missed = Missed(self._context.name, self._workspaces, self._host, self._log)
        return await missed.changed(asked)

    async def _check(self) -> None:
        """Prove the token and its scopes; workspaces that install the app prove theirs."""
        if self._config.oauth is not None:
            return
        while True:
            try:
                await self._workspaces.bot("")
                await self._check_scopes()
                await self._check_hand_off()
            except DeliveryError as error:
                if not error.passes:
                    raise cannot_connect("bot_token", error) from error
                self._log.warning("%s; tried again", error)
            else:
                return
            await asyncio.sleep(_RETRY_S)

    async def _check_scopes(self) -> None:
        granted = await (await self._workspaces.api("")).scopes()
        if not granted:
            return
        has_groups = any(channel_of(one) is None for one in self._config.groups)
        needed = _NEEDED | ({"usergroups:read"} if has_groups else set())
        if missing := sorted(needed - granted):
            raise AdapterError(
                f"the bot token of slack lacks the scope {', '.join(missing)}; create the app "
                'from "citewell slack manifest", or add the scope and install it again'
            )
        if missing := sorted(set(scopes()) - granted):
            self._log.warning("what needs these scopes of slack is off: %s", ", ".join(missing))

    async def _check_hand_off(self) -> None:
        """Prove that there is a channel to hand questions off to: later only users would notice."""
        if self._config.hand_off is None:
            return
        channel = self._config.hand_off.channel
        api = await self._workspaces.api("")
        try:
            await api.read("conversations.info", channel=channel)
        except Refused as error:
            if error.code != "channel_not_found":
                raise
            raise AdapterError(
                f"hand_off.channel: slack shows the bot no channel {channel}; correct the id, or "
                "invite the bot there"
            ) from error

    def _app(self, host: Host) -> AsyncApp:
        workspaces, config = self._workspaces, self._config
        log = _library_log(self._log)

        # A function and no method: bolt would look for an argument called "self".
        async def authorize(
            enterprise_id: str | None, team_id: str | None, logger: logging.Logger
        ) -> AuthorizeResult | None:
            return await workspaces.authorize(enterprise_id, team_id, logger)

        secret = config.signing_secret
        app = AsyncApp(
            # Bolt sets the level of the logger that is called like this.
            name=log.name,
            logger=log,
            client=client(None, workspaces.base_url, self._session),
            signing_secret=secret.get_secret_value() if secret else "",
            authorize=authorize,  # type: ignore[arg-type]  # it may return None, says bolt's own code
            # What cannot be kept must not be acknowledged, or Slack would not send it again.
            process_before_response=True,
            ignoring_self_events_enabled=True,
        )
        listener = Listener(
            self._context.name, config, workspaces=workspaces, host=host, chores=self._chores
        )
        hand_offs = HandOffs(config, workspaces, host, self._encoder)
        presser = Presser(listener, workspaces, host=host, hand_offs=hand_offs, chores=self._chores)
        listener.register(app)
        presser.register(app)
        return app

    def _connections(self, app: AsyncApp) -> Links:
        config, workspaces = self._config, self._workspaces
        log = _library_log(self._log)
        flow = None
        if config.oauth is not None and isinstance(workspaces, InstalledWorkspaces):
            flow = oauth_flow(config.oauth, workspaces, self._context.data_dir / "states", log)
        is_http = config.mode == "http"
        http = None
        if is_http or flow is not None:
            secret = config.signing_secret.get_secret_value() if config.signing_secret else ""
            signing_secret = secret if is_http else None
            http = HttpLink(app, config.http, flow=flow, signing_secret=signing_secret)
        if is_http or config.app_token is None:
            return Links(None, http)
        return Links(SocketLink(app, config.app_token.get_secret_value(), workspaces, log), http)

    # --- replies --------------------------------------------------------------------------

    async def open_reply(self, address: Address, key: str) -> Reply:
        """Begin a reply."""
        if address.only_for is None:
            return await self._public(address, key)
        return await self._private(address, address.only_for)

    async def find_reply(self, address: Address, key: str, posted: Sequence[str]) -> Reply | None:
        """Return a reply of before a crash; None for what only one person saw."""
        if address.only_for is not None:
            return None
        reply = await self._public(address, key)
        await reply.find(posted)
        return reply

    async def _public(self, address: Address, key: str) -> PublicReply:
        team = address.venue.team
        api, bot = await self._workspaces.api(team), await self._workspaces.bot(team)
        since = address.data.get("ts") or address.venue.thread
        spot = spot_of(api, address, key, self._budgets[team])
        return PublicReply(spot, bot, self._encoder, since=since)

    async def _private(self, address: Address, user: str) -> Reply:
        venue = address.venue
        api, place = await self._workspaces.api(venue.team), (venue.channel, venue.thread)
        url = address.data.get("response_url")
        if url is None:
            return WhisperedReply(api, place, user, self._encoder)
        return CommandReply(api, place, user, self._encoder, response=(self._session, url))

    # --- people and files -----------------------------------------------------------------

    async def readers(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return which of `groups` each distinct reader is in, asked anew."""
        return await self._readers.of(address, groups)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Return the content of a file."""
        return await fetch(self._workspaces, attachment, max_bytes=max_bytes)


@asynccontextmanager
async def opened(config: SlackConfig, context: Context) -> AsyncIterator[SlackAdapter]:
    """Open the adapter; nothing is sent yet."""
    async with session() as http:
        adapter = SlackAdapter(config, context, http)
        try:
            yield adapter
        finally:
            await adapter.close()


def _workspaces(config: SlackConfig, context: Context, http: aiohttp.ClientSession) -> Workspaces:
    url = base_url(config.api_url)
    if config.oauth is not None:
        folder = context.data_dir / "installations"
        return InstalledWorkspaces(url, http, oauth=config.oauth, folder=folder, log=context.log)
    token = config.bot_token.get_secret_value() if config.bot_token else ""
    return Workspaces(url, http, token=token)


class _Terse(logging.Filter):
    """Leaves out the tracebacks that the libraries log when a connection breaks."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def _library_log(log: logging.Logger) -> logging.Logger:
    """Return a logger for the libraries: at DEBUG they would log tokens and what people write."""
    quiet = log.getChild("library")
    quiet.setLevel(logging.WARNING)
    quiet.disabled = False
    if not quiet.filters:
        quiet.addFilter(_Terse())
    return quiet
