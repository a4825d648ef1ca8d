"""What is kept of workspaces that install the app: their tokens, and installations on their way."""

from __future__ import annotations

import glob
import json
import logging
import os
import re
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from slack_bolt.error import BoltError
from slack_sdk.oauth.installation_store.file import FileInstallationStore
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.state_store import FileOAuthStateStore

_STATE_S: Final = 600
_STATE: Final = re.compile(r"[\w-]{1,64}", re.ASCII)


class Installations(FileInstallationStore):
    """The bots of workspaces, each in a file that is whole or not there.

    Args:
        folder: for the files.
        teams: the workspaces that may install the app; empty for any.
        log: for what is refused or cannot be read.
    """

    def __init__(self, folder: Path, teams: Collection[str], log: logging.Logger) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(base_dir=str(folder), historical_data_enabled=False, logger=log)
        self._folder = folder
        self._teams = frozenset(teams)
        self._log = log

    def allows(self, team: str) -> bool:
        """Tell whether a workspace may use the app."""
        return not self._teams or team in self._teams

    def save(self, installation: Installation) -> None:
        """Keep the bot of an installation; what users granted is not asked for, and not kept.

        Raises:
            BoltError: the workspace may not use the app.
        """
        team = str(installation.team_id or "")
        if not self.allows(team):
            self._log.warning("workspace %s is not in oauth.teams, so it is not installed", team)
            raise BoltError("this workspace may not install the app")
        self.save_bot(installation.to_bot())

    def save_bot(self, bot: Bot) -> None:
        """Keep a bot."""
        folder = self._folder / f"{bot.enterprise_id or 'none'}-{bot.team_id or 'none'}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = folder / "bot-new"
        with open(made, "w", encoding="utf-8", opener=_private) as file:
            json.dump(bot.__dict__, file)
            file.flush()
            os.fsync(file.fileno())
        made.replace(folder / "bot-latest")

    def found(self, team: str) -> Bot | None:
        """Return the bot of a workspace; None where there is none that may be used."""
        if not self.allows(team):
            return None
        for file in self._folder.glob(f"*-{glob.escape(team)}/bot-latest"):
            try:
                return Bot(**json.loads(file.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                self._log.warning("%s is no installation any more; install the app again", file)
        return None

    def teams(self) -> list[str]:
        """Return the workspaces of which there is a bot that may be used."""
        names = (one.parent.name for one in self._folder.glob("*-T*/bot-latest"))
        return sorted(filter(self.allows, {name.rpartition("-")[2] for name in names}))

    def forget(self, team: str) -> None:
        """Delete what is kept of a workspace."""
        for file in self._folder.glob(f"*-{glob.escape(team)}/*"):
            file.unlink(missing_ok=True)


class States(FileOAuthStateStore):
    """Installations that were begun; those that nobody went on with are deleted.

    Args:
        folder: for the files.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(expiration_seconds=_STATE_S, base_dir=str(folder))
        self._folder = folder

    def issue(self, *args: object, **kwargs: object) -> str:
        """Begin one more."""
        oldest = time.time() - _STATE_S
        for file in self._folder.glob("*"):
            if file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)
        return str(super().issue(*args, **kwargs))

    def consume(self, state: str) -> bool:
        """Tell whether somebody began this, and go on with it once; anybody may name a state."""
        return _STATE.fullmatch(state) is not None and bool(super().consume(state))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
