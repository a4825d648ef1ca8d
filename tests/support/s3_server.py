"""A small S3 that speaks the real protocol, well or badly, as its test says."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import quote
from xml.sax.saxutils import escape

from aiohttp import web

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Server:
    """Serves one bucket, `docs`.

    Attributes:
        url: the endpoint.
        objects: key to content.
        faults: key to "denied", "gone", "half", "hangs", "moves" or "away"; "" is the listing.
        becomes: key to the content that an object has from the moment it is first read.
        page: how many keys a page of the listing has.
        requests: method and path of each request, in order.
        hangs: set while a request is answered by half and no more.
        elsewhere: where "away" redirects to.
    """

    def __init__(self) -> None:
        self.url = ""
        self.objects: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        self.becomes: dict[str, bytes] = {}
        self.page = 1000
        self.requests: list[str] = []
        self.hangs = asyncio.Event()
        self.elsewhere = ""

    def fetched(self) -> list[str]:
        """Return the keys whose content was asked for."""
        gets = [one.removeprefix("GET ") for one in self.requests if one.startswith("GET ")]
        return [path.removeprefix("/docs/") for path in gets if path.startswith("/docs/")]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        bucket, _, key = request.path.removeprefix("/").partition("/")
        fault = self.faults.get(key)
        if fault == "denied":
            return _error(403, "AccessDenied")
        if fault == "away":
            return web.Response(status=307, headers={"Location": self.elsewhere + request.path})
        if bucket != "docs":
            return _error(404, "NoSuchBucket")
        if not key:
            return self._list(request)
        if key not in self.objects or (fault == "gone" and request.method == "GET"):
            return _error(404, "NoSuchKey")
        return await self._read(request, key, fault)

    def _list(self, request: web.Request) -> web.Response:
        prefix = request.query.get("prefix", "")
        after = request.query.get("continuation-token", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        page = keys[: self.page]
        if self.faults.get("page") and after:
            return _error(403, "AccessDenied")
        more = len(keys) > len(page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>docs</Name>'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}"
            f"<EncodingType>url</EncodingType>{''.join(map(self._entry, page))}</ListBucketResult>"
        )
        return web.Response(text=text, content_type="application/xml")

    def _entry(self, key: str) -> str:
        content = self.objects[key]
        return (
            f"<Contents><Key>{quote(key)}</Key><Size>{len(content)}</Size>"
            f"<ETag>{escape(_etag(content))}</ETag>"
            f"<LastModified>{WRITTEN.isoformat()}</LastModified></Contents>"
        )

    async def _read(self, request: web.Request, key: str, fault: str | None) -> web.StreamResponse:
        content = self.objects[key]
        if request.method == "HEAD":
            head = web.Response(body=content, headers={"ETag": _etag(content)})
            head.last_modified = WRITTEN
            if key in self.becomes:
                self.objects[key] = self.becomes.pop(key)
            return head
        if request.headers.get("If-Match", _etag(content)) != _etag(content):
            return _error(412, "PreconditionFailed")
        response = web.StreamResponse(
            status=206,
            headers={
                "ETag": _etag(content),
                "Content-Length": str(len(content)),
                "Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}",
            },
        )
        await response.prepare(request)
        if fault not in {"half", "hangs"}:
            await response.write(content)
            return response
        await response.write(content[: len(content) // 2])
        if fault == "hangs":
            self.hangs.set()
            await asyncio.Event().wait()
        request.transport.close()
        return response


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


_MESSAGES = {
    "AccessDenied": "Access Denied",
    "NoSuchBucket": "The specified bucket does not exist",
    "NoSuchKey": "The specified key does not exist.",
    "PreconditionFailed": "At least one of the pre-conditions you specified did not hold",
}


def _error(status: int, code: str) -> web.Response:
    text = f"<Error><Code>{code}</Code><Message>{_MESSAGES[code]}</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """Yield a server on a free port of this machine."""
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
