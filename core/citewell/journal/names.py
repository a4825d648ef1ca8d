"""What somebody is called across chat services."""

from __future__ import annotations

from msgspec import Struct

from citewell.types.chat import Venue

ALONE = "\n"
"""Stands before who alone sees a conversation; no service names anything with it."""


class Person(Struct, frozen=True):
    """Somebody, as a chat service names them.

    Attributes:
        team: empty where there is none.
    """

    platform: str
    team: str
    user: str

    @classmethod
    def of(cls, name: str) -> Person | None:
        """Return who is called this, or None for a name of another kind."""
        parts = name.split("/", 2)
        return cls(*parts) if len(parts) == 3 and parts[0] and parts[2] else None

    @property
    def name(self) -> str:
        """Return the name that no other person has: platform/team/user."""
        return f"{self.platform}/{self.team}/{self.user}"


def conversation_of(venue: Venue, only_for: str | None = None) -> str:
    """Name the conversation at a place; what one person alone sees there is another one."""
    return venue.conversation if only_for is None else f"{venue.conversation}{ALONE}{only_for}"


def conversations_of(venue: Venue, user: str | None) -> tuple[str, ...]:
    """Return the conversations at a place that somebody sees; for None that everyone sees."""
    return tuple(dict.fromkeys((conversation_of(venue), conversation_of(venue, user))))


def asker_name(venue: Venue, user: str) -> str:
    """Return what a user is called where users of several services and teams meet.

    It is what `questions.asker`, votes, budgets and the audit hold.
    """
    return Person(venue.platform, venue.team, user).name
