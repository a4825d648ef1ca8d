"""`citewell run`, which ends by SIGKILL when the journal is about to commit the N-th time.

Usage: python -m proofs._chats_child N HASTE SETTINGS; an N of 0 never ends, and minutes of the
service pass HASTE times as fast.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from itertools import count

import sqlalchemy as sa
from sqlalchemy import event

from citewell.cli.main import main
from citewell.delivery import bot, watching
from citewell.delivery.manner import Manner


def _die_at_commit(number: int) -> None:
    commits = count(1)

    @event.listens_for(sa.Engine, "commit")
    def _(_connection: sa.Connection) -> None:
        if next(commits) == number:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if int(sys.argv[1]):
        _die_at_commit(int(sys.argv[1]))
    # A question at which the process is killed again and again is given up; here none is to blame.
    vars(bot)["Manner"] = partial(Manner, attempts=1000)
    # The service counts calls of a minute, so of fewer seconds here.
    vars(watching)["_CALM_S"] /= float(sys.argv[2])
    main("run", "--no-sync", "--config", sys.argv[3])
