"""Lays out what a sync did as lines."""

from __future__ import annotations

from collections.abc import Iterator

from citewell.cli.page import Line, Look, Piece, Row
from citewell.cli.wording import counted, safe
from citewell.library.plans import SyncReport

_LISTED = 20


def report_page(report: SyncReport) -> Iterator[Row]:
    """Yield the lines of `report`."""
    yield Line((Piece(_summary(report)), Piece(f" ({report.seconds:.1f} s)", Look.FAINT)))
    for name, reason in report.errors.items():
        yield _item(f"library {name} stays as it was", reason, Look.STRONG)
    if report.failed:
        yield Line((Piece(f"{counted(len(report.failed), 'document')} cannot be read:"),))
    for failure in report.failed[:_LISTED]:
        yield _item(f"{failure.library}:{failure.id}", failure.reason, Look.PLAIN)
    yield from _rest(len(report.failed))
    if report.unlabelled:
        number = counted(len(report.unlabelled), "document")
        yield Line((Piece(f"{number} without labels, so nobody may read them:"),))
    for library, id_ in report.unlabelled[:_LISTED]:
        yield _item(f"{library}:{id_}", "no pattern of its library's labels matches", Look.PLAIN)
    yield from _rest(len(report.unlabelled))
    if report.ignored:
        yield Line((Piece(f"no loader reads: {_suffixes(report.ignored)}", Look.FAINT),))


def _summary(report: SyncReport) -> str:
    changes = {
        "added": report.added,
        "updated": report.updated,
        "removed": report.removed,
        "unchanged": report.unchanged,
    }
    told = [f"{number:,} {what}" for what, number in changes.items() if number]
    return ", ".join(told) or "no documents"


def _item(what: str, why: str, look: Look) -> Line:
    return Line((Piece(safe(what), look), Piece(safe(f": {why}"), Look.FAINT)), "  ", "    ")


def _rest(number: int) -> Iterator[Row]:
    if number > _LISTED:
        yield Line(
            (Piece(f"and {number - _LISTED:,} more; see: citewell sources", Look.FAINT),), "  "
        )


def _suffixes(ignored: dict[str, int]) -> str:
    most = sorted(ignored.items(), key=lambda item: (-item[1], item[0]))
    return safe(", ".join(f"{suffix or 'no suffix'} ({number:,})" for suffix, number in most))
