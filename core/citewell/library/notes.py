"""A note of the last sync, for people to look at; nothing else depends on it."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from citewell.library.plans import SyncReport


def note(report: SyncReport, data_dir: Path, *, libraries: Collection[str]) -> None:
    """Keep `report` with the time, in place of the one before.

    Of those of the `libraries` that it is not about, what failed stays as it was noted.
    """
    kept = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **described(report)}
    others = set(libraries).difference(report.libraries)
    kept["failed"] += [one for one in _failed_before(data_dir) if one["library"] in others]
    path = _note_path(data_dir)
    partial_path = path.with_suffix(".part")
    with suppress(OSError):
        partial_path.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        partial_path.replace(path)


def last_note(data_dir: Path) -> dict[str, Any] | None:
    """Return what `note` kept, or None when there is nothing that can be read."""
    with suppress(OSError, ValueError):
        kept = json.loads(_note_path(data_dir).read_text(encoding="utf-8"))
        return kept if isinstance(kept, dict) else None
    return None


def _failed_before(data_dir: Path) -> list[dict[str, Any]]:
    failed = (last_note(data_dir) or {}).get("failed")
    found = failed if isinstance(failed, list) else []
    return [one for one in found if isinstance(one, dict) and "library" in one]


def _note_path(data_dir: Path) -> Path:
    return data_dir / "last-sync.json"


def described(report: SyncReport) -> dict[str, Any]:
    """Return `report` as plain values."""
    failed = [
        {"library": failure.library, "id": failure.id, "reason": failure.reason}
        for failure in report.failed
    ]
    return {"schema": "citewell.sync/1", **to_builtins(report), "failed": failed}
