"""Items whose codes stand in files that change and go while they are asked about."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

CODE = re.compile(r"\bK\d{5}V\d+Q\b")


@dataclass
class Item:
    """What the documents say about an item, over time.

    Attributes:
        version: of its code; None when the file is gone.
        gone_at: by code, when it was seen that the index no longer has it.
    """

    number: int
    version: int | None = None
    gone_at: dict[str, float] = field(default_factory=dict)

    def code(self, version: int) -> str:
        """Return what the documents say in a version, and nothing else ever does."""
        return f"K{self.number:05d}V{version}Q"


@dataclass
class Change:
    """A change of a file.

    Attributes:
        before: the code that was there; None where there was none.
        after: likewise.
        at: when the file was written or deleted.
    """

    item: Item
    before: str | None
    after: str | None
    at: float


class Items:
    """All items, each in a file of its own.

    Args:
        folder: of the files; made.
        number: of items.
        chance: decides what changes.
    """

    def __init__(self, folder: Path, number: int, chance: random.Random) -> None:
        self._folder = folder
        self._chance = chance
        self.all = [Item(at) for at in range(number)]
        self._versions = [0] * number
        folder.mkdir(parents=True)
        for item in self.all:
            self._write(item)

    def change(self) -> Change:
        """Give an item another code, or delete its file, or make it again."""
        item = self._chance.choice(self.all)
        before = None if item.version is None else item.code(item.version)
        if item.version is not None and self._chance.random() < 0.3:
            self._path(item).unlink()
            item.version = None
        else:
            self._write(item)
        after = None if item.version is None else item.code(item.version)
        return Change(item, before, after, time.monotonic())

    def _write(self, item: Item) -> None:
        self._versions[item.number] += 1
        item.version = self._versions[item.number]
        text = (
            f"# Item {item.number}\n\n"
            f"The code of item {item.number} is {item.code(item.version)}.\n"
        )
        path = self._path(item)
        # As an editor does it: whoever reads sees the old text or the new one.
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def _path(self, item: Item) -> Path:
        return self._folder / f"item-{item.number:05d}.md"
