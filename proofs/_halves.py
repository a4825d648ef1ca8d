"""The two halves of XQuAD: one to choose settings on, one to report."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs.harness import rows

# Fixed: what was chosen on one half may never be reported on it.
_SEED = 0
_ID_PREFIX = slice(9, 13)


@dataclass(frozen=True, slots=True)
class Item:
    """A question of XQuAD.

    Attributes:
        answers: empty when no document of the corpus answers it.
        document: file name without suffix; empty as well then.
        group: questions of one group are in one half.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    document: str
    group: str

    def is_in(self, text: str) -> bool:
        """Tell whether an accepted answer stands in `text`."""
        folded = " ".join(text.split()).casefold()
        return any(" ".join(answer.split()).casefold() in folded for answer in self.answers)


def items(folder: Path) -> list[Item]:
    """Return all questions."""
    return [_item(row) for row in rows(folder / "questions.jsonl")]


def _item(row: dict[str, Any]) -> Item:
    document = "" if row["unanswerable"] else row["doc_ids"][0]
    # Unanswerable questions name no document; those on one article have ids that begin alike.
    group = document or row["id"][_ID_PREFIX]
    return Item(row["id"], row["question"], tuple(row["answers"]), document, group)


def halves(questions: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Return the half for fitting and the half for reporting, parted by document."""
    fitting: set[str] = set()
    for answerable in (True, False):
        sizes = Counter(item.group for item in questions if bool(item.answers) is answerable)
        groups = sorted(sizes)
        random.Random(_SEED).shuffle(groups)
        ours = theirs = 0
        for group in groups:
            if ours <= theirs:
                fitting.add(group)
                ours += sizes[group]
            else:
                theirs += sizes[group]
    return (
        [item for item in questions if item.group in fitting],
        [item for item in questions if item.group not in fitting],
    )
