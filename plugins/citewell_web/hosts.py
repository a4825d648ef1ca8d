"""What hosts say about themselves: their robots.txt and their sitemaps."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from http import HTTPStatus

from msgspec import Struct

from citewell import blocking
from citewell_web import robots, sitemaps
from citewell_web.client import Client, Reply, Unconnected, Unreached, Wanted, only
from citewell_web.robots import Rules
from citewell_web.scope import Scope
from citewell_web.sitemaps import NoSitemap
from citewell_web.urls import Url, UrlRefused, parse

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_MOST_SITEMAPS = 200
_MOST_NESTED = 3


class Asking(Struct, frozen=True):
    """What is shared by everything that asks a host.

    Attributes:
        user_agent: by which robots.txt knows us.
        obeys: whether robots.txt decides.
    """

    client: Client
    scope: Scope
    log: logging.Logger
    user_agent: str
    obeys: bool


class Hosts:
    """The hosts of one site."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._rules: dict[str, Rules] = {}
        self._sitemaps: set[str] = set()

    async def open(self, url: Url) -> None:
        """Read the robots.txt of the host of `url`, unless that was done.

        Raises:
            Unreached: whether the host wants to be read cannot be told.
        """
        if url.authority in self._rules:
            return
        try:
            rules = await self._read(url.at("/robots.txt"))
        except Unconnected:
            raise
        except Unreached as error:
            if self._asking.obeys:
                raise Unreached(f"cannot be asked for its robots.txt, which {error}") from error
            rules = ""
        self._rules[url.authority] = read = Rules(rules, user_agent=self._asking.user_agent)
        if self._asking.obeys:
            self._asking.client.pace(url).slow_down(read.interval_s)

    def allows(self, url: Url) -> bool:
        """Tell whether the host, which is open, wants `url` to be asked for."""
        return not self._asking.obeys or self._rules[url.authority].allows(url)

    async def _read(self, url: Url) -> str:
        """Return the text of a robots.txt; a host without one allows everything (RFC 9309, 2.3).

        One that is elsewhere is not known to allow anything.
        """
        reply = await self._follow(url, only(robots.MAX_BYTES, cuts=True))
        if reply is None:
            raise Unreached(
                "leads to another host, or nowhere; name the host that it leads to in urls, or, "
                "for a site of your own, set robots = false"
            )
        status = reply.head.status
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unreached(f"answers {reply.head.said}")
        return (reply.data or b"").decode("utf-8-sig", "replace")

    async def listed(self, url: Url) -> AsyncGenerator[Url, None]:
        """Yield the pages that a sitemap lists, itself or through others; some may come twice.

        A sitemap that was read before is not read again.

        Raises:
            Unreached: it cannot be had.
            NoSitemap: it is none.
        """
        waiting = [(url, 0)] if self._is_new(url) else []
        while waiting:
            at, depth = waiting.pop(0)
            try:
                sitemap = await self._sitemap(at)
            except (Unreached, NoSitemap) as error:
                if not depth:
                    raise
                self._asking.log.warning("%s %s; what only it lists is not found", url, error)
                continue
            for page in self._addresses(sitemap.pages, at):
                yield page
            inner = self._addresses(sitemap.sitemaps, at) if depth < _MOST_NESTED else ()
            waiting.extend((one, depth + 1) for one in inner if self._is_new(one))

    def _is_new(self, sitemap: Url) -> bool:
        """Tell whether a sitemap is to be read; there are only so many."""
        if sitemap.key in self._sitemaps or len(self._sitemaps) == _MOST_SITEMAPS:
            return False
        self._sitemaps.add(sitemap.key)
        return True

    def named_sitemaps(self, url: Url) -> Sequence[Url]:
        """Return the sitemaps that the host of `url` names in its robots.txt."""
        return tuple(self._addresses(self._rules[url.authority].sitemaps, url.at("/robots.txt")))

    async def _sitemap(self, url: Url) -> sitemaps.Sitemap:
        reply = await self._follow(url, only(sitemaps.MAX_BYTES))
        if reply is None or reply.data is None:
            said = "leads to another host" if reply is None else f"answers {reply.head.said}"
            raise Unreached(f'has the sitemap "{url}", which {said}')
        try:
            return await blocking.call(sitemaps.read, reply.data)
        except NoSitemap as error:
            raise NoSitemap(f'has the sitemap "{url}", which {error}') from error

    def _addresses(self, written: Sequence[str], base: Url) -> Iterator[Url]:
        """Yield what of these lies at one of the hosts."""
        for text in written:
            try:
                asked = self._asking.scope.at_host(parse(text, base))
            except UrlRefused:
                continue
            if asked is not None:
                yield asked

    async def _follow(self, url: Url, wanted: Wanted) -> Reply | None:
        """Return the answer behind redirects; None when they leave the hosts, or never end."""
        for _ in range(_MOST_REDIRECTS + 1):
            reply = await self._asking.client.get(url, wanted)
            if reply.head.status not in REDIRECTS:
                return reply
            target = target_of(reply, url)
            if target is None:
                return None
            if target.key == url.key and target.scheme == "https" != url.scheme:
                self._asking.scope.upgrade(url)
            asked = self._asking.scope.at_host(target)
            if asked is None or asked == url:
                return None
            url = asked
        return None


def target_of(reply: Reply, url: Url) -> Url | None:
    """Return where a redirect leads, or None where that is no address."""
    try:
        return parse(reply.head.get("location"), url)
    except UrlRefused:
        return None
