"""How messages come, change and go, whoever writes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from citewell_discord.testing.bodies import MessageBody
from citewell_discord.testing.errors import Flaws, Payload, Refusal
from citewell_discord.testing.events import Event, Intents
from citewell_discord.testing.messages import (
    Attachment,
    Cause,
    Draft,
    Message,
    MessageFlags,
    MessageKind,
    Revision,
    Upload,
)
from citewell_discord.testing.payloads import (
    member_payload,
    message_payload,
    partial_member_payload,
)
from citewell_discord.testing.permissions import Permissions
from citewell_discord.testing.places import Channel, Typing, User
from citewell_discord.testing.rendering import EVERYONE, HERE, rendered
from citewell_discord.testing.world import World

MAX_FILE_BYTES = 10 * 2**20
"""Of one file, in a guild that nobody boosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Why a message is written.

    Attributes:
        cause: the interaction that it answers.
        seen_by: if it is ephemeral, who alone sees it.
        id: if it has to be a certain one.
    """

    kind: MessageKind = MessageKind.DEFAULT
    reference: Message | None = None
    nonce: str | None = None
    cause: Cause | None = None
    seen_by: User | None = None
    id: int | None = None


SPOKEN = Origin()
"""Somebody just says something."""


class Posts:
    """Writes, changes and removes messages, and publishes it.

    Attributes:
        watchers: called with each message that was written, changed or taken away, ephemeral
            ones too.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.watchers: list[Callable[[Message], None]] = []

    def attach(
        self, channel: Channel, upload: Upload, description: str | None = None
    ) -> Attachment:
        """Store a file, from now on downloadable."""
        id_ = self._world.ids.next()
        path = f"/attachments/{channel.id}/{id_}/{upload.filename}"
        attachment = Attachment(
            id=id_,
            filename=upload.filename,
            data=upload.data,
            url=self._world.files_url + path,
            content_type=upload.content_type,
            description=description,
        )
        self._world.files[path] = attachment
        return attachment

    def files(
        self,
        channel: Channel,
        body: MessageBody,
        uploads: Mapping[str, Upload],
        *,
        before: Sequence[Attachment] = (),
    ) -> Sequence[Attachment]:
        """Return all the files of a message from now on.

        Args:
            channel: where the message is.
            body: which files it says that it has.
            uploads: what was sent with it, by number.
            before: what it had.

        Raises:
            Refusal: a file is too large, or was never sent.
        """
        if any(len(one.data) > MAX_FILE_BYTES for one in uploads.values()):
            raise Refusal(413, 40005, "Request entity too large")
        if not isinstance(body.attachments, list):
            return [*before, *(self.attach(channel, one) for one in uploads.values())]
        kept = {str(one.id): one for one in before}
        flaws, found = Flaws(), []
        for number, sent in enumerate(body.attachments):
            if str(sent.id) in uploads:
                found.append(self.attach(channel, uploads[str(sent.id)], sent.description))
            elif str(sent.id) in kept:
                found.append(kept[str(sent.id)])
            else:
                message = f"Attachment {sent.id} was not found"
                flaws.add(("attachments", number, "id"), "ATTACHMENT_NOT_FOUND", message)
        flaws.refuse()
        return found

    def write(
        self, channel: Channel, author: User, draft: Draft, origin: Origin = SPOKEN
    ) -> Message:
        """Write a message and publish it to who may see it."""
        message = Message(
            id=origin.id or self._world.ids.next(),
            channel=channel,
            author=author,
            revisions=[Revision(self._world.clock.now(), draft)],
            kind=origin.kind,
            nonce=origin.nonce,
            reference=origin.reference,
            cause=origin.cause,
            seen_by=origin.seen_by,
        )
        self._resolve(message)
        channel.messages[message.id] = message
        if message.nonce is not None:
            channel.nonces[message.nonce] = message
        if channel.is_thread and not message.is_ephemeral:
            self._enter(channel, author)
        self._publish("MESSAGE_CREATE", message)
        return message

    def change(self, message: Message, draft: Draft) -> None:
        """Let a message show something else."""
        message.revisions.append(Revision(self._world.clock.now(), draft))
        self._resolve(message)
        self._publish("MESSAGE_UPDATE", message)

    def reflag(self, message: Message, flags: MessageFlags) -> None:
        """Change how a message is shown without counting it as edited by its author."""
        last = message.revisions[-1]
        draft = dataclasses.replace(last.draft, flags=flags)
        message.revisions[-1] = Revision(last.at, draft)
        self._publish("MESSAGE_UPDATE", message)

    def remove(self, message: Message) -> None:
        """Take a message away."""
        message.deleted_at = self._world.clock.now()
        payload: Payload = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self._tell("MESSAGE_DELETE", message, payload)

    def react(self, message: Message, user: User, emoji: str) -> None:
        """Put a reaction under a message; a second one of the same user is the first."""
        users = message.reactions.setdefault(emoji, [])
        if user.id not in users:
            users.append(user.id)
            self._tell_reaction("MESSAGE_REACTION_ADD", message, user, emoji)

    def unreact(self, message: Message, user: User, emoji: str) -> None:
        """Take a reaction back, if it is there."""
        users = message.reactions.get(emoji, [])
        if user.id in users:
            users.remove(user.id)
            if not users:
                del message.reactions[emoji]
            self._tell_reaction("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def type(self, channel: Channel, user: User) -> None:
        """Show that somebody is typing."""
        now = self._world.clock.now()
        channel.typing.append(Typing(user.id, now))
        payload: Payload = {
            "channel_id": str(channel.id),
            "user_id": str(user.id),
            "timestamp": int(now),
        }
        intents = Intents.DIRECT_TYPING
        guild = channel.guild
        if guild is not None:
            intents = Intents.GUILD_TYPING
            payload |= {"guild_id": str(guild.id), "member": member_payload(guild.members[user.id])}
        self._publish_in(channel, Event("TYPING_START", payload, intents, _shard_key(channel)))

    def _enter(self, thread: Channel, author: User) -> None:
        """Let who writes in a thread join it; writing wakes it up, too."""
        thread.members.setdefault(author.id, self._world.clock.now())
        if thread.is_archived:
            thread.is_archived = False
            self._world.tell_channel("THREAD_UPDATE", thread)

    def _resolve(self, message: Message) -> None:
        """Find out whom it rings."""
        pings = rendered(message).pings
        message.mentions_everyone = EVERYONE in pings or HERE in pings
        ids = [int(one.strip("<@&>")) for one in pings if one not in {EVERYONE, HERE}]
        message.mentions = [self._world.users[id_] for id_ in ids if id_ in self._world.users]
        guild = message.channel.guild
        message.mentioned_roles = [id_ for id_ in ids if guild is not None and id_ in guild.roles]

    def _publish(self, name: str, message: Message) -> None:
        full, bare = (
            message_payload(
                message,
                viewer=self._world.bot,
                application_id=self._world.application_id,
                with_content=with_content,
            )
            for with_content in (True, False)
        )
        self._tell(name, message, full, bare)

    def _tell(
        self, name: str, message: Message, full: Payload, bare: Payload | None = None
    ) -> None:
        for watcher in self.watchers:
            watcher(message)
        if message.is_ephemeral:
            return
        channel, guild = message.channel, message.channel.guild
        intents = Intents.DIRECT_MESSAGES
        if guild is not None:
            intents = Intents.GUILD_MESSAGES
            for payload in (full, bare or {}):
                payload["guild_id"] = str(guild.id)
                if "author" in payload and message.author.id in guild.members:
                    payload["member"] = partial_member_payload(guild.members[message.author.id])
        event = Event(name, full, intents, _shard_key(channel), without_content=bare)
        self._publish_in(channel, event)

    def _tell_reaction(self, name: str, message: Message, user: User, emoji: str) -> None:
        channel, guild = message.channel, message.channel.guild
        payload: Payload = {
            "user_id": str(user.id),
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "message_author_id": str(message.author.id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        intents = Intents.DIRECT_REACTIONS
        if guild is not None:
            intents = Intents.GUILD_REACTIONS
            payload["guild_id"] = str(guild.id)
            if name == "MESSAGE_REACTION_ADD":
                payload["member"] = member_payload(guild.members[user.id])
        self._publish_in(channel, Event(name, payload, intents, _shard_key(channel)))

    def _publish_in(self, channel: Channel, event: Event) -> None:
        if channel.allows(self._world.bot, Permissions.VIEW_CHANNEL):
            self._world.publish(event)


def _shard_key(channel: Channel) -> int | None:
    return None if channel.guild is None else channel.guild.id
