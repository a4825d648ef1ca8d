"""One request to a host, within bounds of time and size."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

import httpcore
from msgspec import Struct

from citewell_web.inflating import ENCODINGS, Content, Damaged, TooLarge
from citewell_web.network import CheckedNetwork, Refused
from citewell_web.pacing import Pace
from citewell_web.urls import Url

_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_MOST_WAIT_S = 20.0
_WAIT_S = 2.0
_REASON_CHARS = 200


class Unreached(Exception):
    """A request that brought no answer; says why.

    Attributes:
        is_down: whether the host may be to blame, and not this one address of it.
    """

    def __init__(self, reason: str, *, is_down: bool = False) -> None:
        super().__init__(reason)
        self.is_down = is_down


class Unconnected(Unreached):
    """A host to which there is no connection, or must be none."""


class Head(Struct, frozen=True):
    """The beginning of an answer.

    Attributes:
        headers: by lower-case name; of several of one name, joined by commas.
    """

    status: int
    headers: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return a header, or an empty text."""
        return self.headers.get(name, "")

    @property
    def said(self) -> str:
        """The status in words."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)


class Reply(Struct, frozen=True):
    """An answer.

    Attributes:
        data: the content, unpacked; None when it was not wanted.
    """

    head: Head
    data: bytes | None


Wanted: TypeAlias = Callable[[Head], tuple[int, bool]]
"""Given the beginning of an answer, how many bytes of content are wanted at most (0: none), and
whether a longer one is cut there; otherwise it is refused."""


def only(most: int, *, cuts: bool = False) -> Wanted:
    """Return a wish for the content of a page that is there, and for no other."""
    return lambda head: (most if head.status == HTTPStatus.OK else 0, cuts)


class _Request(Struct, frozen=True):
    url: Url
    wanted: Wanted
    conditions: Mapping[str, str]


class Manner(Struct, frozen=True, kw_only=True):
    """How hosts are asked.

    Attributes:
        timeout_s: for one request from its beginning to its end.
        headers: further ones by authority; nobody else is sent them.
    """

    user_agent: str
    interval_s: float
    concurrency: int
    timeout_s: float
    headers: Mapping[str, Mapping[str, str]]


class Client:
    """Asks hosts, each at its own pace. Follows no redirect and keeps no cookie."""

    def __init__(self, network: CheckedNetwork, manner: Manner, trust: ssl.SSLContext) -> None:
        self._manner = manner
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=manner.concurrency,
            keepalive_expiry=10.0,
            network_backend=network,
        )
        self._at_once = asyncio.Semaphore(manner.concurrency)
        self._paces: dict[str, Pace] = {}

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    def pace(self, url: Url) -> Pace:
        """Return the pace at which the host of an address is asked."""
        return self._paces.setdefault(url.authority, Pace(self._manner.interval_s))

    async def get(
        self, url: Url, wanted: Wanted, *, conditions: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask for `url`; once more where the host is busy, and for nothing of it in between.

        Raises:
            Unreached: there is no answer, or none within the bounds.
        """
        request = _Request(url, wanted, conditions or {})
        reply = await self._ask(request)
        if reply.head.status in _BUSY:
            self.pace(url).hold(_wait_s(reply.head.get("retry-after")))
            reply = await self._ask(request)
        return reply

    async def _ask(self, request: _Request) -> Reply:
        await self.pace(request.url).turn()
        async with self._at_once:
            try:
                async with asyncio.timeout(self._manner.timeout_s):
                    try:
                        return await self._answer(request)
                    except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError):
                        # A host may close a connection just when it is used again.
                        return await self._answer(request)
            except TimeoutError as error:
                raise Unreached(
                    f"takes longer than timeout_s = {self._manner.timeout_s:g}", is_down=True
                ) from error
            except Refused as error:
                raise Unconnected(f"is not reached: {error}", is_down=True) from error
            except Damaged as error:
                raise Unreached(str(error)) from error
            except (httpcore.ConnectError, httpcore.TimeoutException) as error:
                raise Unconnected(f"does not answer: {_line(error)}", is_down=True) from error
            except (httpcore.NetworkError, httpcore.ProtocolError) as error:
                raise Unreached(f"answers wrongly: {_line(error)}") from error

    async def _answer(self, request: _Request) -> Reply:
        url = request.url
        async with self._pool.stream(
            "GET",
            httpcore.URL(
                scheme=url.scheme.encode(),
                host=url.host.encode(),
                port=url.port,
                target=url.target.encode(),
            ),
            headers=self._headers(url, request.conditions),
        ) as response:
            head = Head(response.status, _headers(response.headers))
            most, cuts = request.wanted(head)
            data = await _content(response, head, most, cuts=cuts) if most else None
            return Reply(head, data)

    def _headers(self, url: Url, conditions: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
        headers = {
            "host": url.authority,
            "user-agent": self._manner.user_agent,
            "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            "accept-encoding": ", ".join(sorted({"gzip", "deflate"} & ENCODINGS.keys())),
            **conditions,
            **self._manner.headers.get(url.authority, {}),
        }
        return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


async def _content(response: httpcore.Response, head: Head, most: int, *, cuts: bool) -> bytes:
    content = Content(head.get("content-encoding").strip().lower(), most=most)
    declared = head.get("content-length")
    if declared.isdigit() and int(declared[:20]) > most and not cuts:
        raise Unreached(_too_large(most))
    try:
        async for piece in response.aiter_stream():
            content.feed(piece)
    except TooLarge as error:
        if not cuts:
            raise Unreached(_too_large(most)) from error
    return bytes(content.data)


def _too_large(most: int) -> str:
    return f"is larger than {most / 2**20:g} MB"


def _headers(pairs: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _wait_s(retry_after: str) -> float:
    return min(float(retry_after[:9]), _MOST_WAIT_S) if retry_after.isdecimal() else _WAIT_S


def _line(error: Exception) -> str:
    """Return why, in one line, by the innermost error: those around it say only that it failed."""
    inner: BaseException = error
    while (cause := _cause(inner)) is not None:
        inner = cause
    said = str(inner)
    if isinstance(inner, OSError) and inner.errno and not isinstance(inner, ssl.SSLError):
        said = os.strerror(inner.errno).lower()
    return (" ".join(said.split()) or type(error).__name__)[:_REASON_CHARS]


def _cause(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    # httpcore wraps errors as arguments, and cuts their causes.
    wrapped = error.args[0] if error.args else None
    return error.__cause__ or (wrapped if isinstance(wrapped, BaseException) else None)
