"""Threads below messages, and the posts of forums."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from citewell_discord.testing.bodies import ChannelBody, Id, ThreadBody
from citewell_discord.testing.errors import (
    Flaws,
    Refusal,
    missing_permissions,
    thread_archived,
    unknown,
    wrong_channel,
)
from citewell_discord.testing.events import Event, Intents
from citewell_discord.testing.messages import Draft, Message, MessageFlags, MessageKind
from citewell_discord.testing.payloads import thread_member_payload
from citewell_discord.testing.permissions import Permissions
from citewell_discord.testing.places import Channel, ChannelKind, User
from citewell_discord.testing.posts import Origin, Posts
from citewell_discord.testing.world import World

MAX_NAME_CHARS = 100
MAX_TAGS = 5
_DURATIONS = frozenset({60, 1440, 4320, 10080})


class Threads:
    """Starts threads and changes them, and publishes it."""

    def __init__(self, world: World, posts: Posts) -> None:
        self._world = world
        self._posts = posts

    def start_below(self, message: Message, body: ThreadBody, owner: User) -> Channel:
        """Start the thread of a message; it has the id of the message.

        Raises:
            Refusal: it has one already, or the body has flaws.
        """
        _check(body)
        if message.channel.kind != ChannelKind.TEXT:
            raise wrong_channel()
        if message.thread is not None:
            raise Refusal(400, 160004, "A thread has already been created for this message")
        thread = self._open(message.channel, body, owner, id_=message.id)
        message.thread = thread
        self._posts.reflag(message, message.flags | MessageFlags.HAS_THREAD)
        origin = Origin(kind=MessageKind.THREAD_STARTER, reference=message)
        self._posts.write(thread, owner, Draft(), origin)
        return thread

    def start(self, channel: Channel, body: ThreadBody, owner: User) -> Channel:
        """Start a thread of a channel, below no message.

        Raises:
            Refusal: the body has flaws, or the channel has no threads.
        """
        _check(body)
        if channel.kind != ChannelKind.TEXT:
            raise wrong_channel()
        is_public = body.type == ChannelKind.PUBLIC_THREAD
        kind = ChannelKind.PUBLIC_THREAD if is_public else ChannelKind.PRIVATE_THREAD
        thread = self._open(channel, body, owner, kind=kind)
        if is_public:
            origin = Origin(kind=MessageKind.THREAD_CREATED)
            self._posts.write(channel, owner, Draft(content=thread.name), origin)
        return thread

    def post(self, forum: Channel, body: ThreadBody, owner: User, draft: Draft) -> Channel:
        """Start a post of a forum; its first message has the same id.

        Raises:
            Refusal: the body has flaws, or its tags may not be given.
        """
        _check(body)
        if forum.kind != ChannelKind.FORUM:
            raise wrong_channel()
        tags = _tags(forum, body.applied_tags or (), owner)
        if forum.requires_tag and not tags:
            message = "A tag is required to create a forum post in this channel"
            raise Refusal(400, 40067, message)
        thread = self._open(forum, body, owner, tags=tags)
        self._posts.write(thread, owner, draft, Origin(id=thread.id))
        return thread

    def change(self, thread: Channel, body: ChannelBody, user: User) -> None:
        """Rename, tag, lock, archive or wake up a thread.

        Raises:
            Refusal: `user` may not, or the body has flaws.
        """
        rights = thread.permissions_of(user)
        is_moderator = bool(rights & Permissions.MANAGE_THREADS)
        wakes = body.archived is False and not (thread.is_locked and not is_moderator)
        if thread.is_archived and not wakes:
            raise thread_archived()
        only_wakes = wakes and body.name is UNSET and body.applied_tags is UNSET
        if not (is_moderator or thread.owner_id == user.id or only_wakes):
            raise missing_permissions()
        if body.locked is not UNSET and not is_moderator:
            raise missing_permissions()
        _check(
            ThreadBody(
                name=None if body.name is UNSET else body.name,
                applied_tags=None if body.applied_tags is UNSET else body.applied_tags,
            ),
            is_new=False,
        )
        if body.applied_tags is not UNSET and thread.parent is not None:
            thread.applied_tags = _tags(thread.parent, body.applied_tags, user)
        thread.name = thread.name if body.name is UNSET else body.name
        thread.is_archived = thread.is_archived if body.archived is UNSET else body.archived
        thread.is_locked = thread.is_locked if body.locked is UNSET else body.locked
        self._world.tell_channel("THREAD_UPDATE", thread)

    def join(self, thread: Channel, user: User) -> None:
        """Make somebody a member of a thread.

        Raises:
            Refusal: it is archived.
        """
        if thread.is_archived:
            raise thread_archived()
        if user.id not in thread.members:
            thread.members[user.id] = self._world.clock.now()
            if user is self._world.bot and thread.kind == ChannelKind.PRIVATE_THREAD:
                self._world.tell_channel("THREAD_CREATE", thread)
            self._tell_members(thread, added=[user.id])

    def leave(self, thread: Channel, user: User) -> None:
        """Let a member of a thread go."""
        if thread.members.pop(user.id, None) is not None:
            self._tell_members(thread, removed=[user.id])

    def _open(
        self,
        parent: Channel,
        body: ThreadBody,
        owner: User,
        *,
        kind: ChannelKind = ChannelKind.PUBLIC_THREAD,
        id_: int | None = None,
        tags: Sequence[int] = (),
    ) -> Channel:
        thread = Channel(
            id_ or self._world.ids.next(),
            kind,
            body.name or "",
            guild=parent.guild,
            parent=parent,
            owner_id=owner.id,
            auto_archive_minutes=body.auto_archive_duration or 1440,
            applied_tags=list(tags),
        )
        thread.members[owner.id] = self._world.clock.now()
        self._world.channels[thread.id] = thread
        if parent.guild is not None:
            parent.guild.channels[thread.id] = thread
        self._world.tell_channel("THREAD_CREATE", thread, newly_created=True)
        return thread

    def _tell_members(
        self, thread: Channel, *, added: Sequence[int] = (), removed: Sequence[int] = ()
    ) -> None:
        if thread.guild is None:
            return
        payload = {
            "id": str(thread.id),
            "guild_id": str(thread.guild.id),
            "member_count": len(thread.members),
            "added_members": [thread_member_payload(thread, id_) for id_ in added],
            "removed_member_ids": [str(id_) for id_ in removed],
        }
        concerns_bot = self._world.bot.id in {*added, *removed}
        intents = Intents.GUILDS if concerns_bot else Intents.GUILD_MEMBERS
        self._world.publish(Event("THREAD_MEMBERS_UPDATE", payload, intents, thread.guild.id))


def _check(body: ThreadBody, *, is_new: bool = True) -> None:
    flaws = Flaws()
    if is_new:
        flaws.required(("name",), body.name)
    flaws.length(("name",), body.name or None, least=1, most=MAX_NAME_CHARS)
    if body.auto_archive_duration not in {None, *_DURATIONS}:
        message = "Value must be one of {60, 1440, 4320, 10080}."
        flaws.add(("auto_archive_duration",), "BASE_TYPE_CHOICES", message)
    flaws.length(("applied_tags",), body.applied_tags, least=0, most=MAX_TAGS)
    flaws.refuse()


def _tags(forum: Channel, wanted: Sequence[Id], user: User) -> list[int]:
    """Return the tags that `user` gives to a post.

    Raises:
        Refusal: one of them is unknown, or given by moderators alone.
    """
    known = {tag.id: tag for tag in forum.tags}
    ids = [int(one) for one in wanted]
    if any(id_ not in known for id_ in ids):
        raise unknown("Tag")
    is_moderated = any(known[id_].is_moderated for id_ in ids)
    if is_moderated and not forum.allows(user, Permissions.MANAGE_THREADS):
        raise missing_permissions()
    return ids
