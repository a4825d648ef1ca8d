"""A web site as a source of documents."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import ssl
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from posixpath import dirname
from typing import TypeAlias

import certifi

from citewell import Changed, Context, Gone, RawDocument, SourceError, Unreadable
from citewell_web.addresses import Reach
from citewell_web.client import Client, Manner
from citewell_web.crawl import Crawl
from citewell_web.hosts import Asking, Hosts
from citewell_web.memory import Memory
from citewell_web.network import CheckedNetwork
from citewell_web.plugin import WebConfig
from citewell_web.scope import Scope
from citewell_web.urls import Url, document_id, key_of
from citewell_web.visits import NOT_READ, Failed, Found, Missing, Moved, Outcome, Visitor, Wishes

Change: TypeAlias = Changed | Gone | Unreadable

_COPIES = "copies-"
_LEFT_OVER_S = 86_400.0
_NAMED_PROBLEMS = 5


@asynccontextmanager
async def open_site(config: WebConfig, context: Context) -> AsyncIterator[Site]:
    """Open the source."""
    async with AsyncExitStack() as stack:
        scope = Scope(config)
        network = CheckedNetwork(Reach(config.allow_private), ports=scope.ports)
        client = Client(network, _manner(config, context), _trust(config, context))
        stack.push_async_callback(client.close)
        memory = _memory(context)
        stack.callback(memory.close)
        site = Site(config, context, client=client, memory=memory)
        stack.callback(site.close)
        yield site


def _manner(config: WebConfig, context: Context) -> Manner:
    headers = {
        host: {name: secret.get_secret_value() for name, secret in named.items()}
        for host, named in config.headers.items()
    }
    for host, named in headers.items():
        for name, value in named.items():
            if not all(" " <= character <= "\xff" and character != "\x7f" for character in value):
                raise SourceError(
                    f'library.{context.name}: headers."{host}".{name}: '
                    "its secret is no header; expected one line of Latin characters"
                )
    return Manner(
        user_agent=_user_agent(config),
        interval_s=1.0 / config.requests_per_s,
        concurrency=config.concurrency,
        timeout_s=config.timeout_s,
        headers=headers,
    )


def _trust(config: WebConfig, context: Context) -> ssl.SSLContext:
    """Return what trusts the authorities of the system, of Mozilla, and of `ca_file`."""
    if config.ca_file is None:
        return _usual_trust()
    path = context.resolve(config.ca_file)
    trust = _usual_trust.__wrapped__()
    try:
        trust.load_verify_locations(cafile=path)
    except OSError as error:
        raise SourceError(
            f'library.{context.name}.ca_file: "{path}" cannot be used: '
            f"{error.strerror or error}; expected certificates in PEM"
        ) from error
    return trust


@lru_cache
def _usual_trust() -> ssl.SSLContext:
    """Return what trusts the usual authorities; reading them takes a while."""
    trust = ssl.create_default_context()
    trust.load_verify_locations(cafile=certifi.where())
    return trust


def _memory(context: Context) -> Memory:
    try:
        return Memory(context.data_dir / "pages-1.db")
    except sqlite3.Error as error:
        raise _unusable(context, error) from error


def _unusable(context: Context, error: sqlite3.Error) -> SourceError:
    return SourceError(
        f"library.{context.name}: what is remembered of its pages cannot be used: {error}; "
        f'it stands in "{context.data_dir}" and may be deleted'
    )


def _user_agent(config: WebConfig) -> str:
    return config.user_agent or f"Citewell/{version('citewell')}"


class Site:
    """The pages of a site."""

    def __init__(
        self, config: WebConfig, context: Context, *, client: Client, memory: Memory
    ) -> None:
        self._config = config
        self._context = context
        self._client = client
        self._memory = memory
        self._copies = ExitStack()
        self._looked: float | None = None

    def close(self) -> None:
        """Remove the copies."""
        self._copies.close()

    async def changes(self, known: Mapping[str, str]) -> AsyncGenerator[Change, None]:
        """Walk through the site and compare it with `known`.

        A source that stays open looks again only after `pause_minutes`.
        """
        pause_s = self._config.pause_minutes * 60
        if self._looked is not None and time.monotonic() - self._looked < pause_s:
            return
        try:
            async with aclosing(self._walk(known)) as changes:
                async for change in changes:
                    yield change
        except sqlite3.Error as error:
            raise _unusable(self._context, error) from error
        self._looked = time.monotonic()

    async def _walk(self, known: Mapping[str, str]) -> AsyncGenerator[Change, None]:
        scope = Scope(self._config)
        crawl = self._crawl(scope, known)
        told = _Telling(known, self._memory)
        async with aclosing(crawl.pages()) as outcomes:
            async for outcome in outcomes:
                for change in told.of(outcome):
                    yield change
        for change in told.copies():
            yield change
        asked, dropped = _unseen(known, scope, crawl)
        for id_ in dropped:
            yield Gone(id_)
        async with aclosing(crawl.known(asked)) as outcomes:
            async for outcome in outcomes:
                for change in told.of(outcome):
                    yield change
        for change in (*told.turned(), *told.copies()):
            yield change
        if crawl.problems:
            raise self._unlisted(crawl.problems)

    def _crawl(self, scope: Scope, known: Mapping[str, str]) -> Crawl:
        config, log = self._config, self._context.log
        asking = Asking(
            client=self._client,
            scope=scope,
            log=log,
            user_agent=_user_agent(config),
            obeys=config.robots,
        )
        hosts = Hosts(asking)
        wishes = Wishes(
            known=known,
            readable=self._context.suffixes,
            follows=config.discover != "sitemaps",
            obeys=config.robots,
            most_bytes=int(config.max_mb * 2**20),
            most_bytes_in_all=int(config.max_total_mb * 2**20),
            folder=self._fresh_folder(),
        )
        visitor = Visitor(self._client, hosts, scope=scope, memory=self._memory, wishes=wishes)
        return Crawl(config, scope, hosts, visitor=visitor, log=log)

    def _unlisted(self, problems: Mapping[Url, str]) -> SourceError:
        named = [f'"{url}" {why}' for url, why in problems.items()]
        more = len(named) - _NAMED_PROBLEMS
        said = "; ".join(named[:_NAMED_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
        return SourceError(f"library.{self._context.name}: {said}")

    def _fresh_folder(self) -> Path:
        """Return a folder for copies; the one before is gone, as are those of killed processes."""
        self.close()
        for left_over in self._context.data_dir.glob(f"{_COPIES}*"):
            with contextlib.suppress(OSError):
                if time.time() - left_over.stat().st_mtime > _LEFT_OVER_S:
                    shutil.rmtree(left_over)
        copies = tempfile.TemporaryDirectory(dir=self._context.data_dir, prefix=_COPIES)
        return Path(self._copies.enter_context(copies))


def _unseen(
    known: Mapping[str, str], scope: Scope, crawl: Crawl
) -> tuple[Sequence[Url], Sequence[str]]:
    """Return known pages that nothing led to, and documents that belong to the site no more."""
    asked: dict[str, Url] = {}
    dropped = []
    for id_ in known:
        url = scope.of_document(id_)
        if url is None or scope.is_excluded(url.key) or not scope.is_kept(id_):
            if url is None or url.key not in crawl.seen:
                dropped.append(id_)
        else:
            asked.setdefault(url.key, url)
    return tuple(asked.values()), dropped


class _Telling:
    """Turns what came of pages into what changed."""

    def __init__(self, known: Mapping[str, str], memory: Memory) -> None:
        self._known = known
        self._memory = memory
        self._ids: dict[str, list[str]] = {}
        for id_ in known:
            self._ids.setdefault(key_of(id_), []).append(id_)
        self._kept: set[str] = set()
        self._contents: set[tuple[str, str]] = set()
        self._waiting: list[Found] = []
        # By content: pages that are known with another one, and whether each is a copy.
        self._turned: dict[str, list[tuple[Found, bool]]] = {}

    def of(self, outcome: Outcome) -> Iterator[Change]:
        """Yield what a page means for what is known."""
        if isinstance(outcome, Found):
            if outcome.path is not None and outcome.url.key in self._ids:
                self._turn(outcome)
            elif outcome.canonical is not None and outcome.version:
                self._waiting.append(outcome)
            else:
                yield from self._found(outcome, is_copy=self._is_copy(outcome))
        elif isinstance(outcome, Missing):
            yield from self._gone(outcome.url)
        elif isinstance(outcome, Failed):
            yield from self._unreadable(outcome.url, outcome.reason)
        elif isinstance(outcome, Moved) and outcome.url.key in self._ids:
            where = outcome.target.without_query() if outcome.target else "no web address"
            yield from self._unreadable(outcome.url, f"is redirected for now to {where}")

    def turned(self) -> Iterator[Change]:
        """Yield what pages mean that are known with another content, once all were looked at.

        Several that say the same all at once are a page of maintenance, and no copies.
        """
        turned, self._turned = self._turned, {}
        for pages in turned.values():
            for found, is_copy in pages:
                if len(pages) > 1:
                    yield from self._unreadable(found.url, _alike(len(pages)))
                elif found.canonical is not None:
                    self._waiting.append(found)
                else:
                    yield from self._found(found, is_copy=is_copy)

    def _turn(self, found: Found) -> None:
        is_copy = found.canonical is None and self._is_copy(found)
        if found.canonical is None and not is_copy:
            self._kept.add(found.url.key)
        self._turned.setdefault(found.version, []).append((found, is_copy))

    def copies(self) -> Iterator[Change]:
        """Yield what pages mean that say they are copies: nothing, where the original is there."""
        waiting, self._waiting = self._waiting, []
        for found in waiting:
            if found.canonical is not None and found.canonical.key in self._kept:
                self._remember(found)
                yield from self._gone(found.url, forgets=False)
            else:
                yield from self._found(found, is_copy=self._is_copy(found))

    def _found(self, found: Found, *, is_copy: bool) -> Iterator[Change]:
        key = found.url.key
        self._remember(found)
        if not found.version or is_copy:
            yield from self._gone(found.url, forgets=False)
            return
        self._kept.add(key)
        yield from (Gone(id_) for id_ in self._ids.get(key, ()) if id_ != found.id)
        if found.path is not None or found.version == NOT_READ:
            raw = RawDocument(id=found.id, path=found.path or Path(NOT_READ), uri=str(found.url))
            yield Changed(raw=raw, version=found.version)

    def _is_copy(self, found: Found) -> bool:
        """Tell whether a page of its folder said the same before it: `/` and `/index.html`, say."""
        if found.version in {"", NOT_READ}:
            return False
        content = (dirname(found.url.authority + found.url.path), found.version)
        is_copy = content in self._contents
        self._contents.add(content)
        return is_copy

    def _remember(self, found: Found) -> None:
        if found.remembered is not None:
            self._memory.keep(found.remembered)

    def _gone(self, url: Url, *, forgets: bool = True) -> Iterator[Gone]:
        if forgets:
            self._memory.forget([url.key])
        yield from (Gone(id_) for id_ in self._ids.get(url.key, ()))

    def _unreadable(self, url: Url, reason: str) -> Iterator[Unreadable]:
        ids: Iterable[str] = self._ids.get(url.key) or [document_id(url, url.suffix or ".html")]
        yield from (Unreadable(id_, reason) for id_ in ids)


def _alike(pages: int) -> str:
    return (
        f"says the same as {pages - 1} more indexed pages that changed with it, like a page of "
        "maintenance; exclude it if that stays"
    )
