"""Hands what Slack tells over to the core, before Slack hears that it was heard."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from citewell import CitewellError, blocking
from citewell.chat import Address, Asked, ChatConfig, Deleted, Edited, Host
from citewell_slack import incoming
from citewell_slack.home import home
from citewell_slack.incoming import Payload, Workspace
from citewell_slack.manifest import SHORTCUT
from citewell_slack.settings import SlackConfig
from citewell_slack.threads import Threads
from citewell_slack.whispering import whisper
from citewell_slack.workspaces import Workspaces

NOT_HERE: Final = "I answer nothing in this channel."
EMPTY: Final = "Ask me a question, and I answer from your documents, with the sources."
# Slack waits three seconds for an acknowledgement.
_PATIENCE_S: Final = 2.0
_LOOKS: Final = 4
_LOOK_S: Final = 0.6
_MOST_GREETED: Final = 256

log = logging.getLogger(__name__)


class Chores:
    """What is done beside an acknowledgement, which does not wait long for it.

    Args:
        log: for what went wrong.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._running: set[asyncio.Task[None]] = set()

    async def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something, and return when it is done or Slack would grow impatient."""
        task = asyncio.create_task(self._guarded(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait({task}, timeout=_PATIENCE_S)

    async def close(self) -> None:
        """Leave everything that is not done."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except CitewellError as error:
            self._log.warning("%s", error)
        except Exception:  # noqa: BLE001 - nobody waits for it, so it is logged
            self._log.exception("something that somebody pressed in slack did not work")


