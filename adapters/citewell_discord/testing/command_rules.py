"""Which application commands Discord registers.

Source: discord.com/developers/docs/interactions/application-commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from citewell_discord.testing.bodies import CommandBody, CommandOption
from citewell_discord.testing.errors import Flaws, Payload


class CommandKind(IntEnum):
    """Where a command is found."""

    SLASH = 1
    USER_MENU = 2
    MESSAGE_MENU = 3


class OptionKind(IntEnum):
    """What lies below a command instead of an option."""

    COMMAND = 1
    GROUP = 2


# Source: discord.com/developers/docs/interactions/application-commands, "Registering a Command";
# menus were 5 each until 2025.
_MOST: Mapping[int, int] = {
    CommandKind.SLASH: 100,
    CommandKind.USER_MENU: 15,
    CommandKind.MESSAGE_MENU: 15,
}
_IN_GUILD = 0
_WITH_BOT = 1
_MAX_NAME = 32
_MAX_DESCRIPTION = 100
_MAX_OPTIONS = 25


@dataclass(frozen=True, slots=True)
class Command:
    """A registered command.

    Attributes:
        guild_id: None where it is global.
    """

    id: int
    application_id: int
    guild_id: int | None
    body: CommandBody

    @property
    def name(self) -> str:
        """What people call it by."""
        return self.body.name

    @property
    def kind(self) -> CommandKind:
        """Where people find it."""
        return CommandKind(self.body.type)

    @property
    def is_direct(self) -> bool:
        """Tell whether it is offered in conversations with the bot."""
        contexts = self.body.contexts
        is_for = contexts is None or _WITH_BOT in contexts
        return self.guild_id is None and is_for and self.body.dm_permission is not False

    @property
    def is_in_guilds(self) -> bool:
        """Tell whether it is offered in guilds."""
        return self.body.contexts is None or _IN_GUILD in self.body.contexts

    def payload(self) -> Payload:
        """Return it as the API does."""
        payload: Payload = msgspec.to_builtins(self.body)
        rights = self.body.default_member_permissions
        payload |= {
            "id": str(self.id),
            "application_id": str(self.application_id),
            "version": str(self.id),
            "default_member_permissions": None if rights is None else str(rights),
        }
        if self.guild_id is not None:
            payload["guild_id"] = str(self.guild_id)
        return payload


def check_commands(commands: Sequence[CommandBody]) -> None:
    """Refuse a whole set of commands that Discord would not register.

    Raises:
        Refusal: it has flaws.
    """
    flaws = Flaws()
    for kind, count in Counter(one.type for one in commands).items():
        most = _MOST.get(kind)
        if most is None or count > most:
            message = f"Maximum number of application commands reached ({most or 0})."
            flaws.add((), "APPLICATION_COMMANDS_MAXIMUM_REACHED", message)
    seen: set[tuple[int, str]] = set()
    for number, one in enumerate(commands):
        _check_command((number,), one, flaws)
        if (one.type, one.name) in seen:
            message = "Application command names must be unique"
            flaws.add((), "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
        seen.add((one.type, one.name))
    flaws.refuse()


def _check_command(path: tuple[str | int, ...], one: CommandBody, flaws: Flaws) -> None:
    flaws.length((*path, "name"), one.name, least=1, most=_MAX_NAME)
    if one.type != CommandKind.SLASH:
        if one.description:
            message = "Context menu commands cannot have description"
            flaws.add(
                (*path, "description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_SET", message
            )
        return
    _check_name((*path, "name"), one.name, flaws)
    flaws.length((*path, "description"), one.description, least=1, most=_MAX_DESCRIPTION)
    _check_options((*path, "options"), one.options, flaws)


def _check_options(
    path: tuple[str | int, ...], options: Sequence[CommandOption], flaws: Flaws
) -> None:
    flaws.length(path, options, least=0, most=_MAX_OPTIONS)
    were_required = True
    for number, one in enumerate(options):
        at = (*path, number)
        _check_name((*at, "name"), one.name, flaws)
        flaws.length((*at, "name"), one.name, least=1, most=_MAX_NAME)
        flaws.length((*at, "description"), one.description, least=1, most=_MAX_DESCRIPTION)
        flaws.length((*at, "choices"), one.choices, least=0, most=_MAX_OPTIONS)
        if one.required and not were_required:
            message = "Required options must be placed before non-required options"
            flaws.add(at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        were_required = one.required
        _check_options((*at, "options"), one.options or (), flaws)


def _check_name(path: tuple[str | int, ...], name: str, flaws: Flaws) -> None:
    is_plain = all(char in "-_'" or char.isalnum() for char in name)
    if not is_plain or name != name.lower():
        message = "Command name is invalid"
        flaws.add(path, "APPLICATION_COMMAND_INVALID_NAME", message)
