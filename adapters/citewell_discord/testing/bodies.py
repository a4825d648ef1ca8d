"""The bodies that a client may send, as Discord reads them.

Each field is optional where Discord has a default; `UNSET` is a field that was not sent, which a
PATCH leaves as it is, and None one that was sent as null.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Id: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{1,20}$")] | int
Value: TypeAlias = str | int | float | bool


class ComponentType(IntEnum):
    """What a component is."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


class ButtonStyle(IntEnum):
    """What pressing a button does, and how it looks."""

    PRIMARY = 1
    SECONDARY = 2
    SUCCESS = 3
    DANGER = 4
    LINK = 5
    PREMIUM = 6


class Emoji(Struct, kw_only=True):
    """A character, or an emoji of a guild."""

    id: Id | None = None
    name: str | None = None
    animated: bool = False


class Media(Struct, kw_only=True, omit_defaults=True):
    """A picture or a file, by its address; `attachment://NAME` is one sent with the message."""

    url: str
    proxy_url: str | None = None
    content_type: str | None = None


class GalleryItem(Struct, kw_only=True, omit_defaults=True):
    """A picture in a gallery."""

    media: Media
    description: str | None = None
    spoiler: bool = False


class Option(Struct, kw_only=True, omit_defaults=True):
    """One choice of a menu."""

    label: str
    value: str
    description: str | None = None
    emoji: Emoji | None = None
    default: bool = False


class Component(Struct, kw_only=True, omit_defaults=True):
    """Any component; which fields it may have depends on `type`."""

    type: ComponentType
    id: int | None = None
    custom_id: str | None = None
    style: int | None = None
    label: str | None = None
    emoji: Emoji | None = None
    url: str | None = None
    disabled: bool = False
    components: list[Component] | None = None
    component: Component | None = None
    accessory: Component | None = None
    content: str | None = None
    media: Media | None = None
    file: Media | None = None
    items: list[GalleryItem] | None = None
    description: str | None = None
    spoiler: bool = False
    divider: bool | None = None
    spacing: int | None = None
    accent_color: int | None = None
    options: list[Option] | None = None
    placeholder: str | None = None
    min_values: int | None = None
    max_values: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    required: bool | None = None
    value: str | None = None
    channel_types: list[int] | None = None
    default_values: list[dict[str, str]] | None = None
    default: bool | None = None


class EmbedFooter(Struct, kw_only=True, omit_defaults=True):
    """The last line of an embed."""

    text: str
    icon_url: str | None = None


class EmbedMedia(Struct, kw_only=True, omit_defaults=True):
    """A picture of an embed."""

    url: str


class EmbedAuthor(Struct, kw_only=True, omit_defaults=True):
    """The first line of an embed."""

    name: str
    url: str | None = None
    icon_url: str | None = None


class EmbedField(Struct, kw_only=True):
    """A named paragraph of an embed."""

    name: str
    value: str
    inline: bool = False


class Embed(Struct, kw_only=True, omit_defaults=True):
    """A card under a message."""

    type: str = ""
    title: str | None = None
    description: str | None = None
    url: str | None = None
    timestamp: str | None = None
    color: int | None = None
    footer: EmbedFooter | None = None
    image: EmbedMedia | None = None
    thumbnail: EmbedMedia | None = None
    author: EmbedAuthor | None = None
    fields: list[EmbedField] = []


class AllowedMentions(Struct, kw_only=True):
    """Which of the mentions in a message may ring."""

    parse: list[str] = []
    users: list[Id] = []
    roles: list[Id] = []
    replied_user: bool = False


class Reference(Struct, kw_only=True):
    """The message that a reply answers."""

    message_id: Id | None = None
    channel_id: Id | None = None
    guild_id: Id | None = None
    type: int = 0
    fail_if_not_exists: bool = True


class SentAttachment(Struct, kw_only=True):
    """A file of a message: a number names one sent with it, an id one that it keeps."""

    id: Id
    filename: str | None = None
    description: str | None = None


class MessageBody(Struct, kw_only=True):
    """A new message, a changed one, or the answer to an interaction."""

    content: str | UnsetType | None = UNSET
    embeds: list[Embed] | UnsetType | None = UNSET
    components: list[Component] | UnsetType | None = UNSET
    attachments: list[SentAttachment] | UnsetType | None = UNSET
    flags: int | UnsetType | None = UNSET
    allowed_mentions: AllowedMentions | None = None
    message_reference: Reference | None = None
    nonce: str | int | None = None
    enforce_nonce: bool = False
    tts: bool = False


class ModalBody(Struct, kw_only=True):
    """A form that is shown to who caused an interaction."""

    title: str | None = None
    custom_id: str | None = None
    components: list[Component] = []


class CallbackBody(Struct, kw_only=True):
    """The first answer to an interaction; how `data` is read depends on `type`."""

    type: int
    data: Raw = Raw(b"{}")


class ThreadBody(Struct, kw_only=True):
    """A new thread; with a message, a new post of a forum."""

    name: str | None = None
    auto_archive_duration: int | None = None
    type: int | None = None
    invitable: bool = True
    applied_tags: list[Id] | None = None
    message: MessageBody | None = None


class OverwriteBody(Struct, kw_only=True):
    """What a channel changes for a role (0) or for one member (1)."""

    id: Id
    type: int
    allow: Id = 0
    deny: Id = 0


class ChannelBody(Struct, kw_only=True):
    """Changes to a channel or thread."""

    name: str | UnsetType = UNSET
    topic: str | UnsetType | None = UNSET
    archived: bool | UnsetType = UNSET
    locked: bool | UnsetType = UNSET
    auto_archive_duration: int | UnsetType = UNSET
    applied_tags: list[Id] | UnsetType = UNSET
    permission_overwrites: list[OverwriteBody] | UnsetType = UNSET


class RecipientBody(Struct, kw_only=True):
    """With whom to open a direct conversation."""

    recipient_id: Id


class CommandChoice(Struct, kw_only=True, omit_defaults=True):
    """A value that an option offers."""

    name: str
    value: Value
    name_localizations: dict[str, str] | None = None


class CommandOption(Struct, kw_only=True, omit_defaults=True):
    """What a command asks for, or a command below it."""

    type: int
    name: str
    description: str = ""
    name_localizations: dict[str, str] | None = None
    description_localizations: dict[str, str] | None = None
    required: bool = False
    choices: list[CommandChoice] | None = None
    options: list[CommandOption] | None = None
    channel_types: list[int] | None = None
    min_value: float | None = None
    max_value: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    autocomplete: bool = False


class CommandBody(Struct, kw_only=True):
    """An application command."""

    name: str
    type: int = 1
    description: str = ""
    name_localizations: dict[str, str] | None = None
    description_localizations: dict[str, str] | None = None
    options: list[CommandOption] = []
    default_member_permissions: str | int | None = None
    dm_permission: bool | None = None
    nsfw: bool = False
    contexts: list[int] | None = None
    integration_types: list[int] | None = None
