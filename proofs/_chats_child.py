"""`citewell run`, which ends by SIGKILL when the journal is about to commit the N-th time.

Usage: python -m proofs._chats_child N SETTINGS; 0 never ends.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

import sqlalchemy as sa
from sqlalchemy import event

from citewell.cli.main import main


def _die_at_commit(number: int) -> None:
    commits = count(1)

    @event.listens_for(sa.Engine, "commit")
    def _(_connection: sa.Connection) -> None:
        if next(commits) == number:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if int(sys.argv[1]):
        _die_at_commit(int(sys.argv[1]))
    main("run", "--no-sync", "--config", sys.argv[2])
