"""Tables, for which Discord has no markup: aligned as code, or cell by cell where they are wide."""

from __future__ import annotations

from typing import Final

from citewell.blocks import Mark, Span, Style, Table
from citewell_discord.markup import code, inline, plain, styled

_MAX_WIDTH: Final = 60
_BETWEEN: Final = " | "


def table(block: Table) -> str:
    """Return Markdown of a table."""
    lines = _aligned(block)
    if lines is None:
        return "\n".join(_cells(block, row) for row in block.rows) or _cells(block, block.header)
    return code("\n".join(lines))


def table_cost(block: Table) -> int:
    """Return how many characters it takes at most, which rises with each row.

    Of a table whose only wide row is left out, the rest is aligned and may take more.
    """
    rows = len(block.rows) or 1
    wide = sum(len(_cells(block, row)) + 1 for row in block.rows or (block.header,))
    return max(wide, (_MAX_WIDTH + 1) * (rows + 2) + 10)


def _aligned(block: Table) -> list[str] | None:
    """Return the lines of a table that is narrow enough, or None."""
    rows = [[plain(cell) for cell in row] for row in (block.header, *block.rows)]
    if any("\n" in cell for row in rows for cell in row):
        return None
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + len(_BETWEEN) * (len(widths) - 1) > _MAX_WIDTH:
        return None
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    header, *others = (_BETWEEN.join(row).rstrip() for row in padded)
    return [header, "-+-".join("-" * width for width in widths), *others]


def _cells(block: Table, row: tuple[tuple[Span | Mark, ...], ...]) -> str:
    """Return a row as a list entry, each cell behind the name of its column."""
    parts = []
    for name, cell in zip(block.header, row, strict=True):
        if row is block.header:
            parts.append(styled(plain(cell), Style.STRONG))
        elif cell:
            head = plain(name)
            parts.append(
                f"{styled(head + ':', Style.STRONG)} {inline(cell)}" if head else inline(cell)
            )
    return f"- {'; '.join(parts)}"
