"""Chats of the stand-in: who is there, and what was written."""

from __future__ import annotations

import time
from collections.abc import Collection
from itertools import count
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

BOT: Json = {"id": 42, "is_bot": True, "first_name": "Citewell", "username": "citewell_bot"}


class World:
    """People, groups, and messages, as the Bot API describes them.

    Attributes:
        messages: of the bot and of people, by id, in order.
        changes: how often each was changed.
        members: of each group.
        updates: what the bot has not acknowledged.
        files: content by id.
    """

    def __init__(self) -> None:
        self.messages: dict[int, Json] = {}
        self.changes: dict[int, int] = {}
        self.members: dict[str, set[int]] = {}
        self.updates: list[Json] = []
        self.files: dict[str, bytes] = {}
        self._people: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._channels: dict[str, int] = {}
        self._ids = count(1000)

    def person(self, name: str, groups: Collection[str]) -> int:
        """Return the id of somebody, who is a member of these groups and no other from now on."""
        person = self._people.setdefault(name, len(self._people) + 501)
        self._names[person] = name
        channels = {str(one) for one in self._channels.values()}
        for group, members in self.members.items():
            if group not in channels:
                members.discard(person)
        for group in groups:
            self.members.setdefault(group, set()).add(person)
        return person

    def channel(self, name: str, members: Collection[str]) -> int:
        """Return the id of a group that has these members from now on."""
        channel = self._channels.setdefault(name, -100_000 - len(self._channels))
        self.members[str(channel)] = {int(one) for one in members}
        return channel

    def user(self, person: int) -> Json:
        """Return how somebody is described."""
        if person == BOT["id"]:
            return BOT
        return {"id": person, "is_bot": False, "first_name": self._names.get(person, "Somebody")}

    def put(self, author: int, chat: int, **fields: object) -> Json:
        """Add a message."""
        kind = "private" if chat > 0 else "supergroup"
        message: Json = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": {"id": chat, "type": kind},
            "from": self.user(author),
            **{name: value for name, value in fields.items() if value},
        }
        self.messages[message["message_id"]] = message
        return message

    def tell(self, **happened: Json) -> None:
        """Add an update."""
        self.updates.append({"update_id": next(self._ids), **happened})

    def is_in(self, group: str, person: int) -> bool | None:
        """Tell whether somebody is a member; None where there is no such group."""
        members = self.members.get(group)
        return None if members is None else person in members
