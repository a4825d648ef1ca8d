"""The characters that a person sees of a message's Markdown.

Reads what the adapter writes, not all that Discord's own parser knows.
"""

from __future__ import annotations

import re
from typing import Final

from citewell_discord.markup import BREAK

_BLOCK: Final = re.compile(r"^```[A-Za-z0-9+#.-]*\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_LINE_MARK: Final = re.compile(r"^(?:-# |#{1,3} |> )", re.MULTILINE)
_LINK: Final = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]\(<[^<>\s]+>\)")
_SPAN: Final = re.compile(r"(?<!\\)((?:\\\\)*)`([^`\n]+)`")
_STYLE: Final = re.compile(rf"\*\*?(?:{BREAK}(?=[*`]))?")
_UNTICKED: Final = re.compile(rf"`{BREAK}")
_EVERYONE: Final = re.compile(rf"@{BREAK}(?={BREAK}*(?:everyone|here))")
_NAMED: Final = re.compile(rf"<{BREAK}(?={BREAK}*[@#])")


def visible(markdown: str) -> str:
    """Return what is left of Markdown when it is shown."""
    shown, last = [], 0
    for block in _BLOCK.finditer(markdown):
        shown.append(_outside(markdown[last : block.start()]))
        shown.append(_UNTICKED.sub("`", "" if block[1] == BREAK else block[1]))
        last = block.end()
    return "".join([*shown, _outside(markdown[last:])])


def _outside(text: str) -> str:
    """Return what is seen of text in which there is no block of code."""
    if text == BREAK:
        return ""
    text = _LINK.sub(r"\1", _LINE_MARK.sub("", text))
    shown, last = [], 0
    for span in _SPAN.finditer(text):
        shown.append(_unstyled(text[last : span.start()] + span[1]))
        shown.append(span[2])
        last = span.end()
    return "".join([*shown, _unstyled(text[last:])])


def _unstyled(text: str) -> str:
    parts = re.split(r"(\\[^0-9A-Za-z\s])", text)
    bare = "".join(
        part[1] if part.startswith("\\") and len(part) == 2 else _STYLE.sub("", part)
        for part in parts
    )
    return _EVERYONE.sub("@", _NAMED.sub("<", bare))
