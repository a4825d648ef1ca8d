"""What is said in channels of Slack, read as it stands there now."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Final

from citewell import Context, Labels, Source, SourceError
from citewell.conversations import History, Message, Page, Thread, plain_text
from citewell_slack.calls import Api, Refused, base_url, client, session
from citewell_slack.history_settings import SUFFIX, SlackHistoryConfig, label
from citewell_slack.history_workspace import Workspace
from citewell_slack.incoming import Payload

_PAGE: Final = 200
_READ: Final = frozenset({None, "file_share", "me_message", "bot_message", "thread_broadcast"})
_SLACKBOT: Final = "USLACKBOT"


class SlackTalk:
    """One channel.

    Args:
        id_: of the channel.
        workspace: that it is in.
        bots: whether what bots say is read.
    """

    def __init__(self, id_: str, workspace: Workspace, *, bots: bool) -> None:
        self.id = id_
        self._workspace = workspace
        self._bots = bots

    @property
    def labels(self) -> Labels:
        """Who may read it: its members."""
        return frozenset({label(self.id)})

    async def name(self) -> str:
        """Return what people call the channel."""
        told = await self._workspace.read("conversations.info", channel=self.id)
        return str((told.get("channel") or {}).get("name") or self.id)

    async def uri(self) -> str:
        """Return what opens the channel."""
        return f"{await self._workspace.url()}/archives/{self.id}"

    def id_at(self, at: float) -> str:
        """Return the `ts` of a time."""
        return f"{at:017.6f}"

    async def page(self, *, since: str, before: str) -> Page:
        """Return the last messages whose `ts` is in `[since, before)`."""
        found: Sequence[Payload] = ()
        cursor = ""
        while not found:
            told = await self._workspace.read(
                "conversations.history",
                channel=self.id,
                # Both bounds are left out.
                oldest=_before(since),
                latest=before,
                limit=_PAGE,
                cursor=cursor or None,
            )
            found = told.get("messages") or ()
            cursor = (told.get("response_metadata") or {}).get("next_cursor") or ""
            if not told.get("has_more") or (not found and not cursor):
                break
        threads = {
            str(one["ts"]): f"{one.get('latest_reply')} {one.get('reply_count')}"
            for one in found
            if one.get("thread_ts") == one["ts"] and one.get("reply_count")
        }
        # What was sent to the channel from a thread stands in the thread.
        top = [one for one in found if one.get("thread_ts") in {None, one["ts"]}]
        has_more = bool(told.get("has_more"))
        if has_more and not found:
            # Taken for the end, it would be taken for the deletion of all that is older.
            raise SourceError(f"slack tells of more in channel {self.id}, but not where it is")
        return Page(
            messages=tuple([one for raw in top if (one := await self._message(raw, threads))]),
            begins=min(str(one["ts"]) for one in found) if has_more else "",
            threads=threads,
        )

    async def threads(self, *, since: str) -> None:
        """Return nothing: pages tell of threads."""
        del since

    async def thread(self, id_: str) -> Thread | None:
        """Return the replies of a thread."""
        found: list[Payload] = []
        cursor = ""
        while True:
            try:
                told = await self._workspace.read(
                    "conversations.replies",
                    channel=self.id,
                    ts=id_,
                    limit=_PAGE,
                    cursor=cursor or None,
                )
            except SourceError as error:
                cause = error.__cause__
                if isinstance(cause, Refused) and cause.code == "thread_not_found":
                    return None
                raise
            found += told.get("messages") or ()
            cursor = (told.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        replies = [await self._message(raw, {id_}) for raw in found if raw["ts"] != id_]
        return Thread(messages=tuple(one for one in replies if one is not None))

    async def _message(self, raw: Payload, begun: Collection[str]) -> Message | None:
        """Return a message, or None where nobody shall read it.

        Args:
            raw: as Slack tells it.
            begun: ids of messages that began threads.
        """
        own = await self._workspace.own()
        user = str(raw.get("user") or "")
        is_ours = user == own.user or (own.id and raw.get("bot_id") == own.id)
        is_read = raw.get("subtype") in _READ and (self._bots or _is_person(raw))
        if is_ours or not is_read or user == _SLACKBOT:
            return None
        text = await self._workspace.words(str(raw.get("text") or ""))
        files = [f"[file: {_file_name(one)}]" for one in raw.get("files") or ()]
        said = "\n".join(filter(None, (text, *files)))
        if not said:
            return None
        ts, thread = str(raw["ts"]), str(raw.get("thread_ts") or "")
        begins = thread == ts
        return Message(
            id=ts,
            author=await self._author(raw),
            at=float(ts),
            text=said,
            uri=await self._permalink(ts, "" if begins else thread),
            thread=thread if not begins or ts in begun else "",
            asks_us=re.search(rf"<@{own.user}[|>]", str(raw.get("text") or "")) is not None,
        )

    async def _author(self, raw: Payload) -> str:
        user = str(raw.get("user") or "")
        if user:
            return plain_text(await self._workspace.name(user))
        profile = raw.get("bot_profile") or {}
        return plain_text(str(raw.get("username") or profile.get("name") or "a bot"))

    async def _permalink(self, ts: str, thread: str) -> str:
        """Return what opens a message, as Slack's own "Copy link" gives it."""
        link = f"{await self.uri()}/p{ts.replace('.', '')}"
        return f"{link}?thread_ts={thread}&cid={self.id}" if thread else link


def _is_person(raw: Payload) -> bool:
    return bool(raw.get("user")) and not raw.get("bot_id") and raw.get("subtype") != "bot_message"


def _file_name(file: Payload) -> str:
    return " ".join(str(file.get("name") or file.get("title") or "file").split())


def _before(ts: str) -> str:
    """Return the latest time before a `ts`."""
    seconds, _, micros = ts.partition(".")
    before = max(int(seconds) * 1_000_000 + int(micros or 0) - 1, 0)
    return f"{before // 1_000_000:010d}.{before % 1_000_000:06d}"


@asynccontextmanager
async def opened(config: SlackHistoryConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source."""
    async with session() as http:
        token = config.bot_token.get_secret_value()
        workspace = Workspace(Api(client(token, base_url(config.api_url), http)))
        history = History(
            context.name,
            config,
            [SlackTalk(one, workspace, bots=config.bots) for one in config.channels],
            suffix=SUFFIX,
            data_dir=context.data_dir,
            log=context.log,
        )
        try:
            yield history
        finally:
            history.close()
