"""The API's calls for guilds, users and the application itself."""

from __future__ import annotations

from collections.abc import Sequence

from citewell_discord.testing.bodies import CommandBody
from citewell_discord.testing.calls import Answer, Api, Call, Route
from citewell_discord.testing.command_rules import Command, check_commands
from citewell_discord.testing.errors import Payload, missing_access, unknown
from citewell_discord.testing.events import Intents
from citewell_discord.testing.gateway import DAY_S, IDENTIFIES_A_DAY
from citewell_discord.testing.payloads import (
    channel_payload,
    guild_fields,
    member_payload,
    role_payload,
    user_payload,
)
from citewell_discord.testing.permissions import Permissions


def _me(api: Api, _call: Call) -> Answer:
    return {**user_payload(api.world.bot), "verified": True, "mfa_enabled": True, "flags": 0}


def _user(api: Api, call: Call) -> Answer:
    user = api.world.users.get(call.id("user_id"))
    if user is None:
        raise unknown("User")
    return user_payload(user)


def _guilds(api: Api, _call: Call) -> Answer:
    guilds = api.world.guilds.values()
    return [{**guild_fields(one), "owner": False, "permissions": "0"} for one in guilds]


def _leave(api: Api, call: Call) -> Answer:
    api.world.remove_guild(api.world.guild(call.id("guild_id")))
    return None


def _guild(api: Api, call: Call) -> Answer:
    return guild_fields(api.world.guild(call.id("guild_id")))


def _channels(api: Api, call: Call) -> Answer:
    guild = api.world.guild(call.id("guild_id"))
    plain = [one for one in guild.channels.values() if not one.is_thread]
    return [channel_payload(one) for one in plain]


def _threads(api: Api, call: Call) -> Answer:
    guild = api.world.guild(call.id("guild_id"))
    bot = api.world.bot
    seen = [one for one in guild.threads if one.allows(bot, Permissions.VIEW_CHANNEL)]
    return {"threads": [channel_payload(one, viewer=bot) for one in seen], "members": []}


def _roles(api: Api, call: Call) -> Answer:
    guild = api.world.guild(call.id("guild_id"))
    return [role_payload(role) for role in guild.roles.values()]


def _members(api: Api, call: Call) -> Answer:
    guild = api.world.guild(call.id("guild_id"))
    if not api.world.enabled & Intents.GUILD_MEMBERS:
        raise missing_access()
    after = call.asked_id("after") or 0
    found = sorted((id_, one) for id_, one in guild.members.items() if id_ > after)
    limit = call.limit(default=1, most=1000)
    return [member_payload(one) for _, one in found[:limit]]


def _member(api: Api, call: Call) -> Answer:
    guild = api.world.guild(call.id("guild_id"))
    member = guild.members.get(call.id("user_id"))
    if member is None:
        raise unknown("Member" if call.id("user_id") in api.world.users else "User")
    return member_payload(member)


def _application(api: Api, _call: Call) -> Answer:
    return {
        "id": str(api.world.application_id),
        "name": api.world.bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": user_payload(api.world.developer),
        "team": None,
        "flags": 0,
        "rpc_origins": [],
        "hook": True,
        "bot": user_payload(api.world.bot),
    }


def _gateway(api: Api, _call: Call) -> Answer:
    return {"url": api.gateway.url}


def _gateway_bot(api: Api, _call: Call) -> Answer:
    used = api.gateway.identifies_today
    return {
        "url": api.gateway.url,
        "shards": api.gateway.recommended_shards,
        "session_start_limit": {
            "total": IDENTIFIES_A_DAY,
            "remaining": max(IDENTIFIES_A_DAY - used, 0),
            "reset_after": int(DAY_S * 1000),
            "max_concurrency": 1,
        },
    }


def _commands(api: Api, call: Call) -> Answer:
    return [one.payload() for one in _registered(api, _guild_id(api, call))]


def _overwrite_commands(api: Api, call: Call) -> Answer:
    return _register(api, call, call.read(list[CommandBody]))


def _add_command(api: Api, call: Call) -> Answer:
    new = call.read(CommandBody)
    kept = [
        one.body
        for one in _registered(api, _guild_id(api, call))
        if (one.name, one.body.type) != (new.name, new.type)
    ]
    return _register(api, call, [*kept, new])[-1]


def _command(api: Api, call: Call) -> Answer:
    return _found(api, call).payload()


def _remove_command(api: Api, call: Call) -> Answer:
    api.world.commands.remove(_found(api, call))
    return None


def _found(api: Api, call: Call) -> Command:
    for one in _registered(api, _guild_id(api, call)):
        if one.id == call.id("command_id"):
            return one
    raise unknown("application command")


def _guild_id(api: Api, call: Call) -> int | None:
    """Return the guild whose commands are meant; None are the global ones.

    Raises:
        Refusal: the application is another one, or has no commands in the guild.
    """
    if call.id("application_id") != api.world.application_id:
        raise missing_access()
    if "guild_id" not in call.path:
        return None
    guild = api.world.guilds.get(call.id("guild_id"))
    if guild is None or not guild.has_commands:
        raise missing_access()
    return guild.id


def _registered(api: Api, guild_id: int | None) -> Sequence[Command]:
    return [one for one in api.world.commands if one.guild_id == guild_id]


def _register(api: Api, call: Call, bodies: Sequence[CommandBody]) -> list[Payload]:
    """Put these in the place of all that were registered there; known ones keep their id."""
    check_commands(bodies)
    guild_id = _guild_id(api, call)
    known = {(one.name, one.body.type): one.id for one in _registered(api, guild_id)}
    commands = [
        Command(
            known.get((body.name, body.type)) or api.world.ids.next(),
            api.world.application_id,
            guild_id,
            body,
        )
        for body in bodies
    ]
    api.world.note_new_commands(guild_id, sum(one.id not in known.values() for one in commands))
    others = [one for one in api.world.commands if one.guild_id != guild_id]
    api.world.commands = [*others, *commands]
    return [one.payload() for one in commands]


_GLOBAL = "/applications/{application_id}/commands"
_OF_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
_GUILD = "/guilds/{guild_id}"

ROUTES = (
    Route("GET", "/users/@me", _me),
    Route("GET", "/users/@me/guilds", _guilds),
    Route("DELETE", "/users/@me/guilds/{guild_id}", _leave),
    Route("GET", "/users/{user_id}", _user),
    Route("GET", "/oauth2/applications/@me", _application),
    Route("GET", "/applications/@me", _application),
    Route("GET", "/gateway", _gateway, is_open=True),
    Route("GET", "/gateway/bot", _gateway_bot),
    Route("GET", _GUILD, _guild),
    Route("GET", _GUILD + "/channels", _channels),
    Route("GET", _GUILD + "/threads/active", _threads),
    Route("GET", _GUILD + "/roles", _roles),
    Route("GET", _GUILD + "/members", _members),
    Route("GET", _GUILD + "/members/{user_id}", _member),
    *(
        route
        for template in (_GLOBAL, _OF_GUILD)
        for route in (
            Route("GET", template, _commands),
            Route("PUT", template, _overwrite_commands),
            Route("POST", template, _add_command, status=201),
            Route("GET", template + "/{command_id}", _command),
            Route("DELETE", template + "/{command_id}", _remove_command),
        )
    ),
)
