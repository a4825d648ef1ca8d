"""GitHub's API over HTTP: one request after another, as it wants them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpx
from msgspec import Struct
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from citewell import SourceError, redact
from citewell_github.plugin import GitHubConfig

_TIMEOUT_S = 30.0
_MOST_S = 120.0
"""Of a whole answer: one that trickles would keep the sync for ever."""

_ATTEMPTS = 5
_MOST_REDIRECTS = 3
_MOST_BYTES = 64 * 2**20
"""Of an answer: a hundred comments of 65,536 characters, each escaped, are less."""

_UNSAID_WAIT_S = 60.0
"""How long to wait where GitHub wants no more requests and does not say until when.

Source: docs.github.com, "Best practices for using the REST API", "Handle rate limit errors".
"""

_MOST_WAIT_S = 86_400.0
"""Nobody is told of a longer wait: limits of GitHub end within an hour."""

_MOVED = frozenset({301, 302, 307, 308})


class Reply(Struct, frozen=True, kw_only=True):
    """An answer.

    Attributes:
        status: 200, 304, 404, 410, or a redirect's.
        next: the next page; None on the last.
        moment: when it was given, by GitHub's clock.
    """

    status: int
    content: bytes
    etag: str | None
    next: str | None
    location: str | None
    moment: datetime


class _Passing(Exception):
    """It may be answered a little later.

    Attributes:
        wait_s: what GitHub wants to be waited; None where it does not say.
    """

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Api:
    """Asks for pages. Sends the token to the configured host alone."""

    def __init__(self, client: httpx.AsyncClient, config: GitHubConfig, name: str) -> None:
        self._client = client
        self._config = config
        self._name = name
        self._origin = _origin(config.api_url)
        self._closed_until = 0.0

    async def repository(self) -> tuple[str, datetime]:
        """Return the address of the repository, and the moment; a renamed one is followed.

        Raises:
            SourceError: it cannot be read.
        """
        url = f"{self._config.api_url.rstrip('/')}/repos/{self._config.repository}"
        for _ in range(_MOST_REDIRECTS + 1):
            reply = await self.get(url)
            if reply.status not in _MOVED:
                break
            url = urljoin(url, reply.location or "")
        if reply.status != 200:
            raise self.failed(
                f'"{self._config.repository}" is not there, or the token may not read it; '
                "check repository, api_url and token"
            )
        return url, reply.moment

    async def get(self, url: str, *, etag: str | None = None) -> Reply:
        """Return the answer; with `etag`, 304 says that it is the one known by that.

        Raises:
            SourceError: there is none to be had.
        """
        if not self._is_ours(url):
            raise self.failed(f'it leads to another host, "{url:.200}", which is not asked')
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=_wait,
            reraise=True,
        )
        try:
            return await retrying(self._asked, url, etag)
        except _Passing as error:
            raise self.failed(str(error)) from error

    def _is_ours(self, url: str) -> bool:
        try:
            return _origin(url) == self._origin
        except ValueError:
            return False

    def failed(self, why: str) -> SourceError:
        """Return the error that says why."""
        return SourceError(f"library.{self._name}: {self._origin}: {redact(why)}")

    async def _asked(self, url: str, etag: str | None) -> Reply:
        self._check_open()
        headers = {} if etag is None else {"If-None-Match": etag}
        try:
            async with (
                asyncio.timeout(_MOST_S),
                self._client.stream("GET", url, headers=headers) as response,
            ):
                content = await self._read(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise _Passing(f"it does not answer: {said}") from error
        if response.headers.get("x-ratelimit-remaining") == "0":
            self._closed_until = _reset(response)
        self._check_status(response, content)
        return Reply(
            status=response.status_code,
            content=content,
            etag=response.headers.get("etag"),
            next=response.links.get("next", {}).get("url"),
            location=response.headers.get("location"),
            moment=_moment(response),
        )

    async def _read(self, response: httpx.Response) -> bytes:
        chunks = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > _MOST_BYTES:
                raise self.failed(f"it answers with more than {_MOST_BYTES // 2**20} MB at once")
            chunks.append(chunk)
        return b"".join(chunks)

    def _check_open(self) -> None:
        left_s = self._closed_until - time.time()
        if left_s > 0:
            raise self._limited(left_s)

    def _check_status(self, response: httpx.Response, content: bytes) -> None:
        status = response.status_code
        if status >= 500:
            raise _Passing(f"it answers {status}; it may be down, see githubstatus.com")
        if status == 401:
            raise self.failed("the token is refused; make a new one, or leave it out")
        if status in {403, 429}:
            wait_s = _wanted_wait(response, content)
            if wait_s is not None:
                raise self._limited(wait_s)
        if status >= 400 and status not in {404, 410}:
            raise self.failed(
                f"it answers {status}; the token needs the right to read issues and pull requests"
            )

    def _limited(self, wait_s: float) -> _Passing | SourceError:
        """Return what makes the sync wait, or give up where that would be too long."""
        if wait_s <= self._config.patience_s:
            return _Passing("it wants no more requests for now", wait_s)
        until = datetime.fromtimestamp(time.time() + min(wait_s, _MOST_WAIT_S), UTC)
        fix = "" if self._config.token else "; with a token it takes many more"
        return self.failed(
            f"it wants no more requests until {until:%H:%M} UTC; what was read is kept, and a "
            f"sync after that goes on from there{fix}"
        )


@asynccontextmanager
async def connected(config: GitHubConfig, name: str) -> AsyncIterator[Api]:
    """Yield the API; nothing is sent yet."""
    headers = {
        "Accept": "application/vnd.github+json",
        "User-Agent": "citewell",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    if config.token is not None:
        headers["Authorization"] = f"Bearer {config.token.get_secret_value()}"
    async with httpx.AsyncClient(headers=headers, timeout=_TIMEOUT_S) as client:
        yield Api(client, config, name)


_backoff = wait_random_exponential(multiplier=0.5, max=8.0)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wanted_s = error.wait_s if isinstance(error, _Passing) else None
    return _backoff(state) if wanted_s is None else wanted_s


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _wanted_wait(response: httpx.Response, content: bytes) -> float | None:
    """Return for how long no more requests are wanted; None where that is not what it says."""
    retry_after = response.headers.get("retry-after", "")
    if retry_after.isdecimal():
        return float(retry_after)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return max(_reset(response) - time.time(), 0.0)
    is_limit = response.status_code == 429 or b"rate limit" in content.lower()
    return _UNSAID_WAIT_S if is_limit else None


def _reset(response: httpx.Response) -> float:
    """Return when requests are wanted again, by this machine's clock."""
    reset = response.headers.get("x-ratelimit-reset", "")
    if not reset.isdecimal():
        return time.time() + _UNSAID_WAIT_S
    # A second more, as the reset is told in whole ones.
    return time.time() + float(reset) - _moment(response).timestamp() + 1.0


def _moment(response: httpx.Response) -> datetime:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return datetime.now(UTC)
