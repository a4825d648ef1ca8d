"""`citewell run`, which ends by SIGKILL when the journal is about to commit the N-th time.

Usage: python -m proofs._chats_child N HASTE SETTINGS; an N of 0 never ends, and minutes of the
service pass HASTE times as fast.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

import sqlalchemy as sa
from sqlalchemy import event

from citewell.cli.main import main
from citewell.delivery import watching


def _die_at_commit(number: int) -> None:
    commits = count(1)

    @event.listens_for(sa.Engine, "commit")
    def _(_connection: sa.Connection) -> None:
        if next(commits) == number:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if int(sys.argv[1]):
        _die_at_commit(int(sys.argv[1]))
    watching._CALM_S /= float(sys.argv[2])  # noqa: SLF001 - the service counts calls of a minute
    main("run", "--no-sync", "--config", sys.argv[3])
