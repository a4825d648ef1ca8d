"""GitHub's REST API, as far as issues and comments go, on this machine.

It pages by cursors in Link headers, answers 304 to what did not change, counts requests, moves what
was renamed or transferred, and forgets what was deleted. Its clock goes a second on with each
change. It runs in a thread of its own, so that tests may change it from anywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

REPOSITORY = "acme/tool"
_ID = 4711
_HOOK = Callable[[web.Request], web.StreamResponse | None]


class GitHub:
    """One repository, `acme/tool`.

    Attributes:
        url: what `api_url` has to be.
        token: that is wanted; None for a public repository.
        requests: path with query of each request, in order.
        statuses: of each answer, in order.
        remaining: requests that are answered until the reset; None for any number.
        reset_s: seconds until the reset, told with each answer.
        hook: looks at each request first, and may answer it.
        tokens: each Authorization header.
        is_gone: whether the repository is there no more.
        unlisted: issues that are there and that no listing names.
    """

    def __init__(self) -> None:
        self.url = ""
        self.token: str | None = None
        self.requests: list[str] = []
        self.statuses: list[int] = []
        self.tokens: list[str | None] = []
        self.remaining: int | None = None
        self.reset_s = 3600
        self.hook: _HOOK = lambda _: None
        self.name = REPOSITORY
        self.is_gone = False
        self.unlisted: set[int] = set()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, dict[str, Any]] = {}
        self.moved: dict[int, str] = {}
        self.deleted: set[int] = set()
        self._numbers = 0
        self._ids = 100

    # --- what people do ----------------------------------------------------------------------

    def tick(self) -> str:
        """Let a second pass; return the time."""
        self.now += timedelta(seconds=1)
        return f"{self.now:%Y-%m-%dT%H:%M:%SZ}"

    def open(self, title: str, body: str | None = "", *, by: str = "alice", **more: Any) -> int:
        """Open an issue; return its number."""
        self._numbers += 1
        self._ids += 1
        now = self.tick()
        self.issues[self._numbers] = {
            "id": self._ids,
            "number": self._numbers,
            "title": title,
            "body": body,
            "user": _user(by),
            "state": "open",
            "state_reason": None,
            "labels": [],
            "created_at": now,
            "updated_at": now,
            "closed_at": None,
            "locked": False,
            "active_lock_reason": None,
            "author_association": "NONE",
            **more,
        }
        return self._numbers

    def edit(self, number: int, **more: Any) -> None:
        """Change an issue."""
        self.issues[number].update(more, updated_at=self.tick())

    def comment(self, number: int, body: str, *, by: str = "bob", association: str = "NONE") -> int:
        """Comment on an issue; return the comment's id."""
        self._ids += 1
        now = self.tick()
        self.comments[self._ids] = {
            "id": self._ids,
            "number": number,
            "body": body,
            "user": _user(by),
            "created_at": now,
            "updated_at": now,
            "author_association": association,
        }
        self.issues[number]["updated_at"] = now
        return self._ids

    def edit_comment(self, id_: int, body: str) -> None:
        """Change a comment, which leaves the time of its issue as it is."""
        self.comments[id_].update(body=body, updated_at=self.tick())

    def delete_comment(self, id_: int) -> None:
        """Delete a comment."""
        self.edit(self.comments.pop(id_)["number"])

    def delete(self, number: int) -> None:
        """Delete an issue."""
        self._forget(number)
        self.deleted.add(number)

    def transfer(self, number: int) -> None:
        """Move an issue into another repository."""
        self._forget(number)
        self.moved[number] = f"{self.url}/repositories/815/issues/9"

    def _forget(self, number: int) -> None:
        del self.issues[number]
        self.comments = {k: v for k, v in self.comments.items() if v["number"] != number}

    # --- the wire ----------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        self.tokens.append(request.headers.get("Authorization"))
        response = self.hook(request) or self._limited() or self._answer(request)
        response.headers["Date"] = format_datetime(self.now, usegmt=True)
        if self.remaining is not None and response.status != 304:
            self.remaining = max(self.remaining - 1, 0)
        if self.remaining is not None:
            reset = int(self.now.timestamp()) + self.reset_s
            response.headers["X-RateLimit-Remaining"] = str(self.remaining)
            response.headers["X-RateLimit-Reset"] = str(reset)
        self.statuses.append(response.status)
        return response

    def _limited(self) -> web.Response | None:
        if self.remaining == 0:
            return _said(403, "API rate limit exceeded for user ID 1.")
        return None

    def _answer(self, request: web.Request) -> web.Response:
        if self.token is not None and request.headers.get("Authorization") is not None:
            if request.headers["Authorization"] != f"Bearer {self.token}":
                return _said(401, "Bad credentials")
        elif self.token is not None:
            return _said(404, "Not Found")
        old, current = f"/repos/{REPOSITORY}", f"/repos/{self.name}"
        below = request.path
        if self.is_gone:
            return _said(404, "Not Found")
        for root in (f"/repositories/{_ID}", current):
            if below == root or below.startswith(f"{root}/"):
                return self._inside(request, below.removeprefix(root).strip("/"))
        if below == old or below.startswith(f"{old}/"):
            moved = f"{self.url}/repositories/{_ID}{request.path_qs.removeprefix(old)}"
            return web.Response(status=301, headers={"Location": moved}, text="{}")
        return _said(404, "Not Found")

    def _inside(self, request: web.Request, path: str) -> web.Response:
        match path.split("/"):
            case [""]:
                return _json(request, {"id": _ID, "full_name": self.name})
            case ["issues"]:
                listed = self.issues.keys() - self.unlisted
                return self._page(request, [self._shown(self.issues[one]) for one in listed])
            case ["issues", "comments"]:
                return self._page(request, list(map(self._shown_comment, self.comments.values())))
            case ["issues", number]:
                return self._one(request, int(number))
            case ["issues", number, "comments"] if int(number) in self.issues:
                mine = [one for one in self.comments.values() if one["number"] == int(number)]
                return self._page(request, list(map(self._shown_comment, mine)))
        return _said(404, "Not Found")

    def _one(self, request: web.Request, number: int) -> web.Response:
        if number in self.moved:
            return web.Response(status=301, headers={"Location": self.moved[number]}, text="{}")
        if number in self.deleted:
            return _said(410, "This issue was deleted")
        if number not in self.issues:
            return _said(404, "Not Found")
        return _json(request, self._shown(self.issues[number]))

    def _shown(self, issue: dict[str, Any]) -> dict[str, Any]:
        count = sum(one["number"] == issue["number"] for one in self.comments.values())
        return {**issue, "comments": issue.get("comments", count)}

    def _shown_comment(self, comment: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.url}/repos/{self.name}/issues/{comment['number']}"
        return {**comment, "issue_url": url, "html_url": f"{url}#issuecomment-{comment['id']}"}

    def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        query = request.query
        since, state = query.get("since", ""), query.get("state")
        items = [one for one in items if one["updated_at"] >= since]
        if state is None and request.path.endswith("/issues"):
            state = "open"
        if state in {"open", "closed"}:
            items = [one for one in items if one["state"] == state]
        items.sort(key=lambda one: one["id"], reverse=query.get("direction") == "desc")
        after = int(query.get("after", 0))
        rest = [one for one in items if one["id"] > after]
        page = rest[: min(int(query.get("per_page", 30)), 100)]
        response = _json(request, page)
        if len(rest) > len(page):
            following = request.url.update_query(after=str(page[-1]["id"]))
            response.headers["Link"] = f'<{following}>; rel="next", <{request.url}>; rel="first"'
        return response


def _user(login: str) -> dict[str, Any] | None:
    if not login:
        return None
    return {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def _json(request: web.Request, value: Any) -> web.Response:
    text = json.dumps(value)
    etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    return web.Response(text=text, content_type="application/json", headers={"ETag": etag})


def _said(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


@contextmanager
def serving() -> Iterator[GitHub]:
    """Yield a server on a free port of this machine."""
    github = GitHub()
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", github.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.5)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        github.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield github
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