class Listener:
    """Hears events, the command, the shortcut and the Home tab.

    Args:
        platform: name of the adapter's section.
        config: what was set when the adapter was opened.
        workspaces: with their tokens.
        host: the core.
        chores: what is done beside.
    """

    def __init__(
        self,
        platform: str,
        config: SlackConfig,
        *,
        workspaces: Workspaces,
        host: Host,
        chores: Chores,
    ) -> None:
        self._platform = platform
        self._config = config
        self._workspaces = workspaces
        self._host = host
        self._chores = chores
        self._threads = Threads(workspaces, log)
        self._greeted: OrderedDict[tuple[str, str], None] = OrderedDict()

    def register(self, app: AsyncApp) -> None:
        """Have bolt call this."""
        app.event(re.compile(".*"))(self._heard)
        app.command(self._config.command)(self._commanded)
        app.message_shortcut(SHORTCUT)(self._asked_about)

    def where(self, context: AsyncBoltContext) -> Workspace:
        """Return the workspace that bolt found."""
        return Workspace(
            platform=self._platform,
            team=str(context.team_id or ""),
            bot=str(context.bot_user_id or ""),
        )

    # --- events ---------------------------------------------------------------------------

    async def _heard(self, event: dict[str, Any], context: AsyncBoltContext) -> None:
        where = self.where(context)
        match event["type"], event.get("subtype"):
            case "message", "message_changed":
                await self._revised(incoming.edited(event, where), event, where)
            case "message", "message_deleted":
                await self._revised(incoming.deleted(event, where), event, where)
            case "app_mention" | "message", _:
                await self._said(event, where)
            case "app_home_opened", _:
                await self._chores.do(self._opened(event, where))
            case "agent_session_stopped", _:
                await self._host.accept(incoming.stopped(event, where))
            case "subteam_created" | "subteam_members_changed" | "subteam_updated", _:
                self._workspaces.groups_changed[where.team] = time.monotonic()
            case "app_uninstalled", _:
                await self._workspaces.forget(where.team)
            case "tokens_revoked", _:
                # Tokens of users are none of ours.
                if (event.get("tokens") or {}).get("bot"):
                    await self._workspaces.forget(where.team)

    async def _said(self, event: Payload, where: Workspace) -> None:
        channel = str(event["channel"])
        if not incoming.is_from_person(event, where):
            return
        if not self._host.config.channel(channel).answers:
            return
        if not await is_for_bot(event, where, host=self._host, threads=self._threads, looks=_LOOKS):
            return
        question = incoming.asked(event, where, channel=channel)
        if question.text or question.attachments:
            await self._host.accept(question)
        elif event.get("edited") and await blocking.call(self._host.takes_part, question.venue):
            # It is a change too, and the answer of before says what there is to say.
            return
        elif self._is_first(channel, question.key):
            await self._chores.do(self._greet(question))

    async def _revised(
        self, revision: Edited | Deleted | None, event: Payload, where: Workspace
    ) -> None:
        """Hand over what changed, of what may be a question."""
        if revision is None:
            return
        versions = (event.get("message") or {}, event.get("previous_message") or {})
        is_named = any(where.mentions_bot(str(one.get("text") or "")) for one in versions)
        if (
            is_named
            or incoming.is_direct(event)
            or await blocking.call(self._host.takes_part, revision.venue)
        ):
            await self._host.accept(revision)

    def _is_first(self, channel: str, key: str) -> bool:
        """Tell whether this is not the second event of one mention, nor a retry."""
        if (channel, key) in self._greeted:
            return False
        self._greeted[channel, key] = None
        while len(self._greeted) > _MOST_GREETED:
            self._greeted.popitem(last=False)
        return True

    async def _greet(self, question: Asked) -> None:
        venue = question.venue
        api = await self._workspaces.api(venue.team)
        await whisper(api, (venue.channel, venue.thread), question.user, {"text": EMPTY})

    async def _opened(self, event: Payload, where: Workspace) -> None:
        """Show what a tab of the app has to show."""
        api, user = await self._workspaces.api(where.team), str(event["user"])
        channel = str(event.get("channel") or "")
        if event.get("tab") == "home":
            venue = where.venue(channel, "")
            view = home(
                where.bot,
                self._config.command,
                libraries=await self._host.libraries(Address(venue=venue, only_for=user)),
                recent=await self._host.recent(venue, user),
            )
            await api.do("views.publish", user_id=user, view=view)
        elif self._config.prompts and channel:
            await api.do(
                "assistant.threads.setSuggestedPrompts",
                channel_id=channel,
                title="You could ask",
                prompts=[one.model_dump() for one in self._config.prompts],
            )

    # --- the command and the shortcut -----------------------------------------------------

    async def _commanded(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        where, user, channel = self.where(context), str(body["user_id"]), str(body["channel_id"])
        text = incoming.words(str(body.get("text") or ""), where.bot)
        if not text:
            await ack(text=f"{EMPTY} Like this: {self._config.command} how many days of leave?")
            return
        if not self._host.config.channel(channel).answers:
            await ack(text=NOT_HERE)
            return
        url = str(body["response_url"])
        data = {"user": user, "response_url": url, **incoming.direct(channel)}
        question = Asked(
            key=str(body["trigger_id"]),
            venue=where.private(channel, user),
            user=user,
            at=time.time(),
            text=text,
            address=Address(venue=where.venue(channel, ""), only_for=user, data=data),
        )
        await self._host.accept(question)
        # What is said here stands for good beside the answer.
        await ack()

    async def _asked_about(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        where, user = self.where(context), str(body["user"]["id"])
        channel, message = str(body["channel"]["id"]), body["message"]
        thread = incoming.thread_of(message)
        text = incoming.words(str(message.get("text") or ""), where.bot)
        files = incoming.attachments(message, where.team)
        refusal = "" if self._host.config.channel(channel).answers else NOT_HERE
        if not (text or files):
            refusal = "This message has no text to ask about."
        if refusal:
            await self._chores.do(self._tell(where, (channel, thread), user, refusal))
        else:
            venue = where.venue(channel, thread)
            data = {"user": user, **incoming.direct(channel)}
            question = Asked(
                key=str(body["trigger_id"]),
                venue=where.private(channel, user),
                user=user,
                at=time.time(),
                text=text,
                address=Address(venue=venue, only_for=user, data=data),
                attachments=files,
            )
            await self._host.accept(question)
        await ack()

    async def _tell(self, where: Workspace, place: tuple[str, str], user: str, text: str) -> None:
        await whisper(await self._workspaces.api(where.team), place, user, {"text": text})


async def is_for_bot(
    event: Payload, where: Workspace, *, host: Host | None, threads: Threads, looks: int = 1
) -> bool:
    """Tell whether a message is a question: it names the bot, or goes on in a thread with it.

    Args:
        event: the message.
        where: it was said.
        host: the core; None before it serves.
        threads: how they begin.
        looks: how often the core is asked about a thread whose first message is gone, which
            another process may be about to take in.
    """
    text = str(event.get("text") or "")
    if event.get("type") == "app_mention" or where.mentions_bot(text):
        return True
    if incoming.is_direct(event):
        return True
    thread, channel = event.get("thread_ts"), str(event["channel"])
    if host is None or thread in {None, event["ts"]} or not host.config.follows_up(channel):
        return False
    # What begins with the name of somebody else is said to them.
    if re.match(r"\s*<@[UW]", text):
        return False
    venue = where.venue(channel, str(thread))
    if await blocking.call(host.takes_part, venue):
        return True
    is_named = await threads.begin_with_mention(where, channel, str(thread))
    for _ in range(looks - 1):
        if is_named is not None:
            break
        await asyncio.sleep(_LOOK_S)
        is_named = await blocking.call(host.takes_part, venue) or None
    return bool(is_named)


def slack_config(config: ChatConfig, fallback: SlackConfig) -> SlackConfig:
    """Return the settings in force, where the core hands over those of Slack."""
    return config if isinstance(config, SlackConfig) else fallback
