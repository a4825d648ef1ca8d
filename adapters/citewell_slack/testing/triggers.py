"""What an app may do for a while because a person did something."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from aiohttp import web

from citewell_slack.testing.api import WebApi
from citewell_slack.testing.board import Board
from citewell_slack.testing.calls import Call
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.content import read_content
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.messages import Content, Ephemeral, Message
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Channel


@dataclass
class Trigger:
    """Leave to open one modal."""

    user: str
    until: float
    is_used: bool = False


class Triggers:
    """Hands out and takes back leave to open modals."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._known: dict[str, Trigger] = {}

    def issue(self, user: str) -> str:
        """Return a trigger id for what `user` just did."""
        id_ = f"{len(self._known)}.{int(self._clock.now)}.{secrets.token_hex(8)}"
        self._known[id_] = Trigger(user, self._clock.now + self._limits.trigger_s)
        return id_

    def redeem(self, id_: str) -> str:
        """Return who did something.

        Raises:
            Refusal: it is too long ago, or the trigger was used.
        """
        trigger = self._known.get(id_)
        if trigger is None:
            raise Refusal("invalid_trigger_id")
        if trigger.is_used:
            raise Refusal("exchanged_trigger_id")
        if self._clock.now > trigger.until:
            raise Refusal("expired_trigger_id")
        trigger.is_used = True
        return trigger.user


@dataclass
class ResponseUrl:
    """Leave to answer.

    Attributes:
        original: what `replace_original` and `delete_original` change: the message that something
            was pressed in. After a command there is none, and what was said stays.
    """

    board: Board
    channel: Channel
    user: str
    until: float
    original: Message | Ephemeral | None
    thread_ts: str | None = None
    uses: list[JsonObject] = field(default_factory=list)


class ResponseUrls:
    """Hands out response URLs, and takes what is posted there."""

    def __init__(self, clock: Clock, api: WebApi, limits: Limits) -> None:
        self.address = ""
        self._clock = clock
        self._api = api
        self._limits = limits
        self._known: dict[str, ResponseUrl] = {}

    def issue(
        self,
        board: Board,
        channel: Channel,
        user: str,
        original: Message | Ephemeral | None = None,
    ) -> str:
        """Return where to answer what `user` just did."""
        id_ = secrets.token_hex(12)
        until = self._clock.now + self._limits.response_s
        thread_ts = original.thread_ts if original is not None else None
        is_own = isinstance(original, Ephemeral) or (
            original is not None and original.author == board.app_author
        )
        changed = original if is_own else None
        self._known[id_] = ResponseUrl(board, channel, user, until, changed, thread_ts)
        return f"http://{self.address}/actions/{channel.id}/{id_}"

    async def handle(self, request: web.Request) -> web.Response:
        """Take one answer; it is logged as a call of `response_url`."""
        known = self._known.get(request.match_info["id"])

        def take(call: Call) -> JsonObject:
            try:
                self._use(known, {**call.arguments})
            except Refusal as error:
                error.status = error.status if error.status != 200 else 400
                raise
            return {}

        return await self._api.serve(request, "response_url", take)

    def say(self, url: str, answer: object) -> None:
        """Take what an app said with its acknowledgement, which counts as no use."""
        if isinstance(answer, str) and answer:
            answer = {"text": answer}
        if isinstance(answer, dict) and (answer.get("text") or answer.get("blocks")):
            self._do(self._known[url.rpartition("/")[2]], answer)

    def _use(self, known: ResponseUrl | None, body: JsonObject) -> None:
        if known is None or self._clock.now > known.until:
            raise Refusal("expired_url", status=404)
        if len(known.uses) >= self._limits.response_uses:
            raise Refusal("used_url", status=404)
        self._do(known, body)
        known.uses.append(body)

    def _do(self, known: ResponseUrl, body: JsonObject) -> None:
        if body.get("delete_original"):
            self._delete(known)
            return
        content = read_content(body, self._limits)
        if body.get("replace_original") and known.original is not None:
            self._replace(known.board, known.original, content)
        else:
            # https://github.com/slackapi/bolt-python/issues/1268
            self._show(known, content, body)

    def _show(self, known: ResponseUrl, content: Content, body: JsonObject) -> Message | Ephemeral:
        thread_ts = body.get("thread_ts", known.thread_ts)
        if body.get("response_type") == "in_channel":
            author = known.board.app_author
            return known.board.post(known.channel, author, content, thread_ts=thread_ts)
        return known.board.whisper(known.channel, known.user, content, thread_ts=thread_ts)

    def _replace(self, board: Board, original: Message | Ephemeral, content: Content) -> None:
        if original.is_deleted:
            raise Refusal("message_not_found", status=404)
        if isinstance(original, Message):
            kept = replace(content, metadata=content.metadata or original.metadata)
            board.edit(original, kept, by=original.user)
        else:
            board.rewrite(original, content)

    def _delete(self, known: ResponseUrl) -> None:
        if isinstance(known.original, Message):
            known.board.delete(known.original)
        elif known.original is not None:
            known.board.withdraw(known.original)
