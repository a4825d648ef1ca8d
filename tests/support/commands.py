"""Runs the command line as a user does: a process of its own, in a folder and a home of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import loopback

LEAVE = "# Leave\n\nEvery employee has 28 days of leave a year. Leave is asked for in the portal.\n"

_MORTAL = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


class Machine:
    """A home without settings, a folder with documents, and no network."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.handbook = self.work / "handbook"
        self.handbook.mkdir(parents=True)
        (self.handbook / "leave.md").write_text(LEAVE, encoding="utf-8")
        home = folder / "home"
        home.mkdir()
        self.environment = {
            **loopback.environment(folder),
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_DATA_HOME": str(home / ".local"),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }
        self.attempts = folder / "attempts"

    def citewell(
        self, *words: str, typed: str = "", obeys_modes: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run one command.

        Args:
            words: of the command line.
            typed: what the user types into it.
            obeys_modes: whether the modes of files hold also where the tests run as root.
        """
        limits = _MORTAL if obeys_modes and os.geteuid() == 0 else ()
        return subprocess.run(
            [*limits, str(Path(sys.executable).parent / "citewell"), *words],
            check=False,
            cwd=self.work,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
        )


def reference(output: str) -> str:
    """Return the last answer reference that an output shows."""
    return re.findall(r"\bwhy ([0-9a-hjkmnp-tv-z]{10})\b", output)[-1]
