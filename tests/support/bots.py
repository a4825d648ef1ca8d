"""Bots in processes of their own, in a chat service of nothing but text."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assistants import write_handbook
from citewell.chat import Address, Asked, Venue
from citewell.testing.plainchat import PlainChat

RUN = "import sys; from citewell.cli.main import main; sys.exit(main())"
SETTINGS = """
[adapter.plain]
use = "plainchat"
path = "chat.sqlite"

[model.quotes]
use = "extractive"

[model.slow]
use = "scripted"
script = [
  "Every employee has 28 days of paid leave a year [1]. Unused days expire on 31 March [1].",
]
behaviour = "slow"
delay_s = 0.3

[profile.default]
retriever = "main"
model = "quotes"
"""


def asked(
    key: str, text: str = "How many days of leave?", *, thread: str | None = None, user: str = "U1"
) -> Asked:
    """Return what somebody asks, in a thread of its own."""
    venue = Venue(platform="plain", channel="general", thread=thread or key)
    return Asked(key=key, venue=venue, user=user, at=1.0, text=text, address=Address(venue=venue))


def until(is_so: Callable[[], object], *, within_s: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@contextmanager
def started(
    folder: Path, settings: str = SETTINGS, *options: str
) -> Iterator[tuple[subprocess.Popen[str], PlainChat, Path]]:
    """Start `citewell run`; yield the process and the chat; kill it in the end."""
    config = write_handbook(folder, settings)
    chat = PlainChat(folder / "chat.sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "run", "--config", str(config), *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            yield process, chat, config
        finally:
            process.kill()


def synced(folder: Path) -> bool:
    """Tell whether the documents of `folder` were synced."""
    return (folder / ".citewell" / "last-sync.json").exists()


def complete(chat: PlainChat, count: int = 1) -> Callable[[], bool]:
    """Return what tells whether there are so many complete answers."""
    return lambda: sum(one.is_complete for one in chat.messages()) >= count
