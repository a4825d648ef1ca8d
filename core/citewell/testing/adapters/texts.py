"""Texts that are hard to show: shapes that must survive, and what must stay mere characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LOCKER_COUNT: Final = 60
_LOCKERS = tuple(
    f"Locker {number} belongs to engineer{number} of team{number}."
    for number in range(101, 101 + LOCKER_COUNT)
)
LOCKERS: Final = " ".join(_LOCKERS)
LOCKERS_SAID: Final = " ".join(f"{one.removesuffix('.')} [1]." for one in _LOCKERS)
"""The same, each sentence with a mark."""


def _numbered(word: str, count: int, *, gap: str) -> str:
    return gap.join(f"{word}{number}" for number in range(count))


_ROWS = "\n".join(f"| row{number} | value{number} | remark{number} |" for number in range(40))
_FENCE = "\n".join(
    f"value{number} = compute(number{number})  # step{number}" for number in range(60)
)
_ITEMS = "\n".join(
    f"- item{number} of the list\n  - below{number} stands this" for number in range(30)
)
_STEPS = "\n".join(f"{number}. step{number} is done" for number in range(1, 31))
_PARAGRAPHS = "\n\n".join(
    f"Paragraph{number} tells {_numbered(f'word{number}x', 12, gap=' ')} and ends."
    for number in range(230)
)

SHAPES: Final[Mapping[str, str]] = {
    "shape-table": f"| name | amount | remark |\n|---|---|---|\n{_ROWS}",
    "shape-fence": f"Run this:\n\n```python\n{_FENCE}\n```\n\nThen it is done.",
    "shape-list": f"First the list:\n\n{_ITEMS}\n\nThen the steps:\n\n{_STEPS}",
    "shape-quote": "Somebody said:\n\n> Quoted1 words stand here.\n> Quoted2 words go on.\n\nEnd.",
    "shape-headings": "# Heading1\n\nBelow1 it.\n\n## Heading2\n\nBelow2 it.\n\n### Heading3\n\n"
    "Below3 it.",
    "shape-blank-lines": "Before1\n\n\n\n\nbetween2\n\n\n\nafter3",
    "shape-long": _PARAGRAPHS,
    "shape-long-word": "x1" * 3000,
    "shape-right-to-left": "מספר 17 הוא שלום עולם. العدد ٤٢ في النهاية. "
    "Mixed שלום with latin17 text.",
    "shape-emoji": "All good 🎉 with family 👨‍👩‍👧 and flag 🇳🇴 and skin 👍🏽 end5",
    "shape-punctuation": "Stars2 * and3 _ and4 ~ and6 | and7 # and8 > and9 \\ and10 end11",
    "shape-html-characters": "If a1 < b2 && c3 > d4 then the sign5 & stays6 there",
}
"""What is said as it is, by the name of its profile."""

HOSTILE: Final[Mapping[str, str]] = {
    "everyone": "@everyone",
    "here": "@here",
    "channel": "<!channel>",
    "user": "<@U123456>",
    "number": "<@123456789012345678>",
    "role": "<@&123456789012345678>",
    "subteam": "<!subteam^S123456>",
    "link": "[the portal](https://evil.example/login?token=1)",
    "bare": "https://evil.example/bare",
    "angle": "<https://evil.example/angle|the portal>",
    "image": "![pixel](https://evil.example/p.png)",
    "html": '<a href="https://evil.example/a">here</a><img src="https://evil.example/i.png">',
    "script": "<script>alert(1)</script>",
    "javascript": "[press](javascript:alert(1))",
    "invite": "https://discord.gg/evil",
    "domain": "evil.example/path and www.evil.example",
    "mail": "<mailto:boss@evil.example|boss>",
    "reference": "[the portal][1] with [1]: https://evil.example/reference",
    "zero": "@\u200beveryone and ht\u200btps://evil.example/zero",
    "bidi": "\u202e@everyone\u202c",
    "date": "<!date^1392734382^{date}^https://evil.example/date|then>",
    "emphasis": "**@everyone** and `@here` and ~~<!here>~~",
}
"""What must neither ping, nor link, nor load anything, by a word that names it."""

NAUGHTY: Final[Mapping[str, str]] = {
    "quote": "'; DROP TABLE answers; --",
    "nul": "before\x00after",
    "emoji": "👩‍👩‍👧‍👦 🇳🇴 👍🏽",
    "zalgo": "Z\u0351\u036b\u0343a\u0328l\u0321g\u0489o",
    "right-to-left": "\u202emixed\u202c שלום مرحبا",
    "markup": "**bold** _it_ `code` ~~gone~~ > quote | table |",
    "html": "<b>bold</b> &amp; <script>alert(1)</script>",
    "braces": "{0} %s ${HOME} {{x}} %(name)s",
    "lines": "one\ntwo\r\nthree\u2028four",
    "cjk": "有给休暇は何日ですか",
    "pings": "@everyone <!channel> <@U123456> <@&42>",
    "path": "../../etc/passwd C:\\Windows",
}
"""What people paste, by a word that names it."""
