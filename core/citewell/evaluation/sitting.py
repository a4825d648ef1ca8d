"""One person who labels answers: what is asked, what was said, and the way back."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from citewell.evaluation.labelling import Candidate, LastRun
from citewell.evaluation.labels import (
    Label,
    Subject,
    add_label,
    load_labels,
    take_back,
    verdicts,
)
from citewell.types.evaluation import EvalItem, Response


class Counts(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        file: with the labels.
        answers: different texts of the last run.
        wanted: how many of them are to have a label.
        labelled: how many have one, by whomever.
        right: of these, by what most people say; where they are split, neither.
        wrong: likewise.
        added: labels of this sitting, less those that were taken back.
        skipped: answers of this sitting of which nobody could tell.
        gone: answers that are not kept any more.
    """

    file: str
    answers: int
    wanted: int
    labelled: int
    right: int
    wrong: int
    added: int
    skipped: int
    gone: int


class Sitting:
    """One sitting of one person.

    Args:
        last_run: what was answered.
        candidates: in the order in which they are asked about.
        file: with the labels.
        who: labels.

    Raises:
        ConfigError: the file with the labels is wrong.
    """

    def __init__(
        self, last_run: LastRun, candidates: Sequence[Candidate], file: Path, *, who: str
    ) -> None:
        self._last_run = last_run
        self._file = file
        self._who = who
        self._candidates = {one.subject: one for one in candidates}
        self._labels = [one for one in load_labels(file) if one.subject in self._candidates]
        mine = dict.fromkeys(one.subject for one in self._labels if one.who == who)
        self._before = [self._candidates[subject] for subject in mine]
        labelled = self._subjects()
        self._waiting = deque(one for one in candidates if one.subject not in labelled)
        self._added = self._skipped = self._gone = 0
        self._again: Candidate | None = None

    @property
    def labelled(self) -> int:
        """How many answers of the last run have a label."""
        return len(self._subjects())

    @property
    def has_before(self) -> bool:
        """Whether there is something to go back to, of this sitting or of earlier ones."""
        return bool(self._before)

    def next(self, *, wanted: int) -> tuple[EvalItem, Response] | None:
        """Return what is asked about now; None where nothing is left, or `wanted` are labelled.

        What somebody went back to is asked about all the same.
        """
        while self._waiting and (self.labelled < wanted or self._waiting[0] is self._again):
            one = self._waiting[0]
            response = self._last_run.response(one)
            if response is not None:
                return self._last_run.item(one), response
            self._waiting.popleft()
            self._gone += 1
        return None

    def say(self, verdict: Literal["right", "wrong"]) -> None:
        """Keep what is said of the answer that is asked about; durable on return.

        It takes the place of what this person said of it before.

        Raises:
            CitewellError: it could not be written.
        """
        one = self._waiting[0]
        self._forget(one)
        label = Label(
            question=one.question,
            text_hash=one.text_hash,
            verdict=verdict,
            who=self._who,
            at=datetime.now(UTC).replace(microsecond=0),
        )
        add_label(self._file, label)
        self._labels.append(label)
        self._added += 1
        self._before.append(self._waiting.popleft())

    def skip(self) -> None:
        """Leave the answer that is asked about without a label; it comes up in a later sitting.

        Raises:
            CitewellError: what this person said of it before could not be deleted.
        """
        self._forget(self._waiting[0])
        self._skipped += 1
        self._before.append(self._waiting.popleft())

    def back(self) -> None:
        """Ask again about the answer before; what this person said of it stays until then."""
        one = self._again = self._before.pop()
        if not any(self._is_mine(label, one) for label in self._labels):
            self._skipped -= 1
        self._waiting.appendleft(one)

    def _forget(self, one: Candidate) -> None:
        """Delete what this person said of an answer."""
        said = [label for label in self._labels if self._is_mine(label, one)]
        if said:
            take_back(self._file, one.subject, who=self._who)
            self._labels = [label for label in self._labels if label not in said]
            self._added -= 1

    def _is_mine(self, label: Label, one: Candidate) -> bool:
        return label.subject == one.subject and label.who == self._who

    def _subjects(self) -> set[Subject]:
        return {label.subject for label in self._labels}

    def counts(self, *, wanted: int) -> Counts:
        """Return what came of it."""
        said = [*verdicts(self._labels).values()]
        return Counts(
            file=str(self._file),
            answers=len(self._candidates),
            wanted=wanted,
            labelled=self.labelled,
            right=said.count(True),
            wrong=said.count(False),
            added=self._added,
            skipped=self._skipped,
            gone=self._gone,
        )
