"""An HTTP server that speaks the APIs that LiteLLM asks, well or badly, as its test says.

To write and to embed it speaks OpenAI's, to rerank Cohere's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Respond = Callable[[web.Request, dict[str, Any]], Any]


class Server:
    """Answers requests.

    Attributes:
        url: what `api_base` has to be.
        requests: the JSON of each request, in order.
        sent: every byte of each request's headers and body.
        open_streams: requests that are being answered.
        idle: set while there are none.
        respond: what answers the next requests.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.sent = b""
        self.open_streams = 0
        self.idle = asyncio.Event()
        self.respond: Respond = say("Every employee has 28 days [1].")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.sent += body + str(request.raw_headers).encode()
        asked = json.loads(body)
        self.requests.append(asked)
        self.headers.append(dict(request.headers))
        self.open_streams += 1
        self.idle.clear()
        try:
            return await self.respond(request, asked)
        finally:
            self.open_streams -= 1
            if not self.open_streams:
                self.idle.set()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """Yield a server on a free port of this machine."""
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    server = Server("")
    for path in ("v1/chat/completions", "v1/embeddings", "v1/rerank", "v2/rerank"):
        app.router.add_post(f"/{path}", server.handle)
    # What others than OpenAI and Cohere call theirs.
    app.router.add_post("/{path:.*}", server.handle)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def eavesdropping() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Open a server that takes what it is sent and answers nothing; yield its address and that."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65_536))
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


def chunk(text: str | None = None, *, finish: str | None = None) -> bytes:
    """Return one event of a stream."""
    delta = {} if text is None else {"role": "assistant", "content": text}
    return event({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    })


def usage(input_tokens: int = 100, output_tokens: int = 10) -> bytes:
    """Return the last event but one of a stream."""
    return event({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "test",
        "choices": [],
        "usage": {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        },
    })


def event(value: object) -> bytes:
    """Return `value` as a server-sent event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def say(
    text: str, *, pause_s: float = 0.0, finish: str = "stop", tokens: tuple[int, int] = (100, 10)
) -> Respond:
    """Stream `text` word by word, as a good server does."""
    words = [chunk(word) for word in text.replace(" ", " \0").split("\0")]
    return stream(*words, chunk(finish=finish), usage(*tokens), DONE, pause_s=pause_s)


def stream(
    *parts: bytes, pause_s: float = 0.0, hangs: bool = False, breaks: bool = False
) -> Respond:
    """Send these bytes, then end, hang, or break the connection."""

    async def respond(request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            await asyncio.sleep(pause_s)
        if hangs:
            await asyncio.sleep(60)
        if breaks and request.transport is not None:
            request.transport.abort()
        return response

    return respond


def embed(vector: Callable[[str], Sequence[float]], *, backwards: bool = False) -> Respond:
    """Give each text its vector, as a good server does: of an empty text it has none."""

    async def respond(_request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
        if not texts or any(not text.strip() or "\0" in text for text in texts):
            return web.json_response({"error": {"message": "empty input"}}, status=400)
        data = [embedding(index, vector(text)) for index, text in enumerate(texts)]
        return web.json_response(embeddings(data[::-1] if backwards else data))

    return respond


def embedding(index: object, vector: object) -> dict[str, object]:
    """Return one entry of what an API gives for texts."""
    return {"object": "embedding", "index": index, "embedding": vector}


def embeddings(data: object) -> dict[str, object]:
    """Return what an API gives for texts."""
    counted = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "data": data, "model": "test", "usage": counted}


def rank(score: Callable[[str, str], float]) -> Respond:
    """Score each document, best first, as a good server does: an empty question it refuses."""

    async def respond(_request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        if not asked["query"].strip() or not all(text.strip() for text in asked["documents"]):
            return web.json_response({"message": "empty input"}, status=400)
        scored = [
            {"index": index, "relevance_score": score(asked["query"], text)}
            for index, text in enumerate(asked["documents"])
        ]
        scored.sort(key=lambda one: -one["relevance_score"])
        return web.json_response({"id": "1", "results": scored[: asked.get("top_n")]})

    return respond


def give(value: object) -> Respond:
    """Answer with this JSON, where it is some; else with these bytes."""

    async def respond(_request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return web.Response(body=body, content_type="application/json")

    return respond


def fail(status: int, message: str = "no", *, code: str = "", **headers: str) -> Respond:
    """Answer with an error."""

    async def respond(_request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
        error = {"error": {"message": message, "type": "error", "code": code or None}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(error, status=status, headers=named)

    return respond


def redirect(address: str) -> Respond:
    """Tell whoever asks to ask elsewhere, with the same body."""

    async def respond(_request: web.Request, _asked: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": address})

    return respond


def first(*responses: Respond) -> Respond:
    """Give each of the responses once; the last one for ever."""
    waiting = list(responses)

    async def respond(request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        chosen = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return await chosen(request, asked)

    return respond
