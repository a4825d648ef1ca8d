"""Everything as it goes over the wire."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from citewell_discord.testing.clock import created_at, iso
from citewell_discord.testing.errors import Payload
from citewell_discord.testing.messages import Attachment, Message
from citewell_discord.testing.permissions import Overwrite, Permissions
from citewell_discord.testing.places import Channel, ChannelKind, Guild, Member, Role, Tag, User

_REQUIRES_TAG = 1 << 4


def user_payload(user: User) -> Payload:
    """Write a user."""
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0",
        "global_name": None if user.is_bot else user.name,
        "avatar": None,
        "bot": user.is_bot,
        "public_flags": 0,
    }


def partial_member_payload(member: Member) -> Payload:
    """Write a member beside whose user it stands."""
    return {
        "roles": [str(role.id) for role in member.roles],
        "joined_at": iso(member.joined_at),
        "nick": None,
        "avatar": None,
        "premium_since": None,
        "communication_disabled_until": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def member_payload(member: Member) -> Payload:
    """Write a member."""
    return {**partial_member_payload(member), "user": user_payload(member.user)}


def role_payload(role: Role) -> Payload:
    """Write a role."""
    return {
        "id": str(role.id),
        "name": role.name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": role.position,
        "permissions": str(int(role.permissions)),
        "managed": False,
        "mentionable": role.is_mentionable,
        "flags": 0,
    }


def overwrite_payload(overwrite: Overwrite) -> Payload:
    """Write what a channel changes for somebody."""
    return {
        "id": str(overwrite.target_id),
        "type": int(overwrite.is_member),
        "allow": str(int(overwrite.allow)),
        "deny": str(int(overwrite.deny)),
    }


def tag_payload(tag: Tag) -> Payload:
    """Write a label of a forum's posts."""
    return {
        "id": str(tag.id),
        "name": tag.name,
        "moderated": tag.is_moderated,
        "emoji_id": None,
        "emoji_name": None,
    }


def channel_payload(channel: Channel, *, viewer: User | None = None) -> Payload:
    """Write a channel.

    Args:
        channel: of any kind.
        viewer: whose membership a thread is written with.
    """
    last = next((one.id for one in reversed(channel.messages.values())), None)
    payload: Payload = {
        "id": str(channel.id),
        "type": int(channel.kind),
        "last_message_id": None if last is None else str(last),
        "flags": 0,
    }
    if channel.guild is None:
        others = [one for one in channel.recipients if one is not viewer]
        return payload | {"recipients": [user_payload(one) for one in others]}
    payload |= {
        "guild_id": str(channel.guild.id),
        "name": channel.name,
        "parent_id": None if channel.parent is None else str(channel.parent.id),
        "rate_limit_per_user": 0,
    }
    if channel.is_thread:
        return payload | _thread_fields(channel, viewer)
    payload |= {
        "position": 0,
        "nsfw": False,
        "topic": channel.topic,
        "permission_overwrites": [overwrite_payload(one) for one in channel.overwrites],
    }
    if channel.kind == ChannelKind.FORUM:
        payload |= {
            "available_tags": [tag_payload(tag) for tag in channel.tags],
            "flags": _REQUIRES_TAG if channel.requires_tag else 0,
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
            "template": "",
        }
    return payload


def _thread_fields(thread: Channel, viewer: User | None) -> Payload:
    count = sum(1 for _ in thread.visible())
    fields: Payload = {
        "owner_id": str(thread.owner_id),
        "message_count": count,
        "total_message_sent": len(thread.messages),
        "member_count": len(thread.members),
        "applied_tags": [str(tag) for tag in thread.applied_tags],
        "thread_metadata": {
            "archived": thread.is_archived,
            "locked": thread.is_locked,
            "auto_archive_duration": thread.auto_archive_minutes,
            "archive_timestamp": iso(created_at(thread.id)),
            "create_timestamp": iso(created_at(thread.id)),
            "invitable": True,
        },
    }
    if viewer is not None and viewer.id in thread.members:
        fields["member"] = thread_member_payload(thread, viewer.id)
    return fields


def thread_member_payload(thread: Channel, user_id: int) -> Payload:
    """Write who joined a thread."""
    return {
        "id": str(thread.id),
        "user_id": str(user_id),
        "join_timestamp": iso(thread.members[user_id]),
        "flags": 0,
    }


