"""The characters that a person sees of a message's Markdown.

Reads what the adapter writes, not all that Discord's own parser knows.
"""

from __future__ import annotations

import re
from typing import Final

from citewell_discord.markup import BREAK

_BLOCK: Final = re.compile(r"^```[A-Za-z0-9+#.-]*\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_LINE_MARK: Final = re.compile(r"^(?:-# |#{1,3} |> )", re.MULTILINE)
_TOKEN: Final = re.compile(
    rf"@{BREAK}(?={BREAK}*(?:everyone|here))|\\<{BREAK}(?={BREAK}*[@#])"
    r"|(?P<escape>\\[^0-9A-Za-z\s])"
    r"|`(?P<code>[^`\n]+)`"
    r"|\[(?P<label>(?:\\.|[^\[\]\\])+)\]\(<[^<>\s]+>\)"
    r"|(?P<style>\*)"
)
_UNTICKED: Final = re.compile(rf"`{BREAK}(?={BREAK}*(?:`|\Z))")


def visible(markdown: str) -> str:
    """Return what is left of Markdown when it is shown."""
    shown, last = [], 0
    for block in _BLOCK.finditer(markdown):
        shown.append(_outside(markdown[last : block.start()]))
        code = block[1] if block[1].strip(BREAK) else block[1][1:]
        shown.append(_UNTICKED.sub("`", code))
        last = block.end()
    return "".join([*shown, _outside(markdown[last:])])


def _outside(text: str) -> str:
    """Return what is seen of text in which there is no block of code."""
    return "" if text == BREAK else _TOKEN.sub(_shown, _LINE_MARK.sub("", text))


def _shown(token: re.Match[str]) -> str:
    if token["style"]:
        return ""
    if token["escape"]:
        return token["escape"][1]
    if token["code"]:
        return token["code"]
    if token["label"]:
        return _TOKEN.sub(_shown, token["label"])
    return token[0].strip(f"\\{BREAK}")
