"""How many calls Discord takes in which time.

Source: discord.com/developers/docs/topics/rate-limits. The limit of each route is not documented;
these are what public clients observe.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from citewell_discord.testing.clock import Clock
from citewell_discord.testing.errors import Payload

INVALID_WINDOW_S = 600.0
MAX_INVALID = 10_000
"""Calls with 401, 403 or 429 in the window, after which an address is banned for a while."""

_INVALID = frozenset({401, 403, 429})
_MAJOR = ("channel_id", "guild_id", "token")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds."""

    calls: int
    per_s: float


DEFAULT = Rate(50, 1.0)
GLOBAL = Rate(50, 1.0)
BY_ROUTE: Mapping[str, Rate] = {
    "POST /channels/{channel_id}/messages": Rate(5, 5.0),
    "PATCH /channels/{channel_id}/messages/{message_id}": Rate(5, 5.0),
    "DELETE /channels/{channel_id}/messages/{message_id}": Rate(5, 1.0),
    "GET /channels/{channel_id}/messages": Rate(5, 1.0),
    "POST /channels/{channel_id}/typing": Rate(5, 5.0),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user}": Rate(1, 0.25),
    "DELETE /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user}": Rate(1, 0.25),
    "POST /webhooks/{application_id}/{token}": Rate(5, 2.0),
    "PATCH /webhooks/{application_id}/{token}/messages/{message}": Rate(5, 2.0),
    "PATCH /channels/{channel_id}": Rate(5, 5.0),
}


@dataclass(slots=True)
class _Bucket:
    """Counts the calls of one window."""

    rate: Rate
    resets_at: float = 0.0
    used: int = 0

    def take(self, now: float, scale: float) -> bool:
        """Count a call, and tell whether there was room for it."""
        if now >= self.resets_at:
            self.used = 0
            self.resets_at = now + self.rate.per_s * scale
        if self.used >= self.rate.calls:
            return False
        self.used += 1
        return True


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may be made, and what the client is told of its limits.

    Attributes:
        body: of the refusal; None if the call may be made.
        is_ban: whether an address was banned, which the answer shows by its missing `Via`.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    body: Payload | None = None
    is_ban: bool = False


class Rates:
    """Limits calls, by route and channel and all together.

    Attributes:
        by_route: the limit of each route, by method and template; others have `DEFAULT`.
        all_routes: the limit of all calls but those that answer interactions.
        time_scale: what every window is multiplied with, so that a test need not wait for it.
        is_strict: whether limits are kept at all.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.by_route = dict(BY_ROUTE)
        self.all_routes = GLOBAL
        self.time_scale = 1.0
        self.is_strict = True
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._all = _Bucket(GLOBAL)
        self._invalid: list[float] = []

    def take(self, route: str, path: Mapping[str, str]) -> Verdict:
        """Count a call.

        Args:
            route: method and template.
            path: what stands for the names in the template.
        """
        now = self._clock.now()
        if self.is_banned():
            return Verdict(body=_refusal(INVALID_WINDOW_S, is_global=True), is_ban=True)
        if not self.is_strict:
            return Verdict()
        is_answer = route.split()[1].startswith(("/interactions", "/webhooks"))
        self._all.rate = self.all_routes
        if not is_answer and not self._all.take(now, self.time_scale):
            wait_s = self._all.resets_at - now
            headers = {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
            return Verdict(
                {**headers, "Retry-After": f"{wait_s:.3f}"}, _refusal(wait_s, is_global=True)
            )
        return self._take_bucket(route, path, now)

    def note(self, status: int) -> None:
        """Count an answer that Discord holds against who asked."""
        if status in _INVALID:
            self._invalid.append(self._clock.now())

    def is_banned(self) -> bool:
        """Tell whether there were too many such answers."""
        since = self._clock.now() - INVALID_WINDOW_S
        self._invalid = [at for at in self._invalid if at > since]
        return len(self._invalid) >= MAX_INVALID

    def _take_bucket(self, route: str, path: Mapping[str, str], now: float) -> Verdict:
        key = (route, *(path[name] for name in _MAJOR if name in path))
        rate = self.by_route.get(route, DEFAULT)
        bucket = self._buckets.setdefault(key, _Bucket(rate))
        bucket.rate = rate
        is_free = bucket.take(now, self.time_scale)
        wait_s = max(bucket.resets_at - now, 0.0)
        headers = {
            "X-RateLimit-Limit": str(rate.calls),
            "X-RateLimit-Remaining": str(rate.calls - bucket.used),
            "X-RateLimit-Reset": f"{bucket.resets_at:.3f}",
            "X-RateLimit-Reset-After": f"{wait_s:.3f}",
            "X-RateLimit-Bucket": f"{zlib.crc32(route.encode()):032x}",
        }
        if is_free:
            return Verdict(headers)
        refused = {"Retry-After": f"{wait_s:.3f}", "X-RateLimit-Scope": "user"}
        return Verdict({**headers, **refused}, _refusal(wait_s, is_global=False))


def _refusal(wait_s: float, *, is_global: bool) -> Payload:
    message = "You are being rate limited."
    return {"message": message, "retry_after": round(wait_s, 3), "global": is_global}


def limited(wait_s: float, *, is_global: bool = False) -> Verdict:
    """Return the verdict of a limit that is reached."""
    headers = {"Retry-After": f"{wait_s:.3f}", "X-RateLimit-Scope": "shared"}
    if is_global:
        headers = {**headers, "X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
    return Verdict(headers, _refusal(wait_s, is_global=is_global))
