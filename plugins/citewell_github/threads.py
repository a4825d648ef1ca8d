"""An issue with its comments, as the source hands it to the loader."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Post(Struct, frozen=True, kw_only=True):
    """What one person wrote: the issue itself, or a comment.

    Attributes:
        author: login, without "@".
        day: when, in UTC: "2026-01-31".
        anchor: fragment of the issue's page that opens it.
        text: in Markdown, untouched.
    """

    author: str
    day: str
    anchor: str
    text: str


class Thread(Struct, frozen=True, kw_only=True):
    """An issue or pull request; the first of its posts is its own text.

    Attributes:
        kind: "Issue" or "Pull request".
        state: "open", "closed as completed on 2026-01-31".
        labels: of GitHub.
    """

    kind: str
    number: int
    repository: str
    title: str
    state: str
    labels: tuple[str, ...]
    posts: tuple[Post, ...]


def encode(thread: Thread) -> bytes:
    """Return the content of a file; the same thread gives the same bytes."""
    return msgspec.json.encode(thread)


def decode(content: bytes) -> Thread:
    """Return what `encode` was given.

    Raises:
        ValueError: the content is another one.
    """
    thread = msgspec.json.decode(content, type=Thread)
    if not thread.posts:
        raise ValueError("it has no posts")
    return thread
