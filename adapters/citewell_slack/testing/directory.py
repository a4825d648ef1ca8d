"""The methods that tell who is who, and those of reactions and files."""

from __future__ import annotations

from collections.abc import Iterator

from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.conversations import page
from citewell_slack.testing.events import Events
from citewell_slack.testing.messages import Message
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import File, UserGroup, Workspace

_EMAIL_SCOPE = "users:read.email"


class Directory:
    """Tells of people, groups, the team and files, and lets the bot react."""

    def __init__(self, workspace: Workspace, events: Events) -> None:
        self._workspace = workspace
        self._events = events

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("auth.test", self._identity, tier=4)
        yield Method("team.info", self._team, "team:read", tier=3)
        yield Method("users.info", self._user, "users:read", tier=4)
        yield Method("users.list", self._users, "users:read", tier=2)
        yield Method("usergroups.list", self._groups, "usergroups:read", tier=2)
        yield Method("usergroups.users.list", self._group_users, "usergroups:read", tier=2)
        yield Method("files.info", self._file, "files:read", tier=4)
        yield Method("reactions.add", self._react, "reactions:write", tier=3)
        yield Method("reactions.remove", self._unreact, "reactions:write", tier=2)

    def readable(self, id_: str) -> File | None:
        """Return a file that the bot may read."""
        file = self._workspace.files.get(id_)
        return file if file is not None and self._may_read(file) else None

    def react(self, message: Message, user: str, name: str) -> None:
        """Put an emoji under a message."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            raise Refusal("already_reacted")
        users.append(user)
        self._tell("reaction_added", message, user, name)

    def unreact(self, message: Message, user: str, name: str) -> None:
        """Take an emoji away."""
        users = message.reactions.get(name, [])
        if user not in users:
            raise Refusal("no_reaction")
        users.remove(user)
        if not users:
            del message.reactions[name]
        self._tell("reaction_removed", message, user, name)

    def _tell(self, type_: str, message: Message, user: str, name: str) -> None:
        event = {
            "type": type_,
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "item_user": message.user,
        }
        self._events.other(event, channel=self._workspace.channels[message.channel])

    def _identity(self, _call: Call) -> JsonObject:
        workspace = self._workspace
        return {
            "url": f"https://{workspace.domain}.slack.com/",
            "team": workspace.name,
            "user": workspace.bot.name,
            "team_id": workspace.team,
            "user_id": workspace.bot.id,
            "bot_id": workspace.bot.bot_id,
            "is_enterprise_install": False,
        }

    def _team(self, _call: Call) -> JsonObject:
        workspace = self._workspace
        return {"team": {"id": workspace.team, "name": workspace.name, "domain": workspace.domain}}

    def _user(self, call: Call) -> JsonObject:
        user = self._workspace.user(call.text("user"))
        return {"user": user.to_json(has_email=_EMAIL_SCOPE in call.scopes)}

    def _users(self, call: Call) -> JsonObject:
        every = [*self._workspace.users.values()]
        shown, cursor = page(every, call, key=lambda one: one.id, default=1000)
        members = [one.to_json(has_email=_EMAIL_SCOPE in call.scopes) for one in shown]
        return {"members": members, "response_metadata": {"next_cursor": cursor}}

    def _groups(self, call: Call) -> JsonObject:
        has_users = bool(call.flag("include_users"))
        groups = self._workspace.groups.values()
        return {"usergroups": [one.to_json(has_users=has_users) for one in groups]}

    def _group_users(self, call: Call) -> JsonObject:
        group: UserGroup | None = self._workspace.groups.get(call.text("usergroup"))
        if group is None:
            raise Refusal("no_such_subteam")
        return {"users": group.users}

    def _file(self, call: Call) -> JsonObject:
        file = self.readable(call.text("file"))
        if file is None:
            raise Refusal("file_not_found")
        return {"file": file.to_json()}

    def _may_read(self, file: File) -> bool:
        channels = [self._workspace.channels[id_] for id_ in file.channels]
        return any(self._workspace.has_bot(channel) for channel in channels)

    def _react(self, call: Call) -> JsonObject:
        self.react(self._message(call), self._workspace.bot.id, call.text("name").strip(":"))
        return {}

    def _unreact(self, call: Call) -> JsonObject:
        self.unreact(self._message(call), self._workspace.bot.id, call.text("name").strip(":"))
        return {}

    def _message(self, call: Call) -> Message:
        channel = self._workspace.channel(call.text("channel"))
        if not self._workspace.has_bot(channel):
            raise Refusal("not_in_channel")
        return self._workspace.messages.get(channel.id, call.text("timestamp"))
