"""What an API says when it fails, in plain words; and whether to try again."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType

import aiohttp
import httpx

from citewell import ModelError, ModelTimeout, PromptRefused, redact

_LONGEST = 300
_TURNED_AWAY = frozenset({400, 401, 403, 404, 413, 422, 429})
_UNREACHED = (httpx.ConnectError, aiohttp.ClientConnectorError)
_MEANINGS = (
    (
        {301, 302, 303, 307, 308},
        "its API says to ask elsewhere, which is not done; name where it is as api_base",
    ),
    ({401, 403}, "the key is not accepted; check api_key"),
    ({404}, "there is no such model or address; check model and api_base"),
    ({429}, "its provider limits the rate of requests"),
    ({400, 413, 422}, "its API takes the request for wrong"),
)
_PREFIX = re.compile(r"^(litellm\.)?(\w+Error|Timeout): ?|\b\w+Exception - ")


def explained(error: Exception, package: ModuleType, *, model: str, may_cost: bool) -> ModelError:
    """Return the error that the asker's side sees; it says so where nothing was charged.

    Args:
        error: what LiteLLM raised.
        package: LiteLLM.
        model: provider and model.
        may_cost: something was written, or an earlier try may have been charged.
    """
    error = _original(error)
    found = _explained(error, package, model=model)
    if not may_cost and is_free(error):
        found.cost = 0.0
    return found


def is_free(error: BaseException) -> bool:
    """Tell whether the request was turned away, or never arrived."""
    turned_away = getattr(error, "status_code", None) in _TURNED_AWAY
    return turned_away or _is_among_causes(error, *_UNREACHED)


def _explained(error: Exception, package: ModuleType, *, model: str) -> ModelError:
    said = _said(error)
    status = getattr(error, "status_code", None)
    if isinstance(error, package.ContextWindowExceededError):
        return PromptRefused(f"{model}: the prompt is too long for it: {said}")
    if isinstance(error, package.ContentPolicyViolationError):
        return PromptRefused(f"{model}: its provider refuses the prompt: {said}")
    if _is_among_causes(error, TimeoutError, package.Timeout):
        return ModelTimeout(f"{model}: no word from its API in time; give it more patience_s")
    if _is_among_causes(error, ConnectionError, *_UNREACHED):
        return ModelError(f"{model}: its API cannot be reached; check api_base: {said}")
    meaning = next((said for codes, said in _MEANINGS if status in codes), "its API failed")
    return ModelError(f"{model}: {meaning}: {said}")


def _original(error: BaseException) -> Exception:
    """Return what LiteLLM wrapped once more."""
    inner = getattr(error, "original_exception", None)
    while isinstance(inner, Exception) and inner is not error:
        error, inner = inner, getattr(inner, "original_exception", None)
    return error if isinstance(error, Exception) else Exception(str(error))


def _is_among_causes(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Tell whether `error`, or what it came from, is one of `kinds`."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        if isinstance(cause, kinds):
            return True
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return False


def is_passing(error: BaseException, package: ModuleType) -> bool:
    """Tell whether the same request may succeed a little later.

    After one that got no word in time whoever waits has waited long enough.
    """
    if _is_among_causes(error, TimeoutError, package.Timeout, httpx.TimeoutException):
        return False
    return isinstance(
        error,
        package.RateLimitError
        | package.APIConnectionError
        | package.InternalServerError
        | package.ServiceUnavailableError
        | package.BadGatewayError,
    )


def retry_after_s(error: BaseException | None, *, now: datetime | None = None) -> float | None:
    """Return how long the API asks to wait, in seconds, if it does.

    Source: RFC 9110, section 10.2.3; `retry-after-ms` is OpenAI's own.
    """
    own = getattr(error, "litellm_response_headers", None)
    headers = own or getattr(getattr(error, "response", None), "headers", None) or {}
    milliseconds, value = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds:
            return max(float(milliseconds) / 1000, 0.0)
        if value and value.replace(".", "", 1).isdigit():
            return float(value)
        if value:
            then = parsedate_to_datetime(value)
            return max((then - (now or datetime.now(UTC))).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
    return None


def _said(error: Exception) -> str:
    # A server may repeat what it was sent. Half a key would no longer be recognised.
    line = redact(" ".join(str(getattr(error, "message", None) or error).split()))
    for _ in range(3):
        line = _PREFIX.sub("", line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
