"""What somebody gives to a command, as Discord's own client checks and sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from citewell.chat import CannotAct
from citewell_discord.testing.bodies import CommandOption
from citewell_discord.testing.command_rules import Command, OptionKind
from citewell_discord.testing.errors import Payload
from citewell_discord.testing.messages import Upload
from citewell_discord.testing.payloads import (
    attachment_payload,
    channel_payload,
    member_payload,
    role_payload,
    user_payload,
)
from citewell_discord.testing.places import Channel, Role, User
from citewell_discord.testing.posts import Posts


@dataclass(slots=True)
class Arguments:
    """Turns values into what is sent.

    Attributes:
        resolved: everything that the values name, written out.
    """

    channel: Channel
    posts: Posts
    resolved: dict[str, dict[str, object]] = field(default_factory=dict)

    def given(
        self, command: Command, below: Sequence[str], values: Mapping[str, object]
    ) -> list[Payload]:
        """Return the options as they are sent.

        Args:
            command: the one that is used.
            below: the names of the group and the command below it, if there are any.
            values: by the name of the option.

        Raises:
            CannotAct: something is unknown, missing, or not among the choices.
        """
        return self._level(f"/{command.name}", command.body.options, below, values)

    def _level(
        self,
        shown: str,
        options: Sequence[CommandOption],
        below: Sequence[str],
        values: Mapping[str, object],
    ) -> list[Payload]:
        known = {option.name: option for option in options}
        nested = [one.name for one in options if one.type <= OptionKind.GROUP]
        if nested:
            if not below or below[0] not in nested:
                raise CannotAct(f"{shown}: expected one of {nested} below it, got {list(below)}")
            one = known[below[0]]
            inner = self._level(f"{shown} {one.name}", one.options or (), below[1:], values)
            return [{"name": one.name, "type": one.type, "options": inner}]
        unknown = sorted(values.keys() - known.keys())
        missing = sorted(
            one.name for one in known.values() if one.required and one.name not in values
        )
        if unknown or missing or below:
            raise CannotAct(f"{shown}: unknown options {unknown}, missing {missing}")
        return [self._one(shown, known[name], value) for name, value in values.items()]

    def _one(self, shown: str, option: CommandOption, value: object) -> Payload:
        offered = [choice.value for choice in option.choices or ()]
        if offered and value not in offered:
            raise CannotAct(f"{shown}: {option.name}: {value!r} is not offered; {offered} are")
        return {"name": option.name, "type": option.type, "value": self._plain(value)}

    def _plain(self, value: object) -> object:
        """Return a value as it is sent; what it names is written out in `resolved`."""
        if isinstance(value, User):
            self._add_member(value)
            return self._add("users", value.id, user_payload(value))
        if isinstance(value, Channel):
            return self._add("channels", value.id, {**channel_payload(value), "permissions": "0"})
        if isinstance(value, Role):
            return self._add("roles", value.id, role_payload(value))
        if isinstance(value, Upload):
            file = self.posts.attach(self.channel, value)
            return self._add("attachments", file.id, attachment_payload(file))
        return value

    def _add_member(self, user: User) -> None:
        guild = self.channel.guild
        if guild is not None and user.id in guild.members:
            rights = str(int(self.channel.permissions_of(user)))
            member = {**member_payload(guild.members[user.id]), "permissions": rights}
            self._add("members", user.id, member)

    def _add(self, kind: str, id_: int, payload: Payload) -> str:
        self.resolved.setdefault(kind, {})[str(id_)] = payload
        return str(id_)
