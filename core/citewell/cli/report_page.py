"""Lays out as lines what a sync did, and what is indexed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from citewell.cli.page import Grid, Line, Look, Piece, Row
from citewell.cli.wording import counted, safe_line
from citewell.library.plans import SyncReport

_LISTED = 20
_FAILED = "cannot be read"


def report_page(report: SyncReport) -> Iterator[Row]:
    """Yield the lines of `report`."""
    yield Line((Piece(_summary(report)), Piece(f" ({report.seconds:.1f} s)", Look.FAINT)))
    for name, reason in report.errors.items():
        what = f"what was not listed of library {name} stays as it was"
        yield _item(what, reason, Look.STRONG)
    yield from _documents(_FAILED, [(one.library, one.id, one.reason) for one in report.failed])
    yield from _documents(
        "without labels, so nobody may read them",
        [(*one, "no pattern of its library's labels matches") for one in report.unlabelled],
    )
    for library, pattern in report.unmatched:
        what = f'labels of library {library}: "{pattern}"'
        yield _item(what, "pattern matches no document, so it restricts none", Look.STRONG)
    yield from _documents(
        "not read again, because plugins are off",
        [(*one, "stays as it was") for one in report.kept],
    )
    for reason in report.off:
        # Whoever copies the command that mends it wants it in one piece.
        yield Line((Piece(safe_line(reason), Look.STRONG),), is_verbatim=True)
    for name, reason in report.lacking.items():
        what = f"passages of retriever {name} without a vector are found by words alone"
        yield _item(what, reason, Look.STRONG)
    if report.ignored:
        yield Line((Piece(f"no loader reads: {_suffixes(report.ignored)}", Look.FAINT),))


def contents_page(contents: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the lines of what `citewell sources --json` prints."""
    yield Grid(
        _cells("library", "source", "documents", "passages", "index", "readers"),
        tuple(_library(library) for library in contents["libraries"]),
    )
    yield Line()
    last = contents["last_sync"]
    told = f"last sync {last[:19].replace('T', ' ')} UTC" if last else "never synced"
    yield Line((Piece(told if last else f"{told}; run: citewell sync", Look.FAINT),))
    failed = [(one["library"], one["id"], one["reason"]) for one in contents["failed"]]
    yield from _documents(_FAILED, failed, listed=len(failed))


def _library(library: Mapping[str, Any]) -> tuple[tuple[Piece, ...], ...]:
    readers = "; ".join(
        ", ".join(labels) if glob == "**" else f"{glob}: {', '.join(labels)}"
        for glob, labels in library["labels"].items()
    )
    counts = f"{library['documents']:,}", f"{library['passages']:,}"
    return _cells(library["name"], library["source"], *counts, library["retriever"], readers)


def _cells(*texts: str) -> tuple[tuple[Piece, ...], ...]:
    return tuple((Piece(safe_line(text)),) for text in texts)


def _documents(
    what: str, found: Sequence[tuple[str, str, str]], *, listed: int = _LISTED
) -> Iterator[Row]:
    """List library, id and reason of documents, if there are any."""
    if found:
        yield Line((Piece(f"{counted(len(found), 'document')} {what}:"),))
    for library, id_, reason in found[:listed]:
        yield _item(f"{library}:{id_}", reason, Look.PLAIN)
    if len(found) > listed:
        yield Line((Piece(f"and {len(found) - listed:,} more", Look.FAINT),), "  ")


def _summary(report: SyncReport) -> str:
    changes = {
        "added": report.added,
        "updated": report.updated,
        "removed": report.removed,
        "unchanged": report.unchanged,
    }
    told = [f"{number:,} {what}" for what, number in changes.items() if number]
    return ", ".join(told) or "nothing to index"


def _item(what: str, why: str, look: Look) -> Line:
    return Line(
        (Piece(safe_line(what), look), Piece(safe_line(f": {why}"), Look.FAINT)), "  ", "    "
    )


def _suffixes(ignored: dict[str, int]) -> str:
    most = sorted(ignored.items(), key=lambda item: (-item[1], item[0]))
    return safe_line(", ".join(f"{suffix or 'no suffix'} ({number:,})" for suffix, number in most))