def guild_payload(guild: Guild, viewer: User, *, members: Iterable[Member]) -> Payload:
    """Write a guild as it is told to a bot that connects.

    Args:
        guild: what to write.
        viewer: the bot; it is told of the threads that it may see.
        members: those that it is told of.
    """
    plain = [one for one in guild.channels.values() if not one.is_thread]
    threads = [one for one in guild.threads if one.allows(viewer, Permissions.VIEW_CHANNEL)]
    return {
        **guild_fields(guild),
        "joined_at": iso(guild.joined_at),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_payload(one) for one in members],
        "channels": [channel_payload(one) for one in plain],
        "threads": [channel_payload(one, viewer=viewer) for one in threads],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def guild_fields(guild: Guild) -> Payload:
    """Write a guild without what is in it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "owner_id": str(guild.owner_id),
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": "en-US",
        "vanity_url_code": None,
        "application_id": None,
        "features": ["COMMUNITY"],
        "emojis": [],
        "stickers": [],
        "roles": [role_payload(role) for role in guild.roles.values()],
    }


def attachment_payload(attachment: Attachment) -> Payload:
    """Write a file of a message."""
    payload: Payload = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.data),
        "url": attachment.url,
        "proxy_url": attachment.url,
    }
    if attachment.content_type is not None:
        payload["content_type"] = attachment.content_type
    if attachment.description is not None:
        payload["description"] = attachment.description
    return payload


def message_payload(
    message: Message,
    *,
    viewer: User,
    application_id: int,
    with_content: bool = True,
    with_answered: bool = True,
) -> Payload:
    """Write a message.

    Args:
        message: what to write.
        viewer: the bot that is told; what it mentions, wrote or got directly it may always read.
        application_id: of the bot.
        with_content: whether the bot may read what others wrote to others.
        with_answered: whether the message that it answers is written with it.
    """
    readable = (
        with_content
        or message.author is viewer
        or message.channel.is_direct
        or viewer in message.mentions
    )
    draft = message.draft
    payload: Payload = {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "author": user_payload(message.author),
        "type": int(message.kind),
        "content": draft.content if readable else "",
        "embeds": msgspec.to_builtins(draft.embeds) if readable else [],
        "components": msgspec.to_builtins(draft.components) if readable else [],
        "attachments": [attachment_payload(one) for one in draft.attachments] if readable else [],
        "timestamp": iso(created_at(message.id)),
        "edited_timestamp": iso(message.revisions[-1].at) if message.is_edited else None,
        "tts": False,
        "mention_everyone": message.mentions_everyone,
        "mentions": [user_payload(user) for user in message.mentions],
        "mention_roles": [str(role) for role in message.mentioned_roles],
        "pinned": False,
        "flags": int(draft.flags),
    }
    _add_bonds(payload, message, viewer, application_id)
    if message.reference is not None:
        payload["message_reference"] = _reference_payload(message.reference)
        payload["referenced_message"] = (
            message_payload(
                message.reference,
                viewer=viewer,
                application_id=application_id,
                with_content=with_content,
                with_answered=False,
            )
            if with_answered and not message.reference.is_deleted
            else None
        )
    return payload


def _add_bonds(payload: Payload, message: Message, viewer: User, application_id: int) -> None:
    """Add what ties a message to others."""
    if message.nonce is not None:
        payload["nonce"] = message.nonce
    if message.reactions:
        payload["reactions"] = [
            {
                "count": len(users),
                "count_details": {"burst": 0, "normal": len(users)},
                "me": viewer.id in users,
                "me_burst": False,
                "burst_colors": [],
                "emoji": {"id": None, "name": emoji},
            }
            for emoji, users in message.reactions.items()
        ]
    if message.thread is not None:
        payload["thread"] = channel_payload(message.thread, viewer=viewer)
    if message.cause is not None:
        payload["application_id"] = str(application_id)
        payload["webhook_id"] = str(application_id)
        payload["interaction_metadata"] = {
            "id": str(message.cause.id),
            "type": message.cause.kind,
            "user": user_payload(message.cause.user),
            "authorizing_integration_owners": {},
        }


def _reference_payload(answered: Message) -> Payload:
    reference: Payload = {
        "type": 0,
        "message_id": str(answered.id),
        "channel_id": str(answered.channel.id),
    }
    if answered.channel.guild is not None:
        reference["guild_id"] = str(answered.channel.guild.id)
    return reference
