"""The Bot API of the stand-in, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from citewell_telegram.standin.world import BOT, Json, World

TOKEN = "42:stand-in"  # noqa: S105 - of no bot
_MAX_UNITS = 4096
_CHANGING = {"sendMessage", "editMessageText", "deleteMessage"}
_TEXTS = {"callback_query_id", "file_id", "text", "url"}
_REASONS = {
    400: "Bad Request",
    403: "Forbidden: the bot may not write here",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Refused(Exception):
    """A call that the API refuses.

    Attributes:
        status: of HTTP.
        said: what it says.
    """

    def __init__(self, said: str, status: int = 400) -> None:
        super().__init__(said)
        self.said = said
        self.status = status


class Api:
    """Answers calls of a bot.

    Args:
        world: what there is.

    Attributes:
        answered: what the presses of buttons were answered with, by their ids.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._news = asyncio.Event()
        self._polls = 0
        self._failing: tuple[int, int, float | None] = (0, 0, None)
        self._runner: web.AppRunner | None = None
        self.answered: dict[str, Json] = {}
        self.url = ""

    async def open(self) -> None:
        """Listen on a port of this machine alone."""
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._called)
        app.router.add_get("/file/bot{token}/{path}", self._file)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port, *_ = self._runner.addresses[0]
        self.url = f"http://{host}:{port}"

    async def close(self) -> None:
        """Listen no more."""
        self.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    def news(self) -> None:
        """Tell whoever waits that something happened."""
        self._news.set()

    def fail(self, times: int, status: int, retry_after_s: float | None) -> None:
        """Let the next calls that would change something fail."""
        self._failing = times, status, retry_after_s

    def cut(self) -> None:
        """Break every connection."""
        self._polls = 0
        if self._runner is None or self._runner.server is None:
            return
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    @property
    def is_heard(self) -> bool:
        """Whether a bot waits for what happens."""
        return self._polls > 0

    # --- calls --------------------------------------------------------------------------------

    async def _called(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return _refusal(401, "Unauthorized")
        posted = (await request.post()).items()
        form = {name: _value(str(value)) if name not in _TEXTS else value for name, value in posted}
        if method in _CHANGING and (failed := self._weather()) is not None:
            return failed
        try:
            if method == "getUpdates":
                result: object = await self._updates(form)
            else:
                result = self._methods()[method](form)
        except Refused as refusal:
            return _refusal(refusal.status, refusal.said)
        return web.json_response({"ok": True, "result": result})

    def _methods(self) -> Mapping[str, Callable[[Json], object]]:
        return {
            "getMe": lambda _form: BOT,
            "sendMessage": self._send,
            "editMessageText": self._edit,
            "deleteMessage": self._delete,
            "sendChatAction": lambda _form: True,
            "answerCallbackQuery": self._answer,
            "getChatMember": self._member,
            "getChatMemberCount": lambda form: len(self._world.members[str(form["chat_id"])]) + 1,
            "getChatAdministrators": lambda _form: [],
            "getFile": self._found,
        }

    def _weather(self) -> web.Response | None:
        times, status, retry_after_s = self._failing
        if not times:
            return None
        self._failing = times - 1, status, retry_after_s
        return _refusal(status, _REASONS.get(status, "Bad Request"), retry_after_s)

    async def _updates(self, form: Json) -> list[Json]:
        offset = form.get("offset", 0)
        self._world.updates = [one for one in self._world.updates if one["update_id"] >= offset]
        self._polls += 1
        polls = self._polls
        try:
            async with asyncio.timeout(form.get("timeout", 0)):
                while not self._world.updates:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return []
        finally:
            # A cut has set it to 0.
            self._polls = max(0, self._polls - 1) if self._polls >= polls else self._polls
        return self._world.updates

    def _send(self, form: Json) -> Json:
        self._check(form)
        replied = form.get("reply_parameters", {}).get("message_id")
        return self._world.put(
            BOT["id"],
            form["chat_id"],
            text=form["text"],
            entities=form.get("entities"),
            reply_markup=form.get("reply_markup"),
            link_preview_options=form.get("link_preview_options"),
            message_thread_id=form.get("message_thread_id"),
            reply_to_message=self._world.messages.get(replied),
        )

    def _edit(self, form: Json) -> Json:
        self._check(form)
        message = self._world.messages.get(form["message_id"])
        if message is None:
            raise Refused("Bad Request: message to edit not found")
        kept = ("text", "entities", "reply_markup")
        if all(message.get(name) == form.get(name) for name in kept):
            raise Refused("Bad Request: message is not modified")
        for name in kept:
            message.pop(name, None)
            if name in form:
                message[name] = form[name]
        changes = self._world.changes
        changes[form["message_id"]] = changes.get(form["message_id"], 0) + 1
        return message

    @staticmethod
    def _check(form: Json) -> None:
        if not str(form.get("text", "")).strip():
            raise Refused("Bad Request: message text is empty")
        if len(str(form["text"]).encode("utf-16-le")) > 2 * _MAX_UNITS:
            raise Refused("Bad Request: message is too long")

    def _delete(self, form: Json) -> bool:
        if self._world.messages.pop(form["message_id"], None) is None:
            raise Refused("Bad Request: message to delete not found")
        return True

    def _answer(self, form: Json) -> bool:
        self.answered[str(form["callback_query_id"])] = form
        return True

    def _member(self, form: Json) -> Json:
        is_in = self._world.is_in(str(form["chat_id"]), form["user_id"])
        if is_in is None:
            raise Refused("Bad Request: chat not found")
        user = self._world.user(form["user_id"])
        return {"status": "member" if is_in else "left", "user": user}

    def _found(self, form: Json) -> Json:
        id_ = str(form["file_id"])
        return {"file_id": id_, "file_unique_id": id_, "file_path": id_}

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self._world.files[request.match_info["path"]])


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _refusal(status: int, said: str, retry_after_s: float | None = None) -> web.Response:
    told: Json = {"ok": False, "error_code": status, "description": said}
    if retry_after_s is not None:
        told["parameters"] = {"retry_after": max(1, round(retry_after_s))}
    return web.json_response(told, status=status)
