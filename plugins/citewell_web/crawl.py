"""The way through a site: from its first addresses to all that they lead to."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

from msgspec import Struct

from citewell_web.client import Unreached
from citewell_web.hosts import Hosts
from citewell_web.plugin import WebConfig
from citewell_web.scope import Scope, is_sitemap
from citewell_web.sitemaps import NoSitemap
from citewell_web.urls import Url
from citewell_web.visits import Failed, Found, Missing, Moved, Outcome, Visitor

_MOST_SILENT = 8
"""After so many pages in a row that a host does not hand over, it is asked no more."""

_MOST_WAITING = 100_000
"""So many pages are kept in mind at once, however many a site makes up."""

_AHEAD = 4
"""Pages under way or waiting to be taken, for each request at once: one that is slow holds up only
so many behind it, while pages come in the same order each time."""


class _Asked(Struct, frozen=True):
    """A page to ask for.

    Attributes:
        start: address of the settings that it stands for, where it is one of these.
    """

    url: Url
    depth: int = 0
    start: Url | None = None


class Crawl:
    """One walk through the site.

    Attributes:
        problems: addresses of the settings from which no walk was possible, or not to its end.
        seen: keys of the pages that were asked for, or are to be.
    """

    def __init__(
        self,
        config: WebConfig,
        scope: Scope,
        hosts: Hosts,
        *,
        visitor: Visitor,
        log: logging.Logger,
    ) -> None:
        self._config = config
        self._scope = scope
        self._hosts = hosts
        self._visitor = visitor
        self._log = log
        self._waiting: deque[_Asked] = deque()
        self._asked = 0
        self._beyond: set[str] = set()
        self._silent: dict[str, int] = {}
        self.problems: dict[Url, str] = {}
        self.seen: set[str] = set()

    def is_closed(self, url: Url) -> bool:
        """Tell whether the walk to `url` was not possible, so that nothing is known of it."""
        starts = self._scope.starts_of(url)
        return bool(starts) and all(start in self.problems for start in starts)

    async def pages(self) -> AsyncGenerator[Outcome, None]:
        """Yield what came of each page that the first addresses lead to."""
        for start in self._scope.starts:
            await self._open(start)
        async with aclosing(self._walk(self._next)) as outcomes:
            async for asked, outcome in outcomes:
                if asked.start is not None:
                    self._check(asked.start, outcome)
                if asked.start in self.problems:
                    continue
                yield self._followed(asked, outcome)
        self._leave_what_is_left()

    async def known(self, urls: Iterable[Url]) -> AsyncGenerator[Outcome, None]:
        """Yield what came of pages that are known and not met yet, also where they moved."""
        waiting = deque(_Asked(url) for url in urls)

        def take() -> _Asked | None:
            while waiting:
                asked = waiting.popleft()
                if asked.url.key not in self.seen and not self.is_closed(asked.url):
                    self.seen.add(asked.url.key)
                    return asked
            return None

        async with aclosing(self._walk(take)) as outcomes:
            async for _, outcome in outcomes:
                if isinstance(outcome, Moved):
                    target = self._of_site(outcome)
                    waiting.extend([_Asked(target)] if target else ())
                    yield _settled(outcome)
                else:
                    yield outcome

    # --- where it begins -------------------------------------------------------------------------

    async def _open(self, start: Url) -> None:
        try:
            await self._hosts.open(start)
            if is_sitemap(start):
                await self._list(start)
            else:
                self._push(_Asked(start, start=start))
            if self._config.discover != "links":
                await self._list_all(start)
        except (Unreached, NoSitemap) as error:
            self.problems[start] = str(error)

    async def _list_all(self, start: Url) -> None:
        """Take the pages of the sitemaps that the host names, or of the usual one."""
        named = self._hosts.named_sitemaps(start)
        sitemaps = named or (start.at("/sitemap.xml"),)
        failures: list[Unreached | NoSitemap] = []
        for sitemap in sitemaps:
            try:
                await self._list(sitemap)
            except (Unreached, NoSitemap) as error:
                failures.append(error)
        are_needed = self._config.discover == "sitemaps" and not is_sitemap(start)
        if are_needed and len(failures) == len(sitemaps):
            raise failures[0]
        for failure in failures if named else ():
            self._log.warning("%s %s; what only it lists is not found", start, failure)

    async def _list(self, sitemap: Url) -> None:
        async with aclosing(self._hosts.listed(sitemap)) as pages:
            async for page in pages:
                asked = self._scope.spelled(page)
                if asked is not None:
                    self._push(_Asked(asked))
                if len(self._waiting) > self._config.max_pages:
                    return

    # --- from page to page -----------------------------------------------------------------------

    def _push(self, asked: _Asked) -> None:
        """Let a page be asked for, unless it was, or is not to be."""
        key = asked.url.key
        if key in self.seen or self._scope.is_excluded(key):
            return
        if asked.depth > self._config.max_depth:
            if len(self._beyond) < _MOST_WAITING:
                self._beyond.add(key)
            return
        if len(self._waiting) == _MOST_WAITING:
            return
        self.seen.add(key)
        self._waiting.append(asked)

    def _next(self) -> _Asked | None:
        while self._waiting and self._asked < self._config.max_pages:
            asked = self._waiting.popleft()
            if not self.is_closed(asked.url):
                self._asked += 1
                return asked
        return None

    def _followed(self, asked: _Asked, outcome: Outcome) -> Outcome:
        """Let what a page leads to be asked for, and return what the page itself means."""
        if isinstance(outcome, Moved):
            return self._redirected(asked, outcome)
        if isinstance(outcome, Found):
            self._follow(asked, outcome)
        return outcome

    def _follow(self, asked: _Asked, found: Found) -> None:
        if found.canonical is not None:
            self._push(_Asked(found.canonical, asked.depth))
        if self._config.discover != "sitemaps":
            for link in found.links:
                self._push(_Asked(link, asked.depth + 1))

    def _redirected(self, asked: _Asked, moved: Moved) -> Outcome:
        target = self._of_site(moved)
        if target is not None:
            self._push(_Asked(target, asked.depth, asked.start))
        if asked.start is not None and target is not None:
            return Missing(moved.url, "leads to another page")
        return _settled(moved)

    def _of_site(self, moved: Moved) -> Url | None:
        """Return where a page is now, where that belongs to the site and is asked for."""
        target = self._scope.spelled(moved.target) if moved.target is not None else None
        return None if target is None or self._scope.is_excluded(target.key) else target

    def _check(self, start: Url, outcome: Outcome) -> None:
        """Note where the walk cannot even begin."""
        if isinstance(outcome, Missing | Failed):
            self.problems[start] = outcome.reason
        elif isinstance(outcome, Moved):
            target = outcome.target
            if target is None or self._scope.spelled(target) is None:
                to = f'leads to "{target.without_query()}"' if target else "leads to no web address"
                self.problems[start] = f"{to}; name that address in urls instead"

    async def _walk(
        self, take: Callable[[], _Asked | None]
    ) -> AsyncGenerator[tuple[_Asked, Outcome], None]:
        """Yield what came of each page that `take` names, in that order; several are asked at once.

        `take` is called again after each page, so it may name what that page led to.
        """
        under_way: deque[tuple[_Asked, asyncio.Task[Outcome]]] = deque()
        try:
            while True:
                while len(under_way) < self._config.concurrency * _AHEAD:
                    asked = take()
                    if asked is None:
                        break
                    visit = asyncio.create_task(self._visitor.visit(asked.url))
                    under_way.append((asked, visit))
                if not under_way:
                    return
                asked, visit = under_way[0]
                outcome = await visit
                under_way.popleft()
                if self._is_told(asked, outcome):
                    yield asked, outcome
        finally:
            for _, visit in under_way:
                visit.cancel()
            await asyncio.gather(*(visit for _, visit in under_way), return_exceptions=True)

    def _is_told(self, asked: _Asked, outcome: Outcome) -> bool:
        """Tell whether an outcome counts; a host that falls silent is asked no more."""
        if self.is_closed(asked.url):
            return not isinstance(outcome, Failed)
        host = asked.url.authority
        is_down = isinstance(outcome, Failed) and outcome.is_down
        self._silent[host] = self._silent.get(host, 0) + 1 if is_down else 0
        if self._silent[host] == _MOST_SILENT and isinstance(outcome, Failed):
            for start in self._scope.starts:
                if start.authority == host:
                    self.problems.setdefault(
                        start, f"fell silent after {self._asked} pages: {outcome.reason}"
                    )
        return True

    def _leave_what_is_left(self) -> None:
        left = [asked for asked in self._waiting if not self.is_closed(asked.url)]
        # What is indexed of it is looked at with the other known pages.
        self.seen.difference_update(asked.url.key for asked in left)
        if left:
            self._log.warning(
                "max_pages = %d is reached: of %d more addresses, %s among them, only indexed "
                "pages are asked for; raise it, or exclude what is not needed",
                *(self._config.max_pages, len(left), left[0].url),
            )
        beyond = self._beyond - self.seen
        if beyond:
            self._log.warning(
                "max_depth = %d is reached: of %d addresses further away, only indexed pages are "
                "asked for; raise it, or exclude what is not needed",
                *(self._config.max_depth, len(beyond)),
            )


def _settled(moved: Moved) -> Outcome:
    """Return what a redirect means for the page that was asked for."""
    return Missing(moved.url, "moved for good") if moved.is_lasting else moved
