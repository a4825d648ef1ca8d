"""A store brought up to date with what GitHub has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias, TypeVar
from urllib.parse import urlencode

import msgspec

from citewell import blocking
from citewell_github.answers import Comment, Issue
from citewell_github.api import Api, Reply
from citewell_github.plugin import GitHubConfig
from citewell_github.store import Page, Store

T = TypeVar("T")
Take: TypeAlias = Callable[[Reply], tuple[int, ...]]

_PER_PAGE = 100
_MOST_PAGES = 100_000
"""Of a sync: ten million issues and comments, more than any repository has."""
_OVERLAP = timedelta(minutes=2)
"""So much is asked for again: what GitHub lists may be a little behind."""

_ALL: Mapping[str, object] = {"sort": "created", "direction": "asc", "per_page": _PER_PAGE}
"""The order in which what is new comes last, so that the pages before it stay as they are."""


class Listing:
    """Asks for what changed since the last time, and now and then for everything."""

    def __init__(self, api: Api, store: Store, config: GitHubConfig, log: logging.Logger) -> None:
        self._api = api
        self._store = store
        self._config = config
        self._log = log
        self._url = ""
        self._visited: set[str] = set()

    async def update(
        self, known: Iterable[int], chosen: Callable[[Store], Collection[int]]
    ) -> None:
        """Bring the store up to date; what was read stays in it when something fails.

        Args:
            known: numbers that may be there, beside those in the store.
            chosen: returns the numbers of the issues whose comments are to be had.

        Raises:
            SourceError: something cannot be had.
        """
        self._url, now = await self._api.repository()
        if self._is_full_due(now):
            seen = await self._list_issues(self._earliest)
            await self._verify((self._store.numbers() | set(known)) - seen)
            self._store.note("listed", now.isoformat())
        else:
            await self._list_issues(self._store.fact("began"))
        await self._update_comments(chosen)
        self._store.note("began", f"{(now - _OVERLAP).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
        self._store.keep_pages(self._visited)
        self._store.commit()

    @property
    def _earliest(self) -> str | None:
        day = self._config.since
        return None if day is None else f"{day.isoformat()}T00:00:00Z"

    def _is_full_due(self, now: datetime) -> bool:
        listed = self._store.fact("listed")
        if listed is None or self._store.fact("began") is None:
            return True
        return now - datetime.fromisoformat(listed) >= timedelta(hours=self._config.full_listing_h)

    # --- issues ------------------------------------------------------------------------------

    async def _list_issues(self, since: str | None) -> set[int]:
        """List the issues that changed since then, or all; return the numbers seen."""
        seen: set[int] = set()
        url: str | None = self._address("issues", {"state": "all", **_ALL}, since)
        while url is not None:
            page = await self._page(url, self._take_issues)
            seen.update(page.numbers)
            url = page.next
        return seen

    async def _verify(self, numbers: Iterable[int]) -> None:
        """Ask for each issue that was not listed: it may be gone, or a page may have moved."""
        for number in sorted(numbers):
            reply = await self._api.get(f"{self._url}/issues/{number}")
            if reply.status == 200:
                self._store.put_issues([self._decoded(reply, Issue)])
            else:
                # 404 and 410 when it was deleted, a redirect when it lives elsewhere now.
                self._log.info("issue %s is gone: GitHub answers %s", number, reply.status)
                self._store.remove(number)
        self._store.commit()

    def _take_issues(self, reply: Reply) -> tuple[int, ...]:
        issues = self._decoded(reply, list[Issue])
        self._store.put_issues(issues)
        return tuple(issue.number for issue in issues)

    # --- comments ----------------------------------------------------------------------------

    async def _update_comments(self, chosen: Callable[[Store], Collection[int]]) -> None:
        began = self._store.fact("began")
        numbers = await blocking.call_to_end(partial(chosen, self._store))
        lacking = await blocking.call_to_end(partial(self._lacking, numbers))
        all_pages = await blocking.call_to_end(self._pages_of_all_comments)
        if len(lacking) > all_pages + 1:
            await self._list_comments(self._earliest)
        elif began is not None:
            # Not every change of a comment changes its issue.
            await self._list_comments(began)
        for issue in await blocking.call_to_end(partial(self._lacking, numbers)):
            await self._ask_comments(issue)

    def _lacking(self, numbers: Collection[int]) -> list[Issue]:
        return [
            issue
            for issue in self._store.issues()
            if issue.number in numbers and self._store.lacks_comments(issue)
        ]

    def _pages_of_all_comments(self) -> int:
        return sum(issue.comments for issue in self._store.issues()) // _PER_PAGE

    async def _list_comments(self, since: str | None) -> None:
        url: str | None = self._address("issues/comments", _ALL, since)
        while url is not None:
            url = (await self._page(url, self._take_comments)).next

    def _take_comments(self, reply: Reply) -> tuple[int, ...]:
        self._store.put_comments(self._decoded(reply, list[Comment]))
        return ()

    async def _ask_comments(self, issue: Issue) -> None:
        found: list[Comment] = []
        path = f"issues/{issue.number}/comments"
        url: str | None = self._address(path, {"per_page": _PER_PAGE}, None)
        asked: set[str] = set()
        while url is not None:
            self._check_onwards(url, asked)
            reply = await self._api.get(url)
            if reply.status != 200:
                return  # it went meanwhile, which the next sync sees
            found += self._decoded(reply, list[Comment])
            asked.add(url)
            url = reply.next
        self._store.replace_comments(issue, found)
        self._store.commit()

    # --- pages -------------------------------------------------------------------------------

    def _address(self, path: str, options: Mapping[str, object], since: str | None) -> str:
        asked = options if since is None else {**options, "since": since}
        return f"{self._url}/{path}?{urlencode(asked)}"

    async def _page(self, url: str, take: Take) -> Page:
        """Return a page of a listing; what is on it is in the store from then on."""
        known = self._store.page(url)
        if known is not None and not self._store.has_issues(known.numbers):
            known = None
        self._check_onwards(url, self._visited)
        reply = await self._api.get(url, etag=known.etag if known else None)
        self._visited.add(url)
        if known is not None and reply.status == 304:
            return known
        if reply.status != 200:
            raise self._api.failed(
                f'what is in "{self._config.repository}" cannot be listed: it answers '
                f"{reply.status}; its issues may be switched off"
            )
        return await blocking.call_to_end(partial(self._taken, url, reply, take))

    def _check_onwards(self, url: str, read: Collection[str]) -> None:
        """Refuse a list that would never end."""
        if url in read:
            raise self._api.failed("its list leads back to a page that was read; check api_url")
        if len(read) >= _MOST_PAGES:
            raise self._api.failed(f"its list has more than {_MOST_PAGES:,} pages; check api_url")

    def _taken(self, url: str, reply: Reply, take: Take) -> Page:
        page = Page(reply.etag or "", reply.next, take(reply))
        self._store.put_page(url, page)
        self._store.commit()
        return page

    def _decoded(self, reply: Reply, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(reply.content, type=kind)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise self._api.failed(
                f"it answers what GitHub would not ({error}); check api_url"
            ) from error


def chosen_numbers(issues: Iterable[Issue], most: int | None) -> Sequence[int]:
    """Return the numbers of the `most` issues that changed last, in ascending order."""
    found = sorted(issues, key=lambda issue: (issue.updated_at, issue.number), reverse=True)
    return sorted(issue.number for issue in found[:most])
