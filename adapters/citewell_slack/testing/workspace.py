"""Who and what there is in the workspace."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from citewell_slack.testing.clock import Clock
from citewell_slack.testing.messages import Ephemeral, Messages
from citewell_slack.testing.surfaces import Surfaces
from citewell_slack.testing.wire import JsonObject, Refusal, without_nothing


class ChannelKind(StrEnum):
    """Kinds of conversation, by what events call them."""

    PUBLIC = "channel"
    PRIVATE = "group"
    GROUP_IM = "mpim"
    IM = "im"


@dataclass
class User:
    """Somebody, or a bot.

    Attributes:
        bot_id: of a bot.
        is_guest: who is one sees the channels alone in which they are.
    """

    id: str
    name: str
    team: str
    bot_id: str | None = None
    is_deleted: bool = False
    is_guest: bool = False

    @property
    def email(self) -> str | None:
        """The address of a person."""
        return None if self.bot_id else f"{self.name}@example.com"

    def to_json(self, *, has_email: bool = False) -> JsonObject:
        """Return what users.info says."""
        shown = self.name.capitalize()
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": shown,
            "deleted": self.is_deleted,
            "is_bot": self.bot_id is not None,
            "is_app_user": False,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": False,
            "tz": "Europe/Amsterdam",
            "tz_offset": 3600,
            "profile": without_nothing({
                "real_name": shown,
                "display_name": self.name,
                "email": self.email if has_email else None,
                "bot_id": self.bot_id,
                "team": self.team,
            }),
        }


@dataclass
class UserGroup:
    """A group that can be mentioned."""

    id: str
    handle: str
    users: list[str]

    def to_json(self, *, has_users: bool = False) -> JsonObject:
        """Return what usergroups.list says."""
        told: JsonObject = {
            "id": self.id,
            "handle": self.handle,
            "name": self.handle.capitalize(),
            "is_usergroup": True,
            "user_count": len(self.users),
        }
        return {**told, "users": [*self.users]} if has_users else told


@dataclass
class Channel:
    """A conversation.

    Attributes:
        members: in the order in which they joined.
        is_shared: with another organization.
    """

    id: str
    name: str
    kind: ChannelKind
    members: list[str] = field(default_factory=list)
    topic: str = ""
    is_archived: bool = False
    is_shared: bool = False

    def to_json(self, viewer: str) -> JsonObject:
        """Return what conversations.info says to `viewer`."""
        shared: JsonObject = {
            "id": self.id,
            "is_archived": self.is_archived,
            "is_channel": self.kind == ChannelKind.PUBLIC,
            "is_group": self.kind == ChannelKind.PRIVATE,
            "is_im": self.kind == ChannelKind.IM,
            "is_mpim": self.kind == ChannelKind.GROUP_IM,
            "is_private": self.kind != ChannelKind.PUBLIC,
            "is_shared": self.is_shared,
            "is_ext_shared": self.is_shared,
        }
        if self.kind == ChannelKind.IM:
            others = [one for one in self.members if one != viewer]
            return {**shared, "user": others[0] if others else viewer, "is_open": True}
        return {
            **shared,
            "name": self.name,
            "name_normalized": self.name,
            "is_member": viewer in self.members,
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


@dataclass
class File:
    """A file that somebody uploaded."""

    id: str
    name: str
    mimetype: str
    content: bytes
    user: str
    url: str
    channels: list[str] = field(default_factory=list)

    def to_json(self) -> JsonObject:
        """Return what files.info says."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.name,
            "mimetype": self.mimetype,
            "filetype": self.name.rpartition(".")[2],
            "mode": "hosted",
            "size": len(self.content),
            "user": self.user,
            "url_private": self.url,
            "url_private_download": self.url,
            "channels": self.channels,
        }


class Ids:
    """Makes ids that nothing else has, in any workspace."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.app = self.new("A")

    def new(self, kind: str) -> str:
        """Return an id; `kind` is its first letter."""
        return f"{kind}{next(self._numbers):08d}"


class Workspace:
    """The state that tests read.

    Attributes:
        team: the workspace's id.
        is_installed: whether the app is, so that it hears of what happens.
        files_url: where files are downloaded from.
        bot: the app's own user.
        messages: what was posted, whatever became of it.
        ephemerals: what one person alone was shown.
        surfaces: modals, Home views, prompts, statuses and titles.
    """

    def __init__(self, clock: Clock, ids: Ids, *, name: str) -> None:
        self.clock = clock
        self.name = name
        self.domain = name.lower()
        self.is_installed = True
        self.new_id = ids.new
        self.app = ids.app
        self.team = ids.new("T")
        self.users: dict[str, User] = {}
        self.groups: dict[str, UserGroup] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.files_url = ""
        self.messages = Messages(clock)
        self.ephemerals: list[Ephemeral] = []
        self.surfaces = Surfaces()
        self.bot = self.add_user("citewell", is_bot=True)

    def add_user(self, name: str, *, is_bot: bool = False) -> User:
        """Add somebody who is in no channel yet."""
        bot_id = self.new_id("B") if is_bot else None
        user = User(self.new_id("U"), name, self.team, bot_id)
        self.users[user.id] = user
        return user

    def add_group(self, handle: str, users: Iterable[str] = ()) -> UserGroup:
        """Add a group that can be mentioned."""
        group = UserGroup(self.new_id("S"), handle, [*users])
        self.groups[group.id] = group
        return group

    def add_channel(
        self, name: str, members: Iterable[str], *, kind: ChannelKind = ChannelKind.PUBLIC
    ) -> Channel:
        """Add a channel whose members joined before anybody looked."""
        channel = Channel(self.new_id("C"), name, kind, [*members])
        self.channels[channel.id] = channel
        return channel

    def add_file(self, name: str, content: bytes, mimetype: str, *, user: str) -> File:
        """Add a file that is in no channel yet."""
        id_ = self.new_id("F")
        url = f"{self.files_url}/{id_}/{quote(name)}"
        self.files[id_] = File(id_, name, mimetype, content, user, url)
        return self.files[id_]

    def im(self, user: str) -> Channel:
        """Return the conversation of one person with the bot, opening it where need be."""
        for channel in self.channels.values():
            if channel.kind == ChannelKind.IM and user in channel.members:
                return channel
        opened = Channel(self.new_id("D"), "", ChannelKind.IM, [user, self.bot.id])
        self.channels[opened.id] = opened
        return opened

    def channel(self, id_: str) -> Channel:
        """Return a channel that the bot can see, by its id or its name.

        Raises:
            Refusal: there is none.
        """
        found = self.channels.get(id_)
        if found is None:
            named = [one for one in self.channels.values() if one.name and one.name == id_[1:]]
            found = named[0] if named and id_.startswith("#") else None
        # Of a private channel without the bot, Slack does not even say that it exists.
        if found is None or not (found.kind == ChannelKind.PUBLIC or self.has_bot(found)):
            raise Refusal("channel_not_found")
        return found

    def has_bot(self, channel: Channel) -> bool:
        """Tell whether the bot is a member."""
        return self.bot.id in channel.members

    def user(self, id_: str) -> User:
        """Return a user.

        Raises:
            Refusal: there is none.
        """
        if id_ not in self.users:
            raise Refusal("user_not_found")
        return self.users[id_]

    def shown_to(self, user: str) -> list[Ephemeral]:
        """Return what `user` alone still sees, oldest first."""
        return [one for one in self.ephemerals if one.user == user and not one.is_deleted]
