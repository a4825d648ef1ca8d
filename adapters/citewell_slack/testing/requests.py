"""Events over HTTP: signed requests to a URL of the app."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
import msgspec

from citewell_slack.testing.clock import Clock
from citewell_slack.testing.deliveries import Attempt, Delivery, Reply, is_done_in_time
from citewell_slack.testing.wire import decoded


class NotVerified(Exception):
    """The request URL did not return the challenge."""


@dataclass
class Signature:
    """How requests are signed.

    Attributes:
        age_s: how old each request claims to be.
    """

    secret: str
    age_s: float = 0.0

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the headers that prove where `body` is from."""
        # The app judges the age by the machine's clock, not by ours.
        stamp = str(int(time.time() - self.age_s))
        signed = f"v0:{stamp}:".encode() + body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


class Requests:
    """Sends to one URL, which takes events, commands and clicks alike.

    Attributes:
        signature: made anew for each request; tests may spoil it.
        statuses: what the app answered, oldest first.
    """

    def __init__(self, clock: Clock, url: str, signature: Signature) -> None:
        self.url = url
        self.signature = signature
        self.statuses: list[int] = []
        self._clock = clock
        self._session = aiohttp.ClientSession()

    async def verify(self, token: str) -> None:
        """Ask the app to prove that the URL is its own.

        Raises:
            NotVerified: it did not.
        """
        # The app must see a challenge before any event, or Slack saves no URL.
        challenge = {"type": "url_verification", "token": token, "challenge": "3eZbrw1a"}
        status, answer, _ = await self._post(msgspec.json.encode(challenge), {})
        said = answer.get("challenge") if isinstance(answer, dict) else answer
        if status != 200 or said != challenge["challenge"]:
            raise NotVerified(f"{self.url} answered {status} without the challenge")

    async def attempt(self, delivery: Delivery, attempt: Attempt) -> Reply:
        """Post it, and wait for the answer as long as Slack does."""
        retry = {}
        if attempt.number:
            retry = {
                "X-Slack-Retry-Num": str(attempt.number),
                "X-Slack-Retry-Reason": attempt.reason,
            }
        body = _body(delivery)
        posting = asyncio.ensure_future(self._post(body, retry | _content_type(delivery)))
        try:
            if not await is_done_in_time(posting, self._clock):
                return Reply("http_timeout")
            status, answer, headers = posting.result()
        except (aiohttp.ClientError, OSError):
            return Reply("connection_failed")
        finally:
            posting.cancel()
        if not 200 <= status < 300:
            return Reply("http_error", may_retry=headers.get("X-Slack-No-Retry") != "1")
        return Reply(answer=answer)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._session.close()

    async def _post(
        self, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, object, Mapping[str, str]]:
        sent = {"Content-Type": "application/json", **self.signature.headers(body), **headers}
        async with self._session.post(self.url, data=body, headers=sent) as response:
            text = await response.text()
            self.statuses.append(response.status)
            return response.status, _decoded(text), response.headers.copy()


def _content_type(delivery: Delivery) -> dict[str, str]:
    is_event = delivery.kind == "events_api"
    return {} if is_event else {"Content-Type": "application/x-www-form-urlencoded"}


def _body(delivery: Delivery) -> bytes:
    match delivery.kind:
        case "events_api":
            return msgspec.json.encode(delivery.payload)
        case "interactive":
            return urlencode({"payload": msgspec.json.encode(delivery.payload).decode()}).encode()
        case "slash_commands":
            return urlencode(delivery.payload).encode()


def _decoded(text: str) -> object:
    """Return the JSON of an answer, its text where it is none, or None where it is empty."""
    return decoded(text) or text or None
