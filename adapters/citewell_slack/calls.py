"""Calls of the Web API, and what their failures mean."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from citewell import DeliveryError

_PASSING: Final = frozenset({
    "fatal_error",
    "internal_error",
    "ratelimited",
    "rate_limited",
    "request_timeout",
    "service_unavailable",
    "message_limit_exceeded",
})
_LIMITS: Final = frozenset({"ratelimited", "rate_limited", "HTTP 429"})
_SLACK: Final = "https://slack.com/api/"
_TIMEOUT_S: Final = 30.0
# For longer nobody holds a question up, which is begun with again after that time.
_PATIENCE_S: Final = 15.0
_PAGE: Final = 200
_HALF: Final = re.compile("[\ud800-\udfff]")


class Refused(DeliveryError):
    """Slack answered, and it was a no.

    Attributes:
        code: Slack's own, like "channel_not_found".
    """

    def __init__(
        self,
        method: str,
        code: str,
        *,
        passes: bool,
        needed: str = "",
        retry_after_s: float = 0.0,
    ) -> None:
        """Say what was refused, and why."""
        scope = f"; add the scope {needed} to the app, and install it again" if needed else ""
        super().__init__(
            f"slack refuses {method}: {code or 'no reason given'}{scope}",
            passes=passes,
            retry_after_s=retry_after_s,
        )
        self.code = code

    @property
    def is_limit(self) -> bool:
        """Whether there were too many calls, so that this one was surely not done."""
        return self.code in _LIMITS


class Unheard(DeliveryError):
    """The connection ended before there was an answer: the call may have been done."""

    def __init__(self, method: str) -> None:
        """Say what is not known."""
        super().__init__(f"slack gave no answer to {method}", passes=True)


def base_url(given: str | None) -> str:
    """Return the address of the Web API: as given, or as SLACK_API_URL says, or Slack's own."""
    url = given or os.environ.get("SLACK_API_URL") or _SLACK
    return url if url.endswith("/") else f"{url}/"


def session() -> aiohttp.ClientSession:
    """Return a session for every call of an adapter."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))


class _Patient(AsyncRateLimitErrorRetryHandler):
    """Waits when it is told to, if that is not for long."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or _retry_after(response.headers) > _PATIENCE_S:
            return False
        return await super()._can_retry_async(
            state=state, request=request, response=response, error=error
        )


def client(
    token: str | None, base_url: str, session: aiohttp.ClientSession | None
) -> AsyncWebClient:
    """Return a client that waits when it is told to, and repeats nothing else.

    The library's own default repeats a call after a cut connection, which posts a message twice.
    """
    return AsyncWebClient(
        token=token,
        base_url=base_url,
        session=session,
        timeout=int(_TIMEOUT_S),
        retry_handlers=[_Patient(max_retry_count=2)],
    )


class Api:
    """The Web API for one workspace.

    Args:
        client: with the token of the bot there.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        # Shares everything with the other, but for patience.
        self._hasty = AsyncWebClient(
            token=client.token,
            base_url=client.base_url,
            session=client.session,
            timeout=client.timeout,
            retry_handlers=[],
        )

    async def do(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method that changes something; what is None is left out.

        Raises:
            DeliveryError: it was refused, or nobody knows.
        """
        return await self._call(method, json=_given(arguments))

    async def do_now(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method that changes something, and wait for nothing where Slack limits it.

        Raises:
            DeliveryError: it was refused, or nobody knows.
        """
        return _data(await self._answer(method, self._hasty, json=_given(arguments)))

    async def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method that tells something, which takes no JSON.

        Raises:
            DeliveryError: it was refused, or nobody knows.
        """
        return await self._call(method, http_verb="GET", params=_given(arguments))

    async def pages(
        self, method: str, field: str, *, most: int | None = None, **arguments: Any
    ) -> AsyncIterator[Any]:
        """Yield the items of a list, of at most `most` pages.

        Raises:
            DeliveryError: it was refused, or nobody knows.
        """
        cursor, page = "", 0
        while most is None or page < most:
            page += 1
            found = await self.read(method, **{"limit": _PAGE, **arguments}, cursor=cursor or None)
            for item in found.get(field) or ():
                yield item
            cursor = (found.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def scopes(self) -> frozenset[str]:
        """Return what the token may do; nothing where Slack does not say.

        Raises:
            DeliveryError: it was refused, or nobody knows.
        """
        headers = (await self._answer("auth.test", self.client, json={})).headers
        told = next((one for name, one in headers.items() if name.lower() == "x-oauth-scopes"), "")
        return frozenset(one.strip() for one in told.split(",") if one.strip())

    async def _call(self, method: str, **how: Any) -> Mapping[str, Any]:
        return _data(await self._answer(method, self.client, **how))

    async def _answer(self, method: str, client: AsyncWebClient, **how: Any) -> AsyncSlackResponse:
        try:
            return await client.api_call(method, **how)
        except SlackApiError as error:
            raise refused(method, error) from error
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise Unheard(method) from error


def refused(method: str, error: SlackApiError) -> Refused:
    """Return what an error of the library means."""
    response = error.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    data = getattr(response, "data", None)
    data = data if isinstance(data, dict) else {}
    code = str(data.get("error") or ("" if status == 200 else f"HTTP {status}"))
    passes = code in _PASSING or status == 429 or status >= 500
    needed = str(data.get("needed") or "") if code == "missing_scope" else ""
    retry_after_s = _retry_after(getattr(response, "headers", None) or {})
    return Refused(method, code, passes=passes, needed=needed, retry_after_s=retry_after_s)


def _retry_after(headers: Mapping[str, Any]) -> float:
    """Return for how many seconds nothing is to be asked."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            told = str(value[0] if isinstance(value, list) else value)
            return float(told) if told.isdecimal() else 0.0
    return 0.0


def _data(answer: AsyncSlackResponse) -> Mapping[str, Any]:
    return answer.data if isinstance(answer.data, dict) else {}


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: possible(value) for name, value in arguments.items() if value is not None}


def possible(value: Any) -> Any:
    """Return a value of JSON in which Slack can carry each text: no half character, no NUL.

    What is replaced is replaced by one character, so that what fits still fits.
    """
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value).replace("\0", "\N{SYMBOL FOR NULL}")
    if isinstance(value, Mapping):
        return {name: possible(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [possible(one) for one in value]
    return value


async def respond(session: aiohttp.ClientSession, url: str, body: Mapping[str, Any]) -> None:
    """Post to a response URL.

    Raises:
        DeliveryError: it was not taken, or nobody knows.
    """
    try:
        async with session.post(url, json=possible(body), allow_redirects=False) as response:
            status, text = response.status, await response.text()
            retry_after_s = _retry_after(response.headers)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unheard("response_url") from error
    if status != 200:
        code = text.strip()[:60] if status < 500 and text.isprintable() else f"HTTP {status}"
        passes = status == 429 or status >= 500
        raise Refused("response_url", code, passes=passes, retry_after_s=retry_after_s)
