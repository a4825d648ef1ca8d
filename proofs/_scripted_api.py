"""An API of OpenAI's kind whose model has learnt some answers by heart and reads passages."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

_PASSAGE = re.compile(r'<passage number="(\d+)"[^>]*>\n(.*?)\n</passage>', re.DOTALL)
_SENTENCE = re.compile(r"[^.!?\n]*[.!?]?")


class Learnt:
    """Answers requests.

    Args:
        answers: by heart, by question.
        refusal: what is said where neither memory nor passages help.
    """

    def __init__(self, answers: Mapping[str, str], refusal: str) -> None:
        self._answers = answers
        self._refusal = refusal

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request as a stream."""
        asked = await request.json()
        prompt: str = asked["messages"][-1]["content"]
        text = self._said(prompt)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in (_chunk(text), _chunk(None, finish="stop"), _usage(asked, text)):
            await response.write(event)
        await response.write(b"data: [DONE]\n\n")
        return response

    def _said(self, prompt: str) -> str:
        passages = _PASSAGE.findall(prompt)
        question = prompt.rpartition("</passage>")[2].strip()
        known = self._answers.get(question, "")
        if not passages:
            return f"It is {known}." if known else "I do not know."
        for number, text in passages:
            for sentence in _SENTENCE.findall(text):
                if known and known.casefold() in sentence.casefold():
                    return f"{sentence.strip(' .')} [{number}]."
        return self._refusal


def _chunk(text: str | None, *, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"role": "assistant", "content": text}
    return _event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _usage(asked: Mapping[str, Any], text: str) -> bytes:
    read = sum(len(str(message["content"]).split()) for message in asked["messages"])
    wrote = len(text.split())
    counted = {
        "prompt_tokens": read,
        "completion_tokens": wrote,
        "total_tokens": read + wrote,
    }
    return _event({"choices": [], "usage": counted})


def _event(fields: Mapping[str, object]) -> bytes:
    whole = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "learnt",
        **fields,
    }
    return b"data: " + json.dumps(whole).encode() + b"\n\n"


@asynccontextmanager
async def serving(learnt: Learnt) -> AsyncIterator[str]:
    """Yield the address of a server on this machine."""
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/v1/chat/completions", learnt.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()
