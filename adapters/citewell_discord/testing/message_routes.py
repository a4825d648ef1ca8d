"""The API's calls for messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from msgspec import UNSET

from citewell_discord.testing.bodies import MessageBody
from citewell_discord.testing.calls import Answer, Api, Call, Route
from citewell_discord.testing.errors import (
    Flaws,
    Payload,
    Refusal,
    missing_permissions,
    thread_archived,
    unknown,
)
from citewell_discord.testing.message_rules import drafted
from citewell_discord.testing.messages import Draft, Message, MessageFlags, MessageKind
from citewell_discord.testing.payloads import user_payload
from citewell_discord.testing.permissions import Permissions
from citewell_discord.testing.places import Channel, User
from citewell_discord.testing.posts import Origin

NONCE_LIFE_S = 180.0
"""How long `enforce_nonce` finds a message again. Discord says "the past few minutes"."""


def may_write(api: Api, channel: Channel) -> None:
    """Refuse a channel in which the bot cannot write.

    Raises:
        Refusal: it cannot.
    """
    if not channel.has_messages:
        raise Refusal(400, 50008, "Cannot send messages in a non-text channel")
    right = Permissions.SEND_MESSAGES
    if channel.is_thread:
        right = Permissions.SEND_MESSAGES_IN_THREADS
    api.world.demand(channel, right)
    is_moderator = channel.allows(api.world.bot, Permissions.MANAGE_THREADS)
    if channel.is_archived and channel.is_locked and not is_moderator:
        raise thread_archived()
    if any(user.id in api.world.closed for user in channel.recipients):
        raise Refusal(403, 50007, "Cannot send messages to this user")


def shown(api: Api, channel: Channel, draft: Draft) -> Draft:
    """Return what is left of a draft where the bot may not show all of it.

    Cards that it may not show are left out without a word, unless nothing else is left.
    Source: discord/discord-api-docs issues 2601 and 5648.

    Raises:
        Refusal: it may not send files, or nothing is left.
    """
    if draft.attachments:
        api.world.demand(channel, Permissions.ATTACH_FILES)
    if not draft.embeds or channel.allows(api.world.bot, Permissions.EMBED_LINKS):
        return draft
    bare = dataclasses.replace(draft, embeds=())
    if bare.is_empty:
        raise missing_permissions()
    return bare


def _create(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    may_write(api, channel)
    body = call.read(MessageBody)
    before = _same_nonce(api, channel, body)
    if before is not None:
        return api.world.written(before)
    reference = _answered(api, channel, body)
    files = api.posts.files(channel, body, call.uploads)
    draft = shown(api, channel, drafted(body, attachments=files))
    origin = Origin(
        kind=MessageKind.REPLY if reference else MessageKind.DEFAULT,
        reference=reference,
        nonce=None if body.nonce is None else str(body.nonce),
    )
    return api.world.written(api.posts.write(channel, api.world.bot, draft, origin))


def _same_nonce(api: Api, channel: Channel, body: MessageBody) -> Message | None:
    """Return what was written before with the nonce of `body`, if that must not come twice.

    Raises:
        Refusal: it was taken away since; Discord does not write it again.
            Source: discord/discord-api-docs pull request 6647.
    """
    if body.nonce is None or not body.enforce_nonce:
        return None
    message = channel.nonces.get(str(body.nonce))
    if message is None or message.revisions[0].at <= api.world.clock.now() - NONCE_LIFE_S:
        return None
    if message.is_deleted:
        raise unknown("Message")
    return message


def _answered(api: Api, channel: Channel, body: MessageBody) -> Message | None:
    asked = body.message_reference
    if asked is None or asked.message_id is None:
        return None
    if not channel.allows(api.world.bot, Permissions.READ_MESSAGE_HISTORY):
        raise Refusal(403, 160002, "Cannot reply without permission to read message history")
    message = channel.messages.get(int(asked.message_id))
    if message is not None and not message.is_deleted and not message.is_ephemeral:
        return message
    flaws = Flaws()
    if asked.fail_if_not_exists:
        flaws.add(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    flaws.refuse()
    return None


def _edit(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    message = api.world.message(channel, call.id("message_id"))
    body = call.read(MessageBody)
    if message.author is not api.world.bot:
        return _suppress(api, message, body)
    if channel.is_archived:
        raise thread_archived()
    before = message.draft
    files = api.posts.files(channel, body, call.uploads, before=before.attachments)
    draft = drafted(body, before=before, attachments=files)
    api.posts.change(message, shown(api, channel, draft))
    return api.world.written(message)


def _suppress(api: Api, message: Message, body: MessageBody) -> Answer:
    """Take the previews from somebody else's message; nothing more can be changed in it."""
    if body.content is not UNSET or body.embeds is not UNSET or not isinstance(body.flags, int):
        raise Refusal(403, 50005, "Cannot edit a message authored by another user")
    api.world.demand(message.channel, Permissions.MANAGE_MESSAGES)
    suppressed = MessageFlags(body.flags) & MessageFlags.SUPPRESS_EMBEDS
    api.posts.reflag(message, (message.flags & ~MessageFlags.SUPPRESS_EMBEDS) | suppressed)
    return api.world.written(message)


