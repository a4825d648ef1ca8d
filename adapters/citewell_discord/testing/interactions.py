"""Commands, presses and forms: what people ask of a bot directly, and how it answers.

Source: discord.com/developers/docs/interactions/receiving-and-responding.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from citewell_discord.testing.bodies import CallbackBody, MessageBody, ModalBody
from citewell_discord.testing.component_rules import check_modal, numbered
from citewell_discord.testing.errors import Flaws, Payload, Refusal, unknown
from citewell_discord.testing.events import Event
from citewell_discord.testing.message_rules import SETTABLE, drafted
from citewell_discord.testing.messages import (
    Cause,
    Draft,
    Message,
    MessageFlags,
    MessageKind,
    Upload,
)
from citewell_discord.testing.payloads import (
    channel_payload,
    member_payload,
    message_payload,
    user_payload,
)
from citewell_discord.testing.places import Channel, User
from citewell_discord.testing.posts import MAX_FILE_BYTES, Origin, Posts
from citewell_discord.testing.reading import read
from citewell_discord.testing.world import World

ANSWER_WITHIN_S = 3.0
TOKEN_LIFE_S = 15 * 60.0

_SETTABLE = SETTABLE | MessageFlags.EPHEMERAL


class InteractionKind(IntEnum):
    """What somebody did."""

    COMMAND = 2
    COMPONENT = 3
    MODAL = 5


class Callback(IntEnum):
    """How a bot answers first."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    MODAL = 9


@dataclass(eq=False, slots=True, kw_only=True)
class Interaction:
    """Something that somebody did, and everything that the bot answered.

    Attributes:
        data: what was asked, as the bot is told it.
        message: where a component was used.
        answered: how the bot answered first; None until then.
        original: the message that its first answer wrote or changed.
        follow_ups: what it wrote later.
        modal: the form that it showed.
    """

    id: int
    token: str
    kind: InteractionKind
    user: User
    channel: Channel
    opened_at: float
    data: Payload
    message: Message | None = None
    answered: Callback | None = None
    answered_at: float | None = None
    original: Message | None = None
    follow_ups: list[Message] = field(default_factory=list)
    modal: ModalBody | None = None

    @property
    def replies(self) -> Sequence[Message]:
        """What the bot wrote in answer that is still there, oldest first."""
        is_own = self.original is not None and self.original is not self.message
        written = [*([self.original] if self.original and is_own else []), *self.follow_ups]
        return [one for one in written if not one.is_deleted]


