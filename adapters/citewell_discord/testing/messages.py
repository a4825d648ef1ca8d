"""Messages, with everything that ever became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from citewell_discord.testing.bodies import AllowedMentions, Component, ComponentType, Embed
from citewell_discord.testing.places import Channel, User


class MessageKind(IntEnum):
    """What a message is."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    SLASH_COMMAND = 20
    THREAD_STARTER = 21
    CONTEXT_MENU = 23


class MessageFlags(IntFlag):
    """How a message is shown."""

    NONE = 0
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message.

    Attributes:
        url: where it can be downloaded, without a token.
    """

    id: int
    filename: str
    data: bytes
    url: str
    content_type: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is sent with a message."""

    filename: str
    data: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a message shows at one time."""

    content: str = ""
    embeds: Sequence[Embed] = ()
    components: Sequence[Component] = ()
    attachments: Sequence[Attachment] = ()
    flags: MessageFlags = MessageFlags.NONE
    allowed_mentions: AllowedMentions | None = None

    @property
    def is_v2(self) -> bool:
        """Tell whether its components carry its text."""
        return bool(self.flags & MessageFlags.COMPONENTS_V2)

    @property
    def is_empty(self) -> bool:
        """Tell whether it would show nothing."""
        return not (self.content or self.embeds or self.components or self.attachments)


@dataclass(frozen=True, slots=True)
class Revision:
    """A draft that was shown from `at` on."""

    at: float
    draft: Draft


@dataclass(frozen=True, slots=True)
class Cause:
    """The interaction that a message answers.

    Attributes:
        kind: what the person did: 2 a command, 3 a component, 5 a form.
    """

    id: int
    kind: int
    user: User


@dataclass(eq=False, slots=True, kw_only=True)
class Message:
    """A message.

    Attributes:
        revisions: everything it ever showed, oldest first; never empty.
        reference: the message that it answers.
        seen_by: if ephemeral, who alone sees it.
        cause: the interaction that it answers.
        mentions: the users that it rings.
        reactions: ids of users by emoji.
        thread: what was started from it.
        deleted_at: None while it is there.
    """

    id: int
    channel: Channel
    author: User
    revisions: list[Revision]
    kind: MessageKind = MessageKind.DEFAULT
    nonce: str | None = None
    reference: Message | None = None
    seen_by: User | None = None
    cause: Cause | None = None
    mentions: list[User] = field(default_factory=list)
    mentioned_roles: list[int] = field(default_factory=list)
    mentions_everyone: bool = False
    reactions: dict[str, list[int]] = field(default_factory=dict)
    thread: Channel | None = None
    deleted_at: float | None = None

    @property
    def draft(self) -> Draft:
        """What it shows now."""
        return self.revisions[-1].draft

    @property
    def content(self) -> str:
        """Its own text, without that of embeds and components."""
        return self.draft.content

    @property
    def embeds(self) -> Sequence[Embed]:
        """Its cards."""
        return self.draft.embeds

    @property
    def components(self) -> Sequence[Component]:
        """Its buttons, menus and layout."""
        return self.draft.components

    @property
    def attachments(self) -> Sequence[Attachment]:
        """Its files."""
        return self.draft.attachments

    @property
    def flags(self) -> MessageFlags:
        """How it is shown."""
        return self.draft.flags

    @property
    def is_edited(self) -> bool:
        """Tell whether it was ever changed."""
        return len(self.revisions) > 1

    @property
    def is_deleted(self) -> bool:
        """Tell whether it is gone."""
        return self.deleted_at is not None

    @property
    def is_ephemeral(self) -> bool:
        """Tell whether one person alone sees it."""
        return bool(self.flags & MessageFlags.EPHEMERAL)

    @property
    def is_loading(self) -> bool:
        """Tell whether it still says that the bot is thinking."""
        return bool(self.flags & MessageFlags.LOADING)


def walk(components: Sequence[Component]) -> list[Component]:
    """Return these components and all that lie in them, in the order in which they are shown."""
    found: list[Component] = []
    for one in components:
        found.append(one)
        found += walk(one.components or ())
        found += walk([part for part in (one.component, one.accessory) if part is not None])
    return found


MENUS = frozenset({
    ComponentType.STRING_SELECT,
    ComponentType.USER_SELECT,
    ComponentType.ROLE_SELECT,
    ComponentType.MENTIONABLE_SELECT,
    ComponentType.CHANNEL_SELECT,
})
