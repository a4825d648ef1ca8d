"""What people write in Discord, without its Markdown.

Source: discord.com/developers/docs/reference, "Message Formatting".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

_MENTION: Final = (
    r"<(?:(?P<kind>@[!&]?|#)(?P<id>\d+)|a?:(?P<emoji>\w+):\d+|t:(?P<time>-?\d{1,11})(?::\w)?"
    r"|/(?P<command>[^:<>]+):\d+)>"
)
_LINK: Final = r"\[(?P<label>[^\[\]]+)\]\(<?(?P<url>https?://[^\s()<>]+)>?\)"
_BARE: Final = r"<(?P<bare>https?://[^\s<>]+)>"
_KEPT: Final = re.compile(
    rf"```.*?```|`[^`\n]+`|{_MENTION}|{_LINK}|{_BARE}|https?://\S+",
    re.DOTALL,
)
# No sign is looked for behind the next one outside a word: a text of signs that are never closed
# would take time by the square of its length.
_STYLED: Final = re.compile(
    r"(?<![\w*_~|\\])(\*{1,3}|_{1,3}|~~|\|\|)(?=\S)"
    r"((?:(?!\1)[^\n]|(?<=\w)\1(?=\w))*?[^\s\\])\1(?![\w*_~|])"
)
_LINE_START: Final = re.compile(r"^(?:>>> |> |-# |#{1,3} )", re.MULTILINE)
_ESCAPED: Final = re.compile(r"\\([\\*_~|`<>#\[\]()-])")
# Private characters stand for what no sign of a style may be looked for in.
_BEGIN, _END = "\ue000", "\ue001"
_HELD: Final = re.compile(rf"{_BEGIN}(\d+){_END}")


def plainly(text: str, names: Mapping[str, str]) -> str:
    """Return text without Markdown, but for the ticks around blocks of code.

    Args:
        text: as Discord tells it.
        names: what people call those who are mentioned, by id.
    """
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(_kept(found, names))
        return f"{_BEGIN}{len(kept) - 1}{_END}"

    bare = _KEPT.sub(keep, text.replace(_BEGIN, "").replace(_END, ""))
    # Nested styles go one by one.
    for _ in range(3):
        bare = _STYLED.sub(lambda found: found[2], bare)
    bare = _ESCAPED.sub(r"\1", _LINE_START.sub("", bare))
    return _HELD.sub(lambda found: kept[int(found[1])], bare)


def _kept(found: re.Match[str], names: Mapping[str, str]) -> str:
    whole = found[0]
    if whole.startswith("```"):
        return whole
    if whole.startswith("`"):
        return whole.strip("`")
    if found["label"] is not None:
        return f"{found['label']} ({found['url']})"
    if found["bare"] is not None:
        return str(found["bare"])
    return _mentioned(found, names) if whole.startswith("<") else whole


def _mentioned(found: re.Match[str], names: Mapping[str, str]) -> str:
    if found["emoji"] is not None:
        return f":{found['emoji']}:"
    if found["command"] is not None:
        return f"/{found['command']}"
    if found["time"] is not None:
        return _moment(int(found["time"]))
    if found["kind"] == "#":
        # What a channel is called is not for everybody to know.
        return "#channel"
    return "@role" if found["kind"] == "@&" else f"@{names.get(found['id'], 'somebody')}"


def _moment(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return ""
