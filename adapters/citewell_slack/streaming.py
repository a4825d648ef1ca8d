"""One message of an answer: streamed where that works, else posted and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from citewell_slack.budgets import Budget, Budgets, Slot
from citewell_slack.calls import Api, Refused, Unheard
from citewell_slack.encoding import SlackBlock, context, size

EVENT_TYPE: Final = "citewell_reply"
WITHOUT_PREVIEWS: Final = {"unfurl_links": False, "unfurl_media": False}

# Users report `msg_too_long` at about 3,000 characters of a stream.
MOST_STREAMED: Final = 2_800
_CARD: Final = "sources"
_MOST_SOURCES: Final = 20
_MOST_NOTIFIED: Final = 300
_GROWING: Final = "…"
# Of a message that somebody else took away, or that Slack lets nobody change any more.
_UNCHANGEABLE: Final = frozenset({
    "cant_update_message",
    "edit_window_closed",
    "message_not_found",
})


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where the messages of a reply stand.

    Attributes:
        thread: empty outside a thread.
        user: whom it is streamed to; empty where that is not known.
        key: of the reply.
        budgets: what the workspace allows.
    """

    api: Api
    team: str
    channel: str
    thread: str
    user: str
    key: str
    budgets: Budgets = field(default_factory=Budgets)

    @property
    def can_stream(self) -> bool:
        """Whether Slack has what a stream needs."""
        return bool(self.thread and self.user)

    def metadata(self, part: int, *, complete: bool) -> dict[str, Any]:
        """Return what tells the message of a reply when it is looked for."""
        told = {"key": self.key, "part": part, "complete": complete}
        return {"event_type": EVENT_TYPE, "event_payload": told}


class _Later(Exception):
    """A message cannot grow just now; nothing was done."""


