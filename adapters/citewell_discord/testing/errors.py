"""What the API answers when it refuses, in Discord's own words and codes.

Source: discord.com/developers/docs/topics/opcodes-and-status-codes, "JSON", and the error bodies
quoted in public issues of client libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Payload: TypeAlias = dict[str, object]
"""An object as it goes over the wire."""


class Refusal(Exception):
    """The API refuses a call.

    Args:
        status: of HTTP.
        code: of Discord.
        message: in Discord's words.
        errors: what is wrong where, for an invalid form body.
        told: the same, for people.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: Payload | None = None,
        told: str = "",
    ) -> None:
        super().__init__(f"{status} {code} {message}{told and f': {told}'}")
        self.status = status
        self.code = code
        self.body: Payload = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a body, and where."""

    path: tuple[str, ...]
    code: str
    message: str


class Flaws:
    """Collects what is wrong with a body, so that all of it is said at once."""

    def __init__(self) -> None:
        self._found: list[Flaw] = []

    def add(self, path: Sequence[str | int], code: str, message: str) -> None:
        """Note one flaw."""
        self._found.append(Flaw(tuple(str(part) for part in path), code, message))

    def length(
        self, path: Sequence[str | int], value: Sequence[object] | None, *, least: int, most: int
    ) -> None:
        """Note the flaw of a text or a list that is too short or too long."""
        if value is None or least <= len(value) <= most:
            return
        if not value and least == 1 and isinstance(value, str):
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif least:
            message = f"Must be between {least} and {most} in length."
            self.add(path, "BASE_TYPE_BAD_LENGTH", message)
        else:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def required(self, path: Sequence[str | int], value: object) -> None:
        """Note the flaw of a field that is missing."""
        if value is None or value == "":
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def refuse(self, *, under: Sequence[str] = ()) -> None:
        """Raise what was found, if anything.

        Args:
            under: the fields that the body itself lies in.

        Raises:
            Refusal: there are flaws.
        """
        if self._found:
            raise invalid_form([
                Flaw((*under, *flaw.path), flaw.code, flaw.message) for flaw in self._found
            ])


def invalid_form(flaws: Sequence[Flaw]) -> Refusal:
    """Return the refusal of a body with these flaws."""
    tree: Payload = {}
    for flaw in flaws:
        node = tree
        for part in flaw.path:
            below = node.setdefault(part, {})
            assert isinstance(below, dict)  # noqa: S101 - no field is called _errors
            node = below
        found = node.setdefault("_errors", [])
        assert isinstance(found, list)  # noqa: S101 - only this function writes it
        found.append({"code": flaw.code, "message": flaw.message})
    told = "; ".join(f"{'.'.join(flaw.path)}: {flaw.message}" for flaw in flaws)
    return Refusal(400, 50035, "Invalid Form Body", errors=tree, told=told)


def unknown(what: str) -> Refusal:
    """Return the refusal of an id that names nothing: `what` is a channel, a message, ..."""
    return Refusal(404, _UNKNOWN[what], f"Unknown {what}")


_UNKNOWN = {
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "interaction": 10062,
    "application command": 10063,
    "Tag": 10087,
}


def unauthorized() -> Refusal:
    """Return the refusal of a token that is not the bot's."""
    return Refusal(401, 0, "401: Unauthorized")


def not_found() -> Refusal:
    """Return the refusal of a path that does not exist."""
    return Refusal(404, 0, "404: Not Found")


def missing_access() -> Refusal:
    """Return the refusal of a channel that the bot may not see."""
    return Refusal(403, 50001, "Missing Access")


def missing_permissions() -> Refusal:
    """Return the refusal of something that the bot may not do."""
    return Refusal(403, 50013, "Missing Permissions")


def empty_message() -> Refusal:
    """Return the refusal of a message that would show nothing."""
    return Refusal(400, 50006, "Cannot send an empty message")


def wrong_channel() -> Refusal:
    """Return the refusal of something that this type of channel cannot do."""
    return Refusal(400, 50024, "Cannot execute action on this channel type")


def thread_archived() -> Refusal:
    """Return the refusal of changing a thread that is archived."""
    return Refusal(400, 50083, "Thread is archived")
