"""`citewell discord`: what a newcomer has to click, made from the settings."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from citewell import ConfigError
from citewell_discord.config import DiscordConfig
from citewell_discord.inviting import client_id_of, invitation

_NAME = "citewell.toml"


# As in the rest of the command line, also where this is called by itself.
_HELP = {"help_option_names": ["-h", "--help"]}


@click.group("discord", context_settings=_HELP)
def command() -> None:
    """Set the Discord bot up."""


@command.command(
    context_settings=_HELP,
    epilog="""\b
Examples:
  citewell discord invite
  citewell discord invite --client-id 1234567890
  citewell discord invite --config bots.toml --adapter support""",
)
@click.option("--client-id", help="Application id of the bot; default: what its token tells.")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file.")
@click.option("--adapter", help="Name of the adapter's section; default: the one of Discord.")
def invite(client_id: str | None, config: Path | None, adapter: str | None) -> None:
    """Print the address that invites the bot, with no more rights than it needs."""
    section = _section(config, adapter)
    found = client_id or client_id_of(_token(section, (config or _nearest() or Path()).parent))
    if not found:
        raise click.UsageError(
            "the token does not tell the id of the bot; name it with --client-id, "
            "it is the Application ID at discord.com/developers/applications"
        )
    if not found.isdecimal():
        raise click.UsageError(f"--client-id: {found}: expected digits alone")
    click.echo(invitation(_settings(section), found))


def _nearest() -> Path | None:
    folder = Path.cwd()
    return next((one / _NAME for one in (folder, *folder.parents) if (one / _NAME).is_file()), None)


def _section(config: Path | None, adapter: str | None) -> Mapping[str, Any]:
    """Return the section of the adapter; nothing is said there if there is no file.

    Raises:
        ConfigError: it cannot be read, or it is unclear which section is meant.
    """
    path = config or _nearest()
    if path is None:
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("adapter", {})
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: it cannot be read: {error}") from error
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: adapter: expected tables, such as [adapter.discord]")
    found = {
        name: table
        for name, table in tables.items()
        if isinstance(table, dict) and table.get("use", name) == "discord"
    }
    if adapter is not None and adapter not in found:
        raise ConfigError(f"{path}: adapter.{adapter}: no such section of Discord")
    if adapter is None and len(found) > 1:
        raise ConfigError(f"{path}: {', '.join(found)} are of Discord; name one with --adapter")
    return found[adapter] if adapter else next(iter(found.values()), {})


def _settings(section: Mapping[str, Any]) -> DiscordConfig:
    """Return what the section says; rights do not depend on its secrets.

    Raises:
        ConfigError: it is wrong.
    """
    given = {key: value for key, value in section.items() if key not in {"use", "token"}}
    try:
        return DiscordConfig.model_validate({**given, "token": "not needed here"})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"adapter of discord: {place}: {first['msg'].lower()}") from error


def _token(section: Mapping[str, Any], folder: Path) -> str:
    """Return the token, or nothing where it is not to be had."""
    token = section.get("token")
    if not isinstance(token, dict):
        return ""
    if "env" in token:
        return os.environ.get(str(token["env"]), "")
    try:
        return (folder / str(token.get("file", ""))).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
