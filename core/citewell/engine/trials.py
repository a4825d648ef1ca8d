"""Backends on trial: each gets a share of the questions, is watched, and is taken back by itself.

A canary release (Humble and Farley, "Continuous Delivery", 2010, chapter 10). What the backend on
trial cannot answer, the one that answers otherwise does, so nobody loses an answer by it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from msgspec import Struct
from msgspec import json as msgjson

from citewell.engine.sections import Settings
from citewell.engine.tables import Canary, Profile

log = logging.getLogger(__name__)

_SHARES = 1_000_000
_FEWEST = 10
"""Answers of either side before their refusals and times are compared."""


class Seen(Struct):
    """An answer, as a trial looks at it.

    Attributes:
        failed: the model that was to answer did not, or not in time.
        seconds: until it was whole.
    """

    id: str
    failed: bool
    refused: bool
    seconds: float
    is_unhelpful: bool = False


class Rollback(Struct, frozen=True):
    """A backend that was taken back.

    Attributes:
        reason: one line.
    """

    profile: str
    model: str
    reason: str


class Trial:
    """One backend on trial in one profile.

    Args:
        profile: its name.
        canary: the terms.
        key: names the backend as it is; another one is another trial.
    """

    def __init__(self, profile: str, canary: Canary, key: str) -> None:
        self.profile = profile
        self.canary = canary
        self.key = key
        self.is_over = False
        self._ours: deque[Seen] = deque(maxlen=canary.watch)
        self._theirs: deque[Seen] = deque(maxlen=canary.watch)

    def takes(self, question_id: str) -> bool:
        """Tell whether the backend on trial answers this question; always the same of one."""
        if self.is_over:
            return False
        digest = hashlib.sha256(f"{self.key} {question_id}".encode()).digest()
        return int.from_bytes(digest[:8]) % _SHARES < self.canary.share * _SHARES

    def note(self, seen: Seen, *, is_on_trial: bool) -> None:
        """Look at an answer."""
        (self._ours if is_on_trial else self._theirs).append(seen)

    def vote(self, answer_id: str, *, is_helpful: bool) -> None:
        """Look at what somebody thinks of an answer; of one that is not looked at, nothing."""
        for seen in self._ours:
            if seen.id == answer_id:
                seen.is_unhelpful = not is_helpful

    def problem(self) -> str:
        """Return why the backend is to be taken back, or nothing."""
        return next(self._problems(), "")

    def _problems(self) -> Iterator[str]:
        canary, ours, theirs = self.canary, self._ours, self._theirs
        failed = sum(one.failed for one in ours)
        if failed > canary.max_failed * canary.watch:
            yield f"{failed} of its last {len(ours)} answers failed"
        unhelpful = sum(one.is_unhelpful for one in ours)
        if unhelpful > canary.max_unhelpful * canary.watch:
            yield f"{unhelpful} of its last {len(ours)} answers helped nobody"
        if min(len(ours), len(theirs)) < _FEWEST:
            return
        refused = _share(ours) - _share(theirs)
        if refused > canary.max_refused:
            yield f"it refuses {100 * refused:.0f} points more of the questions"
        slower = _seconds(ours) / (_seconds(theirs) or 1.0)
        if slower > canary.max_slower:
            yield f"its answers take {slower:.1f} times as long"


class Trials:
    """The trials of one process. Which are over is kept in a folder, for all that share it.

    Args:
        folder: has a file for each that is over.

    Attributes:
        rollbacks: what was taken back, for whoever notes it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Trial] = {}
        # Where the folder cannot be written they are over for this process.
        self._over: set[str] = set()
        self.rollbacks: asyncio.Queue[Rollback] = asyncio.Queue()

    def goes_on(self, settings: Settings, name: str) -> Canary | None:
        """Return the terms of the trial of a profile; None where there is none, or it is over."""
        canary = settings.profiles[name].canary
        if canary is None:
            return None
        key = _key(settings, name, canary)
        return None if key in self._over or self._file(key).exists() else canary

    def of(self, settings: Settings, name: str) -> Trial | None:
        """Return the trial of a profile, which begins it; None where it is over, or none."""
        canary = self.goes_on(settings, name)
        if canary is None:
            return None
        key = _key(settings, name, canary)
        trial = self._running.get(name)
        if trial is None or trial.key != key:
            # Another backend on trial in the profile ends the one before.
            trial = self._running[name] = Trial(name, canary, key)
        return trial

    def note(self, trial: Trial, seen: Seen, *, is_on_trial: bool) -> None:
        """Look at an answer, and take the backend back where that is due."""
        trial.note(seen, is_on_trial=is_on_trial)
        self._judge(trial)

    def vote(self, answer_id: str, *, is_helpful: bool) -> None:
        """Look at what somebody thinks of an answer."""
        for trial in [*self._running.values()]:
            trial.vote(answer_id, is_helpful=is_helpful)
            self._judge(trial)

    def _judge(self, trial: Trial) -> None:
        problem = "" if trial.is_over else trial.problem()
        if not problem:
            return
        trial.is_over = True
        found = Rollback(trial.profile, trial.canary.model, problem)
        self._over.add(trial.key)
        self._keep(trial.key, found)
        self.rollbacks.put_nowait(found)
        log.warning(
            "profile %s: %s is on trial no more: %s", found.profile, found.model, found.reason
        )

    def _keep(self, key: str, found: Rollback) -> None:
        """Keep that a trial is over; one that is forgotten begins again, and ends again."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file(key).write_bytes(msgjson.encode(found))
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file(key), error)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def promoted(profile: Profile, canary: Canary) -> Profile:
    """Return the profile as it would be if the model on trial took the place of the other one."""
    chain = [profile.model if name == canary.model else name for name in profile.fallback]
    return profile.model_copy(update={"model": canary.model, "fallback": chain})


def on_trial(profile: Profile, canary: Canary) -> Profile:
    """Return the profile whose questions a backend on trial answers first."""
    others = [name for name in profile.chain if name != canary.model]
    return profile.model_copy(update={"model": canary.model, "fallback": others})


def _key(settings: Settings, profile: str, canary: Canary) -> str:
    section = settings.models[canary.model]
    decides = f"{section.use} {section.config.model_dump_json()} {section.files}"
    return hashlib.sha256(f"{profile} {canary.model_dump_json()} {decides}".encode()).hexdigest()[
        :16
    ]


def _share(seen: deque[Seen]) -> float:
    return sum(one.refused for one in seen) / len(seen)


def _seconds(seen: deque[Seen]) -> float:
    return median(one.seconds for one in seen)
