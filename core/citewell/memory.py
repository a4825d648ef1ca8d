"""How much memory there is for another model."""

from __future__ import annotations

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_bytes() -> int:
    """Return what a new process can take before another one has to give some back.

    In a container its own bound counts, which the machine's figures do not show.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    bound = _cgroup_room()
    return free if bound is None else min(free, bound)


def _cgroup_room() -> int | None:
    """Return what this container may still take; None without a bound.

    Source: Linux, `Documentation/admin-guide/cgroup-v2.rst`, memory.max and memory.current; pages
    of files that were not used lately can be had back.
    """
    try:
        most = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        if most == "max":
            return None
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        stat = (_CGROUP / "memory.stat").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return None
    kept = dict(zip(stat[::2], stat[1::2], strict=False))
    return int(most) - used + int(kept.get("inactive_file", 0))
