"""What a run may cost: it ends before it costs more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Ceiling:
    """Keeps a run below a bound.

    An answer is expected to cost what the dearest one of its model did so far, so only what is
    dearer than all before it can pass the bound. While none of a model is known, one answer is
    asked for at a time, of all such models together.

    Args:
        most: the bound; None for none.
    """

    def __init__(self, most: float | None) -> None:
        self._most = most
        self._spent = 0.0
        self._dearest: dict[str, float] = {}
        self._in_flight: Counter[str] = Counter()
        self._changed = asyncio.Condition()

    @property
    def is_set(self) -> bool:
        """Whether there is a bound."""
        return self._most is not None

    @asynccontextmanager
    async def room(self, model: str, *, is_free: bool) -> AsyncIterator[bool]:
        """Yield whether one more answer of `model` is within the bound; it is asked for inside.

        Waits while answers on their way may leave room for it.

        Args:
            model: that is to answer.
            is_free: it costs nothing as long as it is not known to.
        """
        if is_free:
            self._dearest.setdefault(model, 0.0)
        async with self._changed:
            await self._changed.wait_for(lambda: self._fits(model) or self._never_fits(model))
            has_room = self._fits(model)
            self._in_flight[model] += has_room
        try:
            yield has_room
        finally:
            self._in_flight[model] -= has_room
            async with self._changed:
                self._changed.notify_all()

    def count(self, model: str, cost: float, *, is_whole: bool, is_price: bool) -> None:
        """Count what an answer cost, before its room is left.

        Args:
            model: that was asked first.
            cost: as far as it is known.
            is_whole: all of it is known; else it counts as much as the dearest one at least.
            is_price: the model answered, so that this is its price even where it is nothing.
        """
        known = self._dearest.get(model, 0.0)
        counted = cost if is_whole else max(cost, known)
        self._spent += counted
        # A failure may be free of charge, and says nothing of what an answer costs.
        if counted > 0 or is_price:
            self._dearest[model] = max(known, counted)

    def _fits(self, model: str) -> bool:
        if self._most is None:
            return True
        coming = sum(self._dearest.get(name, 0.0) * of for name, of in self._in_flight.items())
        expected = self._dearest.get(model)
        if expected is None:
            is_alone = all(name in self._dearest for name in +self._in_flight)
            return is_alone and self._spent + coming < self._most
        return expected == 0 or self._spent + coming + expected <= self._most

    def _never_fits(self, model: str) -> bool:
        """Tell whether it does not fit either when nothing is on its way any more."""
        if self._most is None:
            return False
        expected = self._dearest.get(model)
        if expected is None:
            return self._spent >= self._most
        return expected > 0 and self._spent + expected > self._most
