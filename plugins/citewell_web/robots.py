"""What a host allows, by its robots.txt (RFC 9309)."""

from __future__ import annotations

from collections.abc import Sequence

from protego import Protego

from citewell_web.urls import Url

MAX_BYTES = 512 * 1024
"""More of a robots.txt is not read; RFC 9309 asks for 500 KiB."""


class Rules:
    """The rules of one host."""

    def __init__(self, text: str, *, user_agent: str) -> None:
        self._rules = Protego.parse(text)
        self._user_agent = user_agent

    def allows(self, url: Url) -> bool:
        """Tell whether the host wants `url` to be asked for."""
        return self._rules.can_fetch(str(url), self._user_agent)

    @property
    def interval_s(self) -> float:
        """How many seconds the host wants between two requests."""
        rate = self._rules.request_rate(self._user_agent)
        between = rate.seconds / rate.requests if rate else 0.0
        return max(self._rules.crawl_delay(self._user_agent) or 0.0, between)

    @property
    def sitemaps(self) -> Sequence[str]:
        """Addresses of sitemaps, as they are written."""
        return tuple(self._rules.sitemaps)