@dataclass
class Part:
    """One message.

    Attributes:
        part: which one of the reply, from 0.
        ts: as Slack names it; empty before it is posted.
        is_streaming: more can be appended; it has to be stopped.
        shown: its blocks; None when that is not known.
        is_complete: it was shown as finished.
    """

    spot: Spot
    part: int
    ts: str = ""
    is_streaming: bool = False
    shown: list[SlackBlock] | None = None
    is_complete: bool = False
    _stream: Slot | None = None
    _change_to_come: Slot | None = None

    async def show(self, blocks: list[SlackBlock], *, complete: bool, streams: bool) -> None:
        """Let the message say this; what grows faster than Slack allows is shown another time.

        Raises:
            DeliveryError: it cannot, or not now.
        """
        if self.ts and blocks == self.shown and complete == self.is_complete:
            return
        try:
            if not self.ts:
                await self._begin(blocks, complete=complete, streams=streams)
            elif not (self.is_streaming and await self._continued(blocks, complete=complete)):
                await self._change(blocks, complete=complete)
        except _Later:
            return
        self.shown, self.is_complete = blocks, complete

    async def close(self, *, waits: bool = True) -> None:
        """Leave no stream open."""
        if self.is_streaming:
            metadata = self.spot.metadata(self.part, complete=False)
            try:
                await self._do("chat.stopStream", waits=waits, metadata=metadata)
            except Refused as error:
                # It may have ended by itself, or somebody pressed stop.
                if error.passes:
                    raise
            self._ended()

    async def delete(self) -> None:
        """Take the message back; nothing where it is gone."""
        await self.close()
        try:
            await self._do("chat.delete")
        except Refused as error:
            if error.passes:
                raise

    # --- beginning ------------------------------------------------------------------------

    async def _begin(self, blocks: list[SlackBlock], *, complete: bool, streams: bool) -> None:
        if streams and not complete and self.spot.can_stream and size(blocks) <= MOST_STREAMED:
            self._stream = self.spot.budgets.streams.take()
            if self._stream is not None and await self._started(blocks):
                return
        if not complete:
            self._change_to_come = self._held(self.spot.budgets.changes)
        await self._post(blocks, complete=complete)

    async def _started(self, blocks: Sequence[SlackBlock]) -> bool:
        """Begin a stream; False where there is none to be had."""
        spot = self.spot
        card = _task("Looking in the documents", "in_progress", ())
        try:
            began = await spot.api.do_now(
                "chat.startStream",
                channel=spot.channel,
                thread_ts=spot.thread,
                recipient_team_id=spot.team,
                recipient_user_id=spot.user,
                task_display_mode="timeline",
                chunks=[card, *_chunks(blocks)],
            )
        except Refused as error:
            self._ended()
            if error.is_limit:
                spot.budgets.streams.rest(error.retry_after_s)
            # Some gateways know nothing of streams.
            elif error.passes:
                raise
            return False
        self.ts, self.is_streaming = str(began["ts"]), True
        return True

    def _ended(self) -> None:
        self.is_streaming = False
        self.spot.budgets.streams.give_back(self._stream)
        self._stream = None

    def _held(self, budget: Budget) -> Slot:
        """Return a slot.

        Raises:
            _Later: there is none now.
        """
        slot = budget.take()
        if slot is None:
            raise _Later
        return slot

    async def _post(self, blocks: list[SlackBlock], *, complete: bool) -> None:
        spot = self.spot
        arguments: dict[str, Any] = {
            "channel": spot.channel,
            "thread_ts": spot.thread or None,
            "metadata": spot.metadata(self.part, complete=complete),
            **WITHOUT_PREVIEWS,
            **said(blocks, complete=complete),
        }
        if complete:
            posted = await spot.api.do("chat.postMessage", **arguments)
        else:
            posted = await self._grown("chat.postMessage", None, arguments)
        self.ts = str(posted["ts"])

    # --- going on -------------------------------------------------------------------------

    async def _continued(self, blocks: list[SlackBlock], *, complete: bool) -> bool:
        """Append to the stream, and stop it with the last; False where that cannot be done."""
        # After a crash nobody knows what was streamed.
        grown = None if self.shown is None else _growth(self.shown, blocks)
        if grown is None:
            return False
        more, rest = grown
        if size([one for one in blocks if one["type"] == "markdown"]) > MOST_STREAMED:
            return False
        try:
            if complete:
                await self._stop(more, rest, blocks)
            elif size(blocks) > MOST_STREAMED:
                return False
            else:
                chunks = [*more, *_chunks(rest)]
                where = {"channel": self.spot.channel, "ts": self.ts}
                budget = self.spot.budgets.appends
                await self._grown("chat.appendStream", budget, {**where, "chunks": chunks})
        except Unheard:
            # Whether the chunks arrived is not known, but a change of the whole is safe.
            return False
        except Refused as error:
            if error.passes:
                raise
            if error.code == "message_not_in_streaming_state":
                self._ended()
            return False
        return True

    async def _stop(
        self, more: Sequence[SlackBlock], rest: list[SlackBlock], blocks: Sequence[SlackBlock]
    ) -> None:
        sources = _sources(blocks)
        title = f"{len(sources)} sources" if len(sources) != 1 else "1 source"
        card = _task(title if sources else "Looked in the documents", "complete", sources)
        await self._do(
            "chat.stopStream",
            chunks=[card, *more],
            blocks=rest or None,
            metadata=self.spot.metadata(self.part, complete=True),
        )
        self._ended()

    async def _change(self, blocks: list[SlackBlock], *, complete: bool) -> None:
        changes = self.spot.budgets.changes
        if not complete and self._change_to_come is None:
            self._change_to_come = self._held(changes)
        await self._close_for_change(complete=complete)
        arguments: dict[str, Any] = {
            "metadata": self.spot.metadata(self.part, complete=complete),
            **said(blocks, complete=complete),
        }
        try:
            if complete:
                await self._update(arguments)
                changes.give_back(self._change_to_come)
                self._change_to_come = None
            else:
                where = {"channel": self.spot.channel, "ts": self.ts}
                await self._grown("chat.update", changes, {**where, **arguments})
        except Refused as error:
            if error.code not in _UNCHANGEABLE:
                raise
            await self._post(blocks, complete=complete)

    async def _update(self, arguments: Mapping[str, Any]) -> None:
        try:
            await self._do("chat.update", **arguments)
        except Refused as error:
            if error.code != "streaming_state_conflict":
                raise
            # It was taken for stopped: nobody heard that it was not.
            self.is_streaming = True
            await self.close()
            await self._do("chat.update", **arguments)

    async def _close_for_change(self, *, complete: bool) -> None:
        try:
            await self.close(waits=complete)
        except Refused as error:
            if complete or not error.is_limit:
                raise
            raise _Later from error

    async def _grown(
        self, method: str, budget: Budget | None, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Do what only lets the message grow.

        Raises:
            DeliveryError: it was refused, or nobody knows.
            _Later: that is too much now.
        """
        if budget is not None and not budget.allows_one():
            raise _Later
        try:
            return await self.spot.api.do_now(method, **arguments)
        except Refused as error:
            if not error.is_limit:
                raise
            if budget is not None:
                budget.rest(error.retry_after_s)
            raise _Later from error

    async def _do(self, method: str, *, waits: bool = True, **arguments: Any) -> Mapping[str, Any]:
        do = self.spot.api.do if waits else self.spot.api.do_now
        return await do(method, channel=self.spot.channel, ts=self.ts, **arguments)


def said(blocks: Sequence[SlackBlock], *, complete: bool) -> dict[str, Any]:
    """Return the arguments that let a message say this."""
    growing = [] if complete else [context(_GROWING)]
    return {
        "text": _notification(blocks) or _GROWING,
        "blocks": [*blocks, *growing],
        # The text of a notification is markup, which has been escaped, and is not to be read anew.
        "parse": "none",
        "link_names": False,
    }


def _notification(blocks: Sequence[SlackBlock]) -> str:
    """Return what a notification says, without anything that could be a link or a mention."""
    for block in blocks:
        words = block["text"] if block["type"] == "markdown" else ""
        if words:
            # Half an entity at the cut would be read as it stands.
            cut = words[:_MOST_NOTIFIED].rpartition("&")
            words = cut[0] if cut[1] and ";" not in cut[2] else words[:_MOST_NOTIFIED]
            return words.replace("://", ":\u2060//").replace("www.", "www\u2060.")
    return "…"


def _growth(
    before: Sequence[SlackBlock], after: Sequence[SlackBlock]
) -> tuple[list[SlackBlock], list[SlackBlock]] | None:
    """Return the chunk that the last block grew by, and the blocks behind it; None if it did not.

    What was streamed cannot be changed, only continued.
    """
    kept = len(before) - 1
    if len(after) <= kept or list(before[:kept]) != list(after[:kept]):
        return None
    last, now = before[kept], after[kept]
    rest = [*after[kept + 1 :]]
    if last == now:
        return [], rest
    if last["type"] != "markdown" or now["type"] != "markdown":
        return None
    if not now["text"].startswith(last["text"]):
        return None
    return [{"type": "markdown_text", "text": now["text"][len(last["text"]) :]}], rest


def _chunks(blocks: Sequence[SlackBlock]) -> list[dict[str, Any]]:
    return [
        {"type": "markdown_text", "text": one["text"]}
        if one["type"] == "markdown"
        else {"type": "blocks", "blocks": [one]}
        for one in blocks
    ]


def _task(title: str, status: str, sources: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    task: dict[str, Any] = {"type": "task_update", "id": _CARD, "title": title, "status": status}
    return {**task, "sources": [*sources]} if sources else task


def _sources(blocks: Sequence[SlackBlock]) -> list[dict[str, str]]:
    """Return the sources that can be opened, once each."""
    found: dict[str, dict[str, str]] = {}

    def collect(value: object) -> None:
        if isinstance(value, Mapping):
            if value.get("type") == "link":
                url, words = str(value["url"]), str(value["text"])
                found.setdefault(url, {"type": "url", "url": url, "text": words[:256]})
            for one in value.values():
                collect(one)
        elif isinstance(value, list):
            for one in value:
                collect(one)

    collect([one for one in blocks if one["type"] == "rich_text"])
    return [*found.values()][:_MOST_SOURCES]


def key_of(message: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return the key of the reply that a message belongs to, and which part it is, or None."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    told = metadata.get("event_payload") or {}
    try:
        return str(told["key"]), int(told["part"])
    except (KeyError, TypeError, ValueError):
        return None
