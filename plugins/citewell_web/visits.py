"""One page asked for, and what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from citewell import blocking
from citewell_web import formats, pages
from citewell_web.client import Client, Head, Reply, Unreached
from citewell_web.hosts import REDIRECTS, Hosts, target_of
from citewell_web.memory import Memory, Remembered
from citewell_web.scope import Scope, is_endless
from citewell_web.urls import Url, UrlRefused, document_id, parse

NOT_READ = "not read"
"""Version of a file that no loader reads."""

_REMEMBERED_CHARS = 500_000
"""A page whose links are longer together is not remembered, and so sent again each time."""

_DOWN = frozenset({
    *(HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT),
    HTTPStatus.TOO_MANY_REQUESTS,
})
_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Found(Struct, frozen=True, kw_only=True):
    """A page that is there.

    Attributes:
        id: of the document that it would be.
        version: of its content; empty where it may not be kept.
        path: of a copy, where the content is not what is known.
        links: what it leads to, of the site.
        canonical: another page of the site that it says it is a copy of.
        remembered: what to remember of it.
    """

    url: Url
    id: str
    version: str = ""
    path: Path | None = None
    links: Sequence[Url] = ()
    canonical: Url | None = None
    remembered: Remembered | None = None


class Missing(Struct, frozen=True):
    """A page that is not there, or not for us; says why."""

    url: Url
    reason: str


class Moved(Struct, frozen=True):
    """A page that is elsewhere.

    Attributes:
        target: as the host writes it; None where that is no address.
        is_lasting: whether it is so for good.
    """

    url: Url
    target: Url | None
    is_lasting: bool


class Failed(Struct, frozen=True):
    """A page that cannot be had now; says why.

    Attributes:
        is_down: whether the host may be to blame.
    """

    url: Url
    reason: str
    is_down: bool = False


Outcome: TypeAlias = Found | Missing | Moved | Failed


class Wishes(Struct, frozen=True, kw_only=True):
    """What is wanted of pages.

    Attributes:
        known: of each document, the version that is indexed.
        readable: suffixes that some loader reads; None when unknown.
        follows: whether links are looked for.
        obeys: whether pages may forbid to keep or to follow them.
        most_bytes: of one page.
        most_bytes_in_all: of all copies.
        folder: for copies.
    """

    known: Mapping[str, str]
    readable: frozenset[str] | None
    follows: bool
    obeys: bool
    most_bytes: int
    most_bytes_in_all: int
    folder: Path


class Visitor:
    """Asks for pages of one site."""

    def __init__(
        self, client: Client, hosts: Hosts, *, scope: Scope, memory: Memory, wishes: Wishes
    ) -> None:
        self._client = client
        self._hosts = hosts
        self._scope = scope
        self._memory = memory
        self._wishes = wishes
        self._numbers = count()
        self._bytes = 0

    async def visit(self, url: Url) -> Outcome:
        """Ask for a page; over TLS where its host insists."""
        if not self._hosts.allows(url):
            return Missing(url, "is not to be read, by the robots.txt of its host")
        remembered = self._remembered(url)
        try:
            reply = await self._client.get(
                url, lambda head: self._wanted(url, head), conditions=_conditions(remembered)
            )
        except Unreached as error:
            return Failed(url, str(error), error.is_down)
        status = reply.head.status
        if status == HTTPStatus.NOT_MODIFIED and remembered is not None:
            return self._unchanged(url, remembered)
        if status == HTTPStatus.OK:
            if self._is_full():
                most = self._wishes.most_bytes_in_all / 2**20
                return Failed(url, f"is left out: max_total_mb = {most:g} is reached")
            return await self._found(url, reply)
        if status in REDIRECTS:
            return await self._moved(url, reply)
        if status in _ABSENT:
            return Missing(url, f"answers {reply.head.said}")
        return Failed(url, f"answers {reply.head.said}", status in _DOWN)

    def _remembered(self, url: Url) -> Remembered | None:
        """Return what is remembered, where that is what is indexed."""
        remembered = self._memory.of(url.key)
        if remembered is None or self._wishes.known.get(remembered.id) != remembered.version:
            return None
        return remembered

    def _wanted(self, url: Url, head: Head) -> tuple[int, bool]:
        if head.status != HTTPStatus.OK or self._is_full():
            return 0, False
        suffix = self._suffix(url, head)
        keeps = self._is_read(suffix) and self._scope.is_kept(document_id(url, suffix))
        follows = self._wishes.follows and suffix in formats.HTML
        return (self._wishes.most_bytes if keeps or follows else 0), False

    def _is_full(self) -> bool:
        return self._bytes > self._wishes.most_bytes_in_all

    def _suffix(self, url: Url, head: Head) -> str:
        return formats.suffix_of(url, head.get("content-type"), self._wishes.readable)

    def _is_read(self, suffix: str) -> bool:
        return self._wishes.readable is None or suffix in self._wishes.readable

    async def _moved(self, url: Url, reply: Reply) -> Outcome:
        target = target_of(reply, url)
        if target is not None and target.key == url.key:
            if target.scheme == "https" != url.scheme:
                self._scope.upgrade(url)
                return await self.visit(target)
            return Failed(url, "is redirected to itself")
        lasting = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT}
        return Moved(url, target, reply.head.status in lasting)

    # --- what is there -------------------------------------------------------------------------

    def _unchanged(self, url: Url, remembered: Remembered) -> Found:
        links = [link for link in map(self._link, remembered.links) if link is not None]
        return Found(
            url=url,
            id=remembered.id,
            version=remembered.version if self._scope.is_kept(remembered.id) else "",
            links=tuple(links) if self._wishes.follows else (),
            canonical=self._link(remembered.canonical) if remembered.canonical else None,
            remembered=remembered,
        )

    async def _found(self, url: Url, reply: Reply) -> Found:
        suffix = self._suffix(url, reply.head)
        id_ = document_id(url, suffix)
        is_kept = self._scope.is_kept(id_)
        if reply.data is None:
            return Found(url=url, id=id_, version=NOT_READ if is_kept else "")
        kind = reply.head.get("content-type")
        data = reply.data
        if kind.lower().startswith("text/") or suffix in formats.HTML:
            data = pages.as_utf8(data, formats.charset_of(kind))
        page = await self._page(data, url, suffix, reply.head)
        version = ""
        if is_kept and page.is_index:
            # A page is read for its links also where no loader reads it.
            version = hashlib.sha256(data).hexdigest() if self._is_read(suffix) else NOT_READ
        found = Found(
            url=url,
            id=id_,
            version=version,
            path=self._copy(data, id_, version, suffix),
            links=tuple(self._of_site(page.links)) if page.is_follow else (),
            canonical=self._other(page.canonical, url),
        )
        return _with_memory(found, reply.head)

    async def _page(self, data: bytes, url: Url, suffix: str, head: Head) -> pages.Page:
        """Return what the page, and the header of the answer, say."""
        page = pages.Page()
        if suffix in formats.HTML and (self._wishes.follows or self._wishes.obeys):
            page = await blocking.call(pages.read, data, url)
        rules = pages.header_rules(head.get("x-robots-tag"))
        obeys = self._wishes.obeys
        return pages.Page(
            links=page.links if self._wishes.follows else (),
            canonical=page.canonical,
            is_index=not obeys or (page.is_index and not rules & {"noindex", "none"}),
            is_follow=not obeys or (page.is_follow and not rules & {"nofollow", "none"}),
        )

    def _copy(self, data: bytes, id_: str, version: str, suffix: str) -> Path | None:
        if version in {"", NOT_READ} or self._wishes.known.get(id_) == version:
            return None
        path = self._wishes.folder / f"{next(self._numbers)}{suffix}"
        path.write_bytes(data)
        self._bytes += len(data)
        return path

    def _of_site(self, links: Sequence[Url]) -> Sequence[Url]:
        """Return what of these is worth asking for, each once."""
        found: dict[str, Url] = {}
        for link in links:
            asked = self._scope.spelled(link)
            if asked is None or is_endless(asked):
                continue
            if not formats.is_certainly_unread(asked, self._wishes.readable):
                found.setdefault(asked.key, asked)
        return tuple(found.values())

    def _other(self, canonical: Url | None, url: Url) -> Url | None:
        """Return the canonical address where it is that of another page of the site."""
        asked = self._scope.spelled(canonical) if canonical is not None else None
        if asked is None or asked.key == url.key or self._scope.is_excluded(asked.key):
            return None
        return asked

    def _link(self, text: str) -> Url | None:
        try:
            return self._scope.spelled(parse(text))
        except UrlRefused:
            return None


def _conditions(remembered: Remembered | None) -> Mapping[str, str]:
    """Return headers by which a host need not send again what is remembered."""
    conditions: dict[str, str] = {}
    if remembered is not None and remembered.etag:
        conditions["if-none-match"] = remembered.etag
    if remembered is not None and remembered.modified:
        conditions["if-modified-since"] = remembered.modified
    return conditions


def _with_memory(found: Found, head: Head) -> Found:
    """Return `found` with what to remember of it, where that can spare a sending."""
    if found.version in {"", NOT_READ}:
        return found
    links = tuple(map(str, found.links))
    if sum(map(len, links)) > _REMEMBERED_CHARS:
        return found
    remembered = Remembered(
        key=found.url.key,
        id=found.id,
        version=found.version,
        etag=head.get("etag"),
        modified=head.get("last-modified"),
        canonical=str(found.canonical or ""),
        links=links,
    )
    return replace(found, remembered=remembered)