def _delete(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    message = api.world.message(channel, call.id("message_id"))
    if message.author is not api.world.bot:
        if channel.is_direct:
            raise Refusal(403, 50003, "Cannot execute action on a DM channel")
        api.world.demand(channel, Permissions.MANAGE_MESSAGES)
    api.posts.remove(message)
    return None


def _get(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    api.world.demand(channel, Permissions.READ_MESSAGE_HISTORY)
    return api.world.written(api.world.message(channel, call.id("message_id")))


def _list(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    if not channel.allows(api.world.bot, Permissions.READ_MESSAGE_HISTORY):
        return []
    newest_first = sorted(channel.visible(), key=lambda one: -one.id)
    found = _chosen(newest_first, call, call.limit(default=50, most=100))
    return [api.world.written(message) for message in found]


def _chosen(newest_first: Sequence[Message], call: Call, limit: int) -> Sequence[Message]:
    before, after, around = (call.asked_id(name) for name in ("before", "after", "around"))
    if around is not None:
        half = limit // 2
        newer = [one for one in newest_first if one.id > around][-half:] if half else []
        older = [one for one in newest_first if one.id <= around][: limit - len(newer)]
        return [*newer, *older]
    if before is not None:
        return [one for one in newest_first if one.id < before][:limit]
    if after is not None:
        # The oldest of them, so that a reader can go on from there.
        return [one for one in newest_first if one.id > after][-limit:]
    return newest_first[:limit]


def _type(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    may_write(api, channel)
    api.posts.type(channel, api.world.bot)
    return None


def _react(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    message = api.world.message(channel, call.id("message_id"))
    emoji = call.path["emoji"]
    api.world.demand(channel, Permissions.READ_MESSAGE_HISTORY)
    if emoji not in message.reactions:
        api.world.demand(channel, Permissions.ADD_REACTIONS)
    if call.path["user"] != "@me" or emoji.isascii():
        raise unknown("Emoji")
    api.posts.react(message, api.world.bot, emoji)
    return None


def _unreact(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    message = api.world.message(channel, call.id("message_id"))
    user = api.world.bot
    if call.path["user"] != "@me":
        api.world.demand(channel, Permissions.MANAGE_MESSAGES)
        user = _user(api, call.id("user"))
    api.posts.unreact(message, user, call.path["emoji"])
    return None


def _reacted(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    message = api.world.message(channel, call.id("message_id"))
    ids = message.reactions.get(call.path["emoji"], [])
    found: list[Payload] = [user_payload(api.world.users[id_]) for id_ in ids]
    return found[: call.limit(default=25, most=100)]


def _user(api: Api, id_: int) -> User:
    user = api.world.users.get(id_)
    if user is None:
        raise unknown("User")
    return user


_MESSAGES = "/channels/{channel_id}/messages"
_ONE = _MESSAGES + "/{message_id}"
_REACTIONS = _ONE + "/reactions/{emoji}"

ROUTES = (
    Route("POST", _MESSAGES, _create),
    Route("GET", _MESSAGES, _list),
    Route("GET", _ONE, _get),
    Route("PATCH", _ONE, _edit),
    Route("DELETE", _ONE, _delete),
    Route("PUT", _REACTIONS + "/{user}", _react),
    Route("DELETE", _REACTIONS + "/{user}", _unreact),
    Route("GET", _REACTIONS, _reacted),
    Route("POST", "/channels/{channel_id}/typing", _type),
)
