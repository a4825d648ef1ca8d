"""What people write in Slack, without its markup.

Source: docs.slack.dev/messaging/formatting-message-text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

MARKUP: Final = re.compile(
    r"<(?:(?P<sign>[@#!])(?P<id>[^<>|]+)|(?P<url>[^<>|]+))(?:\|(?P<label>[^<>]*))?>"
)
"""A mention or a link."""

# No sign is looked for behind the next one outside a word: a text of signs that are never closed
# would take time by the square of its length.
_STYLED: Final = re.compile(
    r"(?<![\w*_~])([*_~])(?=\S)((?:(?!\1)[^\n]|(?<=\w)\1(?=\w))*?\S)\1(?![\w*_~])"
)
_KEPT: Final = re.compile(rf"```.*?```|`[^`\n]+`|{MARKUP.pattern}", re.DOTALL)
# Private characters stand for what no sign of a style may be looked for in.
_BEGIN, _END = "\ue000", "\ue001"
_HELD: Final = re.compile(rf"{_BEGIN}(\d+){_END}")


def unmarked(text: str, read: Callable[[re.Match[str]], str]) -> str:
    """Return text without markup, but for the ticks around blocks of code.

    Args:
        text: as Slack tells it.
        read: tells what stands for a mention or link.
    """
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        whole = found[0]
        if whole.startswith("<"):
            kept.append(read(found))
        else:
            inside = whole if whole.startswith("```") else whole.strip("`")
            kept.append(MARKUP.sub(read, inside))
        return f"{_BEGIN}{len(kept) - 1}{_END}"

    bare = _KEPT.sub(keep, text.replace(_BEGIN, "").replace(_END, ""))
    # Nested styles go one by one.
    for _ in range(3):
        bare = _STYLED.sub(lambda found: found[2], bare)
    return _HELD.sub(lambda found: kept[int(found[1])], bare)
