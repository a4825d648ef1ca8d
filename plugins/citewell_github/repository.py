"""A GitHub repository as a source of documents: one for each issue, with its comments."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from citewell import Changed, Context, Gone, RawDocument, Unreadable, blocking
from citewell_github.answers import Comment, Issue, User, login
from citewell_github.api import connected
from citewell_github.listing import Listing, chosen_numbers
from citewell_github.plugin import SUFFIX, GitHubConfig
from citewell_github.store import Store
from citewell_github.threads import Post, Thread, encode

_ID = re.compile(rf"(?P<kind>issues|pulls)/(?P<number>[1-9][0-9]{{0,17}}){re.escape(SUFFIX)}")
_COPIES = "copies-"
_LEFT_OVER_S = 86_400.0
_NAMES = {"issues": "Issue", "pulls": "Pull request"}
# What browsers call it, where that differs from the name in the settings.
_PATHS = {"issues": "issues", "pulls": "pull"}


class Repository:
    """The issues of one repository. Remembers them between syncs, to ask only for news."""

    def __init__(self, config: GitHubConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._web_url = _web_url(config.api_url)
        self._without_authors = {author.lower() for author in config.without_authors}
        self._associations = {one.upper() for one in config.comments_by}
        self._copies: Path | None = None

    def close(self) -> None:
        """Remove the files."""
        if self._copies is not None:
            shutil.rmtree(self._copies, ignore_errors=True)
        self._copies = None

    async def changes(self, known: Mapping[str, str]) -> AsyncIterator[Changed | Gone | Unreadable]:
        """Compare what is there now with `known`."""
        folder = self._fresh_folder()
        scope = f"{self._config.api_url} {self._config.repository} {self._config.since}"
        make = partial(Store, self._context.data_dir / "github.sqlite", scope)
        async with blocking.opened(make, Store.close) as store:
            numbers = [int(match["number"]) for match in map(_ID.fullmatch, known) if match]
            async with connected(self._config, self._context.name) as api:
                listing = Listing(api, store, self._config, self._context.log)
                await listing.update(numbers, self._chosen)
            compared = blocking.iterate(lambda: self._compared(store, folder, known))
            try:
                async for change in compared:
                    yield change
            finally:
                await compared.aclose()

    # --- what is read ------------------------------------------------------------------------

    def _chosen(self, store: Store) -> Sequence[int]:
        """Return the numbers of the issues that are read."""
        return chosen_numbers(filter(self._wants, store.issues()), self._config.max_issues)

    def _wants(self, issue: Issue) -> bool:
        config = self._config
        labels = {name.lower() for name in issue.label_names}
        return (
            issue.kind in config.kinds
            and config.state in {"all", issue.state}
            and (config.since is None or issue.updated_at >= config.since.isoformat())
            and (not config.with_labels or _has_any(labels, config.with_labels))
            and not _has_any(labels, config.without_labels)
            and (config.spam or issue.active_lock_reason != "spam")
            and self._reads(issue.user)
        )

    def _reads(self, user: User | None) -> bool:
        if user is not None and user.is_bot and not self._config.bots:
            return False
        return login(user).lower() not in self._without_authors

    def _reads_comment(self, comment: Comment) -> bool:
        by_all = not self._associations
        return self._reads(comment.user) and (
            by_all or comment.author_association in self._associations
        )

    # --- what is told ------------------------------------------------------------------------

    def _compared(
        self, store: Store, folder: Path, known: Mapping[str, str]
    ) -> Iterator[Changed | Gone]:
        numbers = self._chosen(store)
        ids = {number: _id(store.issue(number)) for number in numbers}
        present = set(ids.values())
        yield from (Gone(id_) for id_ in known if id_ not in present)
        for number, id_ in ids.items():
            issue = store.issue(number)
            content = encode(self._thread(issue, store.comments(number)))
            version = hashlib.sha256(content).hexdigest()
            if known.get(id_) != version:
                path = folder / f"{number}{SUFFIX}"
                path.write_bytes(content)
                uri = f"{self._web_url}/{self._config.repository}/{_PATHS[issue.kind]}/{number}"
                yield Changed(raw=RawDocument(id=id_, path=path, uri=uri), version=version)

    def _thread(self, issue: Issue, comments: Sequence[Comment]) -> Thread:
        first = Post(
            author=login(issue.user),
            day=issue.created_at[:10],
            anchor=f"issue-{issue.id}",
            text=issue.body or "",
        )
        posts = [
            Post(
                author=login(comment.user),
                day=comment.created_at[:10],
                anchor=f"issuecomment-{comment.id}",
                text=comment.body or "",
            )
            for comment in comments
            if self._reads_comment(comment)
        ]
        return Thread(
            kind=_NAMES[issue.kind],
            number=issue.number,
            repository=self._config.repository,
            title=issue.title,
            state=_state(issue),
            labels=issue.label_names,
            posts=(first, *posts),
        )

    def _fresh_folder(self) -> Path:
        """Return a folder for files; the one before is gone, as are those of killed processes."""
        self.close()
        for left_over in self._context.data_dir.glob(f"{_COPIES}*"):
            with suppress(OSError):
                if time.time() - left_over.stat().st_mtime > _LEFT_OVER_S:
                    shutil.rmtree(left_over)
        self._copies = Path(tempfile.mkdtemp(dir=self._context.data_dir, prefix=_COPIES))
        return self._copies


def _id(issue: Issue) -> str:
    return f"{issue.kind}/{issue.number}{SUFFIX}"


def _has_any(labels: set[str], wanted: Sequence[str]) -> bool:
    return not labels.isdisjoint(name.lower() for name in wanted)


def _state(issue: Issue) -> str:
    if issue.closed_at is None:
        return issue.state
    merged = (issue.pull_request or {}).get("merged_at")
    if merged:
        return f"merged on {str(merged)[:10]}"
    reason = f" as {issue.state_reason.replace('_', ' ')}" if issue.state_reason else ""
    return f"{issue.state}{reason} on {issue.closed_at[:10]}"


def _web_url(api_url: str) -> str:
    """Return where people see what the API answers.

    Source: docs.github.com, "Using the REST API", for github.com, GHE.com and Enterprise Server.
    """
    parts = urlsplit(api_url)
    host = parts.netloc
    if host == "api.github.com" or host.endswith(".ghe.com"):
        host = host.removeprefix("api.")
    path = parts.path.rstrip("/").removesuffix("/api/v3")
    return f"{parts.scheme}://{host}{path}"
