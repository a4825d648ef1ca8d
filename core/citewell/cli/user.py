"""Who runs a command."""

from __future__ import annotations

import os
from getpass import getuser


def user_name() -> str:
    """Return the name by which the system knows who runs this."""
    try:
        return getuser()
    except (KeyError, OSError):
        # In a container there may be a number without a name.
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
