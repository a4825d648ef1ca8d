"""What GitHub's API answers, as far as it is read.

Source: GitHub REST API description, version 2022-11-28, schemas "issue" and "issue-comment".
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

Number: TypeAlias = Annotated[int, Meta(ge=1, lt=2**62)]

_GHOST = "ghost"
"""How GitHub shows who is no longer there."""


class User(Struct, frozen=True):
    """Who wrote something."""

    login: str
    type: str = "User"

    @property
    def is_bot(self) -> bool:
        """Whether it is a program."""
        return self.type == "Bot" or self.login.endswith("[bot]")


class Label(Struct, frozen=True):
    """A label of GitHub."""

    name: str | None = None


class Issue(Struct, frozen=True):
    """An issue or a pull request, which is an issue as well."""

    id: Number
    number: Number
    title: str
    state: str
    created_at: str
    updated_at: str
    user: User | None = None
    body: str | None = None
    labels: tuple[str | Label, ...] = ()
    comments: int = 0
    closed_at: str | None = None
    state_reason: str | None = None
    active_lock_reason: str | None = None
    pull_request: dict[str, Any] | None = None

    @property
    def kind(self) -> str:
        """The setting that asks for it."""
        return "issues" if self.pull_request is None else "pulls"

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels."""
        names = (one if isinstance(one, str) else one.name for one in self.labels)
        return tuple(name for name in names if name)


class Comment(Struct, frozen=True):
    """A comment on an issue or a pull request."""

    id: Number
    created_at: str
    issue_url: Annotated[str, Meta(pattern=r"/[1-9][0-9]{0,17}$")]
    user: User | None = None
    body: str | None = None
    author_association: str = "NONE"

    @property
    def number(self) -> int:
        """Of the issue."""
        return int(self.issue_url.rpartition("/")[2])


def login(user: User | None) -> str:
    """Return a user's name."""
    return _GHOST if user is None else user.login