class Interactions:
    """Tells the bot what people did, and takes its answers."""

    def __init__(self, world: World, posts: Posts) -> None:
        self._world = world
        self._posts = posts
        self.all: list[Interaction] = []
        self._by_token: dict[str, Interaction] = {}

    def open(
        self,
        kind: InteractionKind,
        user: User,
        channel: Channel,
        data: Payload,
        *,
        message: Message | None = None,
    ) -> Interaction:
        """Tell the bot that somebody did something."""
        interaction = Interaction(
            id=self._world.ids.next(),
            token=secrets.token_urlsafe(32),
            kind=kind,
            user=user,
            channel=channel,
            opened_at=self._world.clock.now(),
            data=data,
            message=message,
        )
        self.all.append(interaction)
        self._by_token[interaction.token] = interaction
        guild_id = None if channel.guild is None else channel.guild.id
        event = Event("INTERACTION_CREATE", self._payload(interaction), guild_id=guild_id)
        self._world.publish(event)
        return interaction

    def has_failed(self, interaction: Interaction) -> bool:
        """Tell whether the person was told that the application did not respond."""
        waited = self._world.clock.now() - interaction.opened_at
        return interaction.answered is None and waited > ANSWER_WITHIN_S

    def answer(
        self, id_: int, token: str, body: CallbackBody, uploads: Mapping[str, Upload]
    ) -> Interaction:
        """Take the bot's first answer.

        Raises:
            Refusal: it is too late, the second one, or has flaws.
        """
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != id_:
            raise unknown("interaction")
        if interaction.answered is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        if self.has_failed(interaction):
            raise unknown("interaction")
        callback = _callback(interaction, body)
        if callback == Callback.MODAL:
            modal = read(_data(body), ModalBody, under=("data",))
            check_modal(modal)
            numbered(modal.components)
            interaction.modal = modal
        elif callback in {Callback.MESSAGE, Callback.UPDATE}:
            self._answer_visibly(interaction, callback, body, uploads)
        elif callback == Callback.DEFERRED_MESSAGE:
            sent = read(_data(body), MessageBody, under=("data",))
            self._think(interaction, sent)
        elif callback == Callback.DEFERRED_UPDATE:
            interaction.original = interaction.message
        interaction.answered = callback
        interaction.answered_at = self._world.clock.now()
        return interaction

    def by_token(self, token: str) -> Interaction:
        """Return the interaction that was given this token.

        Raises:
            Refusal: there is none, it is too old, or was never answered.
        """
        interaction = self._by_token.get(token)
        if interaction is None:
            raise unknown("Webhook")
        if self._world.clock.now() - interaction.opened_at > TOKEN_LIFE_S:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if interaction.answered is None:
            raise unknown("Webhook")
        return interaction

    def message(self, interaction: Interaction, name: str) -> Message:
        """Return one of the messages of an interaction.

        Args:
            interaction: as its token was given.
            name: `@original`, or the id of a follow-up.

        Raises:
            Refusal: there is no such message.
        """
        written = [*interaction.follow_ups]
        if interaction.original is not None:
            written.append(interaction.original)
        for one in written:
            is_meant = one is interaction.original if name == "@original" else str(one.id) == name
            if is_meant and not one.is_deleted:
                return one
        raise unknown("Message")

    def change(
        self,
        message: Message,
        body: MessageBody,
        uploads: Mapping[str, Upload],
        *,
        under: Sequence[str] = (),
    ) -> Message:
        """Change a message of an interaction.

        Args:
            message: the first answer, a follow-up, or where a component was used.
            body: what becomes of it.
            uploads: the files sent with it, by number.
            under: the fields that `body` lies in.

        Raises:
            Refusal: the body has flaws, or the message is gone.
        """
        if message.is_deleted:
            raise unknown("Message")
        before = message.draft
        files = self._posts.files(message.channel, body, uploads, before=before.attachments)
        draft = drafted(body, before=before, attachments=files, under=under)
        self._posts.change(message, draft)
        return message

    def follow_up(
        self, interaction: Interaction, body: MessageBody, uploads: Mapping[str, Upload]
    ) -> Message:
        """Write one more message; the first after a deferred answer is that answer.

        Raises:
            Refusal: the body has flaws.
        """
        original = interaction.original
        if original is not None and original.is_loading and not original.is_deleted:
            return self.change(original, body, uploads)
        files = self._posts.files(interaction.channel, body, uploads)
        draft = drafted(body, attachments=files, settable=_SETTABLE)
        message = self._write(interaction, draft, reference=original)
        interaction.follow_ups.append(message)
        return message

    def written(self, message: Message) -> Payload:
        """Write a message as the API returns it for a token."""
        return message_payload(
            message, viewer=self._world.bot, application_id=self._world.application_id
        )

    def _answer_visibly(
        self,
        interaction: Interaction,
        callback: Callback,
        body: CallbackBody,
        uploads: Mapping[str, Upload],
    ) -> None:
        sent = read(_data(body), MessageBody, under=("data",))
        if callback == Callback.UPDATE and interaction.message is not None:
            message = interaction.message
            interaction.original = self.change(message, sent, uploads, under=("data",))
            return
        files = self._posts.files(interaction.channel, sent, uploads)
        draft = drafted(sent, attachments=files, settable=_SETTABLE, under=("data",))
        interaction.original = self._write(interaction, draft)

    def _think(self, interaction: Interaction, sent: MessageBody) -> None:
        flags = MessageFlags(sent.flags or 0) if isinstance(sent.flags, int) else MessageFlags.NONE
        draft = Draft(flags=(flags & MessageFlags.EPHEMERAL) | MessageFlags.LOADING)
        interaction.original = self._write(interaction, draft)

    def _write(
        self, interaction: Interaction, draft: Draft, *, reference: Message | None = None
    ) -> Message:
        kind = MessageKind.REPLY
        if reference is None:
            kind = _kind(interaction)
            reference = interaction.message
        is_private = bool(draft.flags & MessageFlags.EPHEMERAL)
        origin = Origin(
            kind=kind,
            reference=None if reference is None or reference.is_deleted else reference,
            cause=Cause(interaction.id, interaction.kind, interaction.user),
            seen_by=interaction.user if is_private else None,
        )
        return self._posts.write(interaction.channel, self._world.bot, draft, origin)

    def _payload(self, interaction: Interaction) -> Payload:
        channel, guild = interaction.channel, interaction.channel.guild
        payload: Payload = {
            "id": str(interaction.id),
            "application_id": str(self._world.application_id),
            "type": int(interaction.kind),
            "data": interaction.data,
            "token": interaction.token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": {
                **channel_payload(channel, viewer=self._world.bot),
                "permissions": str(int(channel.permissions_of(interaction.user))),
            },
            "app_permissions": str(int(channel.permissions_of(self._world.bot))),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {"0": "0" if guild is None else str(guild.id)},
            "context": 1 if guild is None else 0,
            "attachment_size_limit": MAX_FILE_BYTES,
        }
        if guild is None:
            payload["user"] = user_payload(interaction.user)
        else:
            rights = str(int(channel.permissions_of(interaction.user)))
            member = member_payload(guild.members[interaction.user.id])
            payload |= {
                "guild_id": str(guild.id),
                "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
                "guild_locale": "en-US",
                "member": {**member, "permissions": rights},
            }
        if interaction.message is not None:
            payload["message"] = self.written(interaction.message)
        return payload


def _callback(interaction: Interaction, body: CallbackBody) -> Callback:
    """Return how the bot answers.

    Raises:
        Refusal: one cannot answer so here.
    """
    allowed = [Callback.MESSAGE, Callback.DEFERRED_MESSAGE]
    if interaction.message is not None:
        allowed += [Callback.DEFERRED_UPDATE, Callback.UPDATE]
    if interaction.kind != InteractionKind.MODAL:
        allowed.append(Callback.MODAL)
    if body.type not in allowed:
        choices = ", ".join(str(int(one)) for one in allowed)
        flaws = Flaws()
        message = f"Value must be one of {{{choices}}}."
        flaws.add(("type",), "BASE_TYPE_CHOICES", message)
        flaws.refuse()
    return Callback(body.type)


def _data(body: CallbackBody) -> bytes:
    data = bytes(body.data)
    return b"{}" if data == b"null" else data


def _kind(interaction: Interaction) -> MessageKind:
    if interaction.message is not None:
        return MessageKind.REPLY
    is_menu = interaction.data.get("type") in {2, 3}
    return MessageKind.CONTEXT_MENU if is_menu else MessageKind.SLASH_COMMAND
