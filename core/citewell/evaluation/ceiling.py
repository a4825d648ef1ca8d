"""What a run may cost: it ends before it costs more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext


class Ceiling:
    """Keeps a run below a bound.

    An answer is expected to cost what the dearest one of its model did. While none of a model is
    known, one is asked for at a time, of all such models together: only by the first answer of a
    model can a run pass its bound.

    Args:
        most: the bound; None for none.
    """

    def __init__(self, most: float | None) -> None:
        self._most = most
        self._spent = 0.0
        self._dearest: dict[str, float] = {}
        self._in_flight: Counter[str] = Counter()
        self._first = asyncio.Lock()

    @property
    def is_set(self) -> bool:
        """Whether there is a bound."""
        return self._most is not None

    @asynccontextmanager
    async def room(self, model: str) -> AsyncIterator[bool]:
        """Yield whether one more answer of `model` is within the bound; it is asked for inside."""
        is_known = self._most is None or model in self._dearest
        async with nullcontext() if is_known else self._first:
            if self._is_reached(model):
                yield False
                return
            self._in_flight[model] += 1
            try:
                yield True
            finally:
                self._in_flight[model] -= 1

    def count(self, model: str, cost: float) -> None:
        """Count what an answer of `model` cost, before its room is left."""
        self._spent += cost
        self._dearest[model] = max(self._dearest.get(model, 0.0), cost)

    def _is_reached(self, model: str) -> bool:
        """Tell whether one more answer could be too much, if each were like the dearest."""
        if self._most is None:
            return False
        coming = self._in_flight + Counter([model])
        expected = sum(self._dearest.get(name, 0.0) * count for name, count in coming.items())
        return self._spent + expected > self._most
