"""The API's calls for channels and threads."""

from __future__ import annotations

from msgspec import UNSET

from citewell_discord.testing.bodies import ChannelBody, RecipientBody, ThreadBody
from citewell_discord.testing.calls import Answer, Api, Call, Route
from citewell_discord.testing.errors import Flaws, Refusal, unknown, wrong_channel
from citewell_discord.testing.message_routes import shown
from citewell_discord.testing.message_rules import MAX_CONTENT_CHARS, drafted
from citewell_discord.testing.payloads import (
    channel_payload,
    thread_member_payload,
)
from citewell_discord.testing.permissions import Overwrite, Permissions
from citewell_discord.testing.places import Channel, ChannelKind, User


def _get(api: Api, call: Call) -> Answer:
    return channel_payload(api.world.channel(call.id("channel_id")), viewer=api.world.bot)


def _edit(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    body = call.read(ChannelBody)
    if channel.is_thread:
        api.threads.change(channel, body, api.world.bot)
    else:
        _change(api, channel, body)
    return channel_payload(channel, viewer=api.world.bot)


def _change(api: Api, channel: Channel, body: ChannelBody) -> None:
    if channel.is_direct:
        raise wrong_channel()
    api.world.demand(channel, Permissions.MANAGE_CHANNELS)
    flaws = Flaws()
    if body.name is not UNSET:
        flaws.length(("name",), body.name, least=1, most=100)
    flaws.refuse()
    channel.name = channel.name if body.name is UNSET else body.name
    channel.topic = channel.topic if body.topic is UNSET else body.topic
    if body.permission_overwrites is not UNSET:
        api.world.demand(channel, Permissions.MANAGE_ROLES)
        channel.overwrites = [
            Overwrite(
                int(one.id),
                bool(one.type),
                Permissions(int(one.allow)),
                Permissions(int(one.deny)),
            )
            for one in body.permission_overwrites
        ]
    api.world.tell_channel("CHANNEL_UPDATE", channel)


def _start_below(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    api.world.demand(channel, Permissions.CREATE_PUBLIC_THREADS)
    message = api.world.message(channel, call.id("message_id"))
    thread = api.threads.start_below(message, call.read(ThreadBody), api.world.bot)
    return channel_payload(thread, viewer=api.world.bot)


def _start(api: Api, call: Call) -> Answer:
    channel = api.world.channel(call.id("channel_id"))
    body = call.read(ThreadBody)
    if channel.kind == ChannelKind.FORUM:
        return _post(api, call, channel, body)
    right = Permissions.CREATE_PRIVATE_THREADS
    if body.type == ChannelKind.PUBLIC_THREAD:
        right = Permissions.CREATE_PUBLIC_THREADS
    api.world.demand(channel, right)
    thread = api.threads.start(channel, body, api.world.bot)
    return channel_payload(thread, viewer=api.world.bot)


def _post(api: Api, call: Call, forum: Channel, body: ThreadBody) -> Answer:
    api.world.demand(forum, Permissions.SEND_MESSAGES)
    flaws = Flaws()
    flaws.required(("message",), body.message)
    if body.message is not None and isinstance(body.message.content, str):
        flaws.length(("message", "content"), body.message.content, least=0, most=MAX_CONTENT_CHARS)
    flaws.refuse()
    if body.message is None:
        raise Refusal(400, 50035, "Invalid Form Body")
    files = api.posts.files(forum, body.message, call.uploads)
    draft = shown(api, forum, drafted(body.message, attachments=files, under=("message",)))
    thread = api.threads.post(forum, body, api.world.bot, draft)
    payload = channel_payload(thread, viewer=api.world.bot)
    return {**payload, "message": api.world.written(thread.messages[thread.id])}


def _join(api: Api, call: Call) -> Answer:
    thread = _thread(api, call)
    user = _user(api, call)
    if user is not api.world.bot:
        api.world.demand(thread, Permissions.SEND_MESSAGES_IN_THREADS)
    api.threads.join(thread, user)
    return None


def _leave(api: Api, call: Call) -> Answer:
    thread = _thread(api, call)
    user = _user(api, call)
    if user is not api.world.bot:
        api.world.demand(thread, Permissions.MANAGE_THREADS)
    api.threads.leave(thread, user)
    return None


def _members(api: Api, call: Call) -> Answer:
    thread = _thread(api, call)
    return [thread_member_payload(thread, id_) for id_ in thread.members]


def _member(api: Api, call: Call) -> Answer:
    thread = _thread(api, call)
    user = _user(api, call)
    if user.id not in thread.members:
        raise unknown("Member")
    return thread_member_payload(thread, user.id)


def _archived(api: Api, call: Call) -> Answer:
    parent = api.world.channel(call.id("channel_id"))
    api.world.demand(parent, Permissions.READ_MESSAGE_HISTORY)
    found = [
        one
        for one in api.world.channels.values()
        if one.parent is parent and one.is_archived and one.kind == ChannelKind.PUBLIC_THREAD
    ]
    found.sort(key=lambda one: -one.id)
    written = [channel_payload(one, viewer=api.world.bot) for one in found]
    return {"threads": written, "members": [], "has_more": False}


def _thread(api: Api, call: Call) -> Channel:
    thread = api.world.channel(call.id("channel_id"))
    if not thread.is_thread:
        raise wrong_channel()
    return thread


def _user(api: Api, call: Call) -> User:
    if call.path["user"] == "@me":
        return api.world.bot
    user = api.world.users.get(call.id("user"))
    if user is None:
        raise unknown("User")
    return user


def _open_direct(api: Api, call: Call) -> Answer:
    user = api.world.users.get(int(call.read(RecipientBody).recipient_id))
    if user is None:
        raise unknown("User")
    return channel_payload(api.world.direct(user), viewer=api.world.bot)


_ONE = "/channels/{channel_id}"

ROUTES = (
    Route("GET", _ONE, _get),
    Route("PATCH", _ONE, _edit),
    Route("POST", _ONE + "/messages/{message_id}/threads", _start_below, status=201),
    Route("POST", _ONE + "/threads", _start, status=201),
    Route("GET", _ONE + "/threads/archived/public", _archived),
    Route("GET", _ONE + "/thread-members", _members),
    Route("GET", _ONE + "/thread-members/{user}", _member),
    Route("PUT", _ONE + "/thread-members/{user}", _join),
    Route("DELETE", _ONE + "/thread-members/{user}", _leave),
    Route("POST", "/users/@me/channels", _open_direct),
)
