"""What a process that runs for weeks asks of the memory allocator."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

# Source: `M_ARENA_MAX` in malloc.h of glibc, see mallopt(3).
_MOST_ARENAS: Final = -8


def share_one_arena() -> None:
    """Let all threads allocate in one place; call it before any starts.

    By default glibc has one for each thread, and what is freed there no other thread uses: after
    ten thousand questions a bot held ten megabytes more, all of them free. Other C libraries are
    left as they are.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MOST_ARENAS, 1)
