"""Who and where: users, guilds with their roles and members, channels and threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from citewell_discord.testing.permissions import (
    ALL,
    DIRECT,
    MEMBER,
    Overwrite,
    Permissions,
    in_channel,
)

if TYPE_CHECKING:
    from citewell_discord.testing.messages import Message


class ChannelKind(IntEnum):
    """What a channel is."""

    TEXT = 0
    DIRECT = 1
    CATEGORY = 4
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


THREADS = frozenset({ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD})


@dataclass(eq=False, slots=True)
class User:
    """A person or a bot."""

    id: int
    name: str
    is_bot: bool = False

    @property
    def mention(self) -> str:
        """What a message says to ring this user."""
        return f"<@{self.id}>"


@dataclass(eq=False, slots=True)
class Role:
    """Rights that members of a guild are given together."""

    id: int
    name: str
    permissions: Permissions = Permissions.NONE
    is_mentionable: bool = False
    position: int = 1

    @property
    def mention(self) -> str:
        """What a message says to ring who has this role."""
        return f"<@&{self.id}>"


@dataclass(eq=False, slots=True)
class Member:
    """A user in a guild."""

    user: User
    joined_at: float
    roles: list[Role] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tag:
    """A label of a forum's posts; one that is moderated is given by moderators alone."""

    id: int
    name: str
    is_moderated: bool = False


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody was seen typing."""

    user_id: int
    at: float


@dataclass(eq=False, slots=True)
class Channel:
    """A place for messages.

    Attributes:
        parent: of a thread, where it hangs.
        recipients: of a direct conversation, both sides.
        members: of a thread, the ids of who joined it.
        tags: of a forum, what its posts may carry.
        applied_tags: of a post, the ids of the tags it carries.
        messages: by id, oldest first, deleted ones included.
        nonces: the last message of the bot with each nonce.
        typing: who was seen typing, and when.
    """

    id: int
    kind: ChannelKind
    name: str = ""
    guild: Guild | None = None
    parent: Channel | None = None
    topic: str | None = None
    overwrites: list[Overwrite] = field(default_factory=list)
    recipients: list[User] = field(default_factory=list)
    owner_id: int = 0
    members: dict[int, float] = field(default_factory=dict)
    tags: list[Tag] = field(default_factory=list)
    requires_tag: bool = False
    applied_tags: list[int] = field(default_factory=list)
    is_archived: bool = False
    is_locked: bool = False
    auto_archive_minutes: int = 1440
    messages: dict[int, Message] = field(default_factory=dict)
    nonces: dict[str, Message] = field(default_factory=dict)
    typing: list[Typing] = field(default_factory=list)

    @property
    def is_thread(self) -> bool:
        """Tell whether it hangs below another channel."""
        return self.kind in THREADS

    @property
    def is_direct(self) -> bool:
        """Tell whether it belongs to no guild."""
        return self.kind == ChannelKind.DIRECT

    @property
    def has_messages(self) -> bool:
        """Tell whether messages can be posted in it."""
        return self.kind not in {ChannelKind.FORUM, ChannelKind.CATEGORY}

    @property
    def mention(self) -> str:
        """What a message says to link to it."""
        return f"<#{self.id}>"

    def tag(self, name: str) -> Tag:
        """Return the forum's tag of this name.

        Raises:
            KeyError: there is none.
        """
        for one in self.tags:
            if one.name == name:
                return one
        raise KeyError(f"{name}: no tag of {self.name}; it has {[one.name for one in self.tags]}")

    def visible(self) -> Iterator[Message]:
        """Yield the messages that everybody who may read here can see, oldest first."""
        for message in self.messages.values():
            if not message.is_deleted and not message.is_ephemeral:
                yield message

    def permissions_of(self, user: User) -> Permissions:
        """Return what `user` may do here."""
        if self.guild is None:
            return DIRECT if user in self.recipients else Permissions.NONE
        rights = self.guild.permissions_in(self.parent or self, user)
        if self.kind != ChannelKind.PRIVATE_THREAD:
            return rights
        may_see = user.id in self.members or bool(rights & Permissions.MANAGE_THREADS)
        return rights if may_see else Permissions.NONE

    def allows(self, user: User, right: Permissions) -> bool:
        """Tell whether `user` has all of `right` here."""
        return self.permissions_of(user) & right == right


@dataclass(eq=False, slots=True)
class Guild:
    """A server: what Discord calls a guild.

    Attributes:
        channels: by id, threads among them.
        has_commands: whether the bot was invited with the scope `applications.commands`.
    """

    id: int
    name: str
    owner_id: int
    joined_at: float = 0.0
    has_commands: bool = True
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roles.setdefault(self.id, Role(self.id, "@everyone", MEMBER, position=0))

    @property
    def everyone(self) -> Role:
        """The role that every member has."""
        return self.roles[self.id]

    @property
    def threads(self) -> list[Channel]:
        """The threads that are not archived."""
        return [one for one in self.channels.values() if one.is_thread and not one.is_archived]

    def permissions_of(self, user: User) -> Permissions:
        """Return what `user` may do, before a channel changes it."""
        member = self.members.get(user.id)
        if member is None:
            return Permissions.NONE
        if user.id == self.owner_id:
            return ALL
        rights = self.everyone.permissions
        for role in member.roles:
            rights |= role.permissions
        return ALL if rights & Permissions.ADMINISTRATOR else rights

    def permissions_in(self, channel: Channel, user: User) -> Permissions:
        """Return what `user` may do in a channel that is no thread."""
        member = self.members.get(user.id)
        if member is None:
            return Permissions.NONE
        own = {self.id, *(role.id for role in member.roles)}
        return in_channel(
            self.permissions_of(user),
            _concerning(channel.overwrites, own, user.id),
            everyone=self.id,
            member=user.id,
        )


def _concerning(
    overwrites: Iterable[Overwrite], roles: set[int], member: int
) -> Iterator[Overwrite]:
    for one in overwrites:
        if one.target_id == member if one.is_member else one.target_id in roles:
            yield one
