"""What files are tried with: texts in many scripts, and conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from citewell.children import ChildFailed
from citewell_llamacpp.wire import Message

Conversation = tuple[Message, ...]

TEXTS: Sequence[str] = (
    "Every employee has 28 days of leave a year. [1]",
    " a leading space, and a trailing one ",
    "two  blanks,   three,    four",
    "tabs\tand\t\tmore\t",
    "lines\nand\n\nempty\n\n\nones\n",
    "carriage\r\nreturns\r\n",
    "I'll, you're, he's, we've, they'd, I'M, DON'T",
    "1 12 123 1234 12345 3.14159 1,000,000 2026-12-01",
    "v1.2.3-rc4+build.5 0x1F 1e-9 50% ±3 §7",
    "camelCase snake_case kebab-case CONSTANT_CASE dotted.name",
    "def f(x):\n    return x ** 2  # comment\n",
    "SELECT * FROM t WHERE a <> 'b' AND c >= 10;",
    '{"key": [1, 2.5, null], "nested": {"a": "\\u00e9"}}',
    "https://example.org/path?q=1&r=%20#top",
    "name@example.org, +49 30 1234567",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "- one\n- two\n  1. three\n\n> quoted",
    "```python\nprint('hi')\n```",
    "Äpfel, Öl, Übung, Straße, Größe",
    "l'été, où, ça, naïve, œuvre",
    "El niño comió piñata, ¿verdad? ¡Sí!",
    "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Zażółć gęślą jaźń",
    "İstanbul'da ığdır ağacı",
    "Tiếng Việt có nhiều dấu thanh",
    "Ελληνικά: Ξεσκεπάζω την ψυχοφθόρα",
    "Съешь ещё этих мягких французских булок",
    "Українська: ґанок, їжак, єнот",
    "Հայերեն այբուբեն",
    "ქართული ენა",
    "עברית: שלום עולם",
    "العربية: مرحبا بالعالم، ٣ أيام",
    "فارسی: سلام دنیا",
    "हिन्दी: नमस्ते दुनिया, २८ दिन",
    "বাংলা: নমস্কার",
    "தமிழ்: வணக்கம்",
    "ภาษาไทยไม่มีช่องว่าง",
    "ភាសាខ្មែរ",
    "አማርኛ ሰላም",
    "中文:每位员工每年有28天假期。",
    "日本語:有給休暇は年間２８日です。カタカナ",
    "한국어: 직원은 연간 28일의 휴가가 있습니다.",
    "mixed 中文 and English и русский و العربية",
    "emoji 😀 👍🏽 👨‍👩‍👧‍👦 🇩🇪 ✅ ❤️",
    "math ∑∫√∞ ≠ ≤ ≥ ∀x∈ℝ: x²≥0 ½ ⅓",
    "arrows → ← ⇒ ↔ box ─│┌┐ blocks ▁▂▃",
    "quotes \u201cdouble\u201d \u2018single\u2019 «guillemets» „low“",
    "dashes - \u2013 \u2014 ellipsis \u2026 bullet \u2022",
    "decomposed e\u0301 u\u0308 n\u0303 A\u030a",
    "composed \u00e9 \u00fc \u00f1 \u00c5",
    "zero\u200bwidth \u200d joiner \ufeff mark soft\u00adhyphen",
    "spaces\u00a0no-break\u2009thin\u3000ideographic\u2003em",
    "\u202ertl override\u202c \u2066isolate\u2069",
    "fullwidth ＡＢＣ１２３！",
    "ligatures ﬁ ﬂ ﬀ roman Ⅻ circled ①②",
    "ancient 𐎀𐎁 𝒜𝓁𝓅𝒽𝒶 𝟘𝟙𝟚 🀄",
    "control \x01 \x1b[0m \x7f end",
    "repeat aaaaaaaaaaaaaaaaaaaaaaaa !!!!!!!! ........",
    "[1][2], see [3]; [99] (cf. [1], p. 4)",
    "<b>html</b> &amp; &#91; <!-- comment -->",
    "",
)
"""Every script that people write in, and what documents are full of besides."""

_ASKED = (
    "How many days of leave does an employee have?", "Who approves a travel expense?",
    "Wie viele Urlaubstage gibt es?", "¿Quién aprueba los gastos de viaje?",
    "Combien de jours de congé par an ?", "Сколько дней отпуска у сотрудника?",
    "员工每年有几天假期?", "有給休暇は何日ですか?", "휴가는 며칠입니까?", "كم يوما إجازة؟",
    "कितने दिन की छुट्टी?", "Ile dni urlopu?", "What is the refund limit in EUR?",
    "List the steps to reset a password.", "Is working from abroad allowed?",
    "Summarise the security policy.", "When is the office closed?", "What changed in 2026?",
    "How do I report an incident?", "Which form do I need for parental leave?",
)  # fmt: skip
_TOLD = (
    "Answer only from the numbered sources, and cite each sentence.\n\n"
    "[1] Leave\nEvery employee has 28 days of leave a year.\n\n"
    "[2] Expenses\nThe manager approves travel expenses up to 500 EUR."
)


class _Row(Struct):
    """What is read of an example."""

    prompt: list[Message] = []
    messages: list[Message] = []


def conversations(path: Path | None, count: int) -> list[Conversation]:
    """Return `count` conversations that wait for an answer, the first ones from a file.

    Raises:
        ChildFailed: the file is no file of examples.
    """
    found = [*_from_file(path, count)] if path is not None else []
    return [*found, *_own()][:count]


def _own() -> Iterator[Conversation]:
    for asked in _ASKED:
        yield (Message("system", _TOLD), Message("user", asked))
    for asked in _ASKED:
        yield (
            Message("user", asked),
            Message("assistant", "Every employee has 28 days of leave. [1]"),
            Message("user", "And who says so?"),
        )


def _from_file(path: Path, count: int) -> Iterator[Conversation]:
    try:
        with path.open("rb") as file:
            lines = [line for line, _ in zip(file, range(count), strict=False)]
        rows = [msgspec.json.decode(line, type=_Row) for line in lines if line.strip()]
    except (OSError, msgspec.DecodeError) as error:
        raise ChildFailed(f"{path}: cannot be read: {error}; expected JSON lines") from error
    for row in rows:
        if messages := row.prompt or row.messages[:-1]:
            yield tuple(messages)
