"""Leaves a model alone that keeps failing, and tries it again now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from citewell.errors import ModelError, PromptRefused

_FAILURES = 3
_FIRST_REST_S = 10.0
_LONGEST_REST_S = 300.0


class NotAsked(ModelError):
    """The model was not asked, which says nothing about it.

    Attributes:
        reason: what a reader is told.
    """

    reason = "could not answer"


class Resting(NotAsked):
    """The model failed too often lately and is not asked now."""


class Loading(NotAsked):
    """The model is being loaded, and another one can answer meanwhile."""

    reason = "is being loaded"


class Withheld(NotAsked):
    """The model must not be given what the question needs."""

    reason = "must not see what was found"


class OverBudget(NotAsked):
    """Asking the model could spend more than is allowed."""

    reason = "is over its budget"


class Breaker:
    """The circuit breaker of one model (Nygard, "Release It!", 2007).

    After some failures in a row the model rests. Then one question at a time tries it: when that
    succeeds, all ask it again; when it fails, it rests twice as long.

    Args:
        clock: in seconds; never goes back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = _FIRST_REST_S
        self._rests_until = 0.0
        self._is_tried = False

    @property
    def rests_for_s(self) -> float:
        """Seconds until the model may be tried again; 0 where it may be asked."""
        return max(0.0, self._rests_until - self._clock()) if self._failures >= _FAILURES else 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Ask the model inside; its errors are counted, and passed on.

        A prompt that it refuses, and an answer that is cancelled, say nothing about the model.

        Raises:
            Resting: it is not to be asked now.
        """
        is_trial = self._failures >= _FAILURES
        if is_trial:
            self._check_rest()
            self._is_tried = True
        try:
            yield
        except NotAsked:
            raise
        except PromptRefused:
            self._recover()
            raise
        except ModelError:
            self._fail(is_trial=is_trial)
            raise
        else:
            self._recover()
        finally:
            if is_trial:
                self._is_tried = False

    def _check_rest(self) -> None:
        if left := self.rests_for_s:
            raise Resting(f"failed {self._failures} times in a row; tried again in {left:.0f} s")
        if self._is_tried:
            raise Resting(f"failed {self._failures} times in a row; it is being tried again")

    def _fail(self, *, is_trial: bool) -> None:
        self._failures += 1
        # Of questions that were asked together and failed together, one starts the rest.
        if is_trial or self._failures == _FAILURES:
            self._rests_until = self._clock() + self._rest_s
            self._rest_s = min(2 * self._rest_s, _LONGEST_REST_S)

    def _recover(self) -> None:
        self._failures = 0
        self._rest_s = _FIRST_REST_S
