"""The lines of a Markdown table."""

from __future__ import annotations

import re

_RULE = re.compile(r"\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*\|?)?\s*")
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")


def table_cells(line: str) -> list[str]:
    """Return the cells of a table row that begins with a bar."""
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip() for cell in _UNESCAPED_BAR.split(inner)]


def is_rule(line: str, *, below: str) -> bool:
    """Tell whether `line` is the rule that makes the row above it, `below`, a table's header."""
    return _RULE.fullmatch(line) is not None and len(table_cells(line)) == len(table_cells(below))
