"""Documents that say, in each passage, which version and which part of it this is."""

from __future__ import annotations

import random
import re
from pathlib import Path

STABLE_SHARE = 0.9
"""Of the documents, so many are always there; the rest come and go."""

_STATED = re.compile(r"(beacon\d+x) holds version (\d+), part (\d+) of (\d+)")
_FILLER = (
    "The keeper writes the weather into the book every evening.",
    "Oil is brought by boat in the first week of each month.",
    "No ship has been lost on this coast since the tower was built.",
    "The lens was ground abroad and came in eleven crates.",
)


def name_of(number: int) -> str:
    """Return the name of a document, which no other document has in it."""
    return f"beacon{number}x"


def parts_in(text: str) -> list[tuple[str, int, int, int]]:
    """Return what a passage states: name, version, part, parts of the document."""
    return [
        (name, int(version), int(part), int(parts))
        for name, version, part, parts in _STATED.findall(text)
    ]


def write(folder: Path, *, files: int, version: int, chooser: random.Random) -> None:
    """Bring every document to `version`; of those that come and go, choose."""
    for number in range(files):
        path = folder / f"{name_of(number)}.md"
        if number < files * STABLE_SHARE or chooser.random() < 0.5:
            path.write_text(_text(name_of(number), version, chooser), encoding="utf-8")
        else:
            path.unlink(missing_ok=True)


def _text(name: str, version: int, chooser: random.Random) -> str:
    parts = chooser.randint(1, 6)
    sections = [
        f"## Section {part}\n\n{name} holds version {version}, part {part} of {parts}. "
        + " ".join(chooser.choices(_FILLER, k=chooser.randint(1, 8)))
        for part in range(1, parts + 1)
    ]
    return f"# Lighthouse {name}\n\n" + "\n\n".join(sections) + "\n"
