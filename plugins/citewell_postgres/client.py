"""How this process presents itself to a server."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

# PostgreSQL cuts the name of an application there.
_MAX_CHARS = 63


def application_name() -> str:
    """Return program and subcommand, process and machine; other arguments may be a question."""
    program, *arguments = sys.argv or ["python"]
    subcommand = arguments[:1] if arguments and arguments[0].isidentifier() else []
    command = " ".join((Path(program).name or "python", *subcommand))
    name = f"{command}, process {os.getpid()} on {socket.gethostname()}"
    return name.encode("ascii", "replace").decode()[:_MAX_CHARS]
