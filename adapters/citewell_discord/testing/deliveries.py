"""The way of events from what happened to the gateway, straight or troubled."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from citewell_discord.testing.events import Event

TROUBLED = frozenset({
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "THREAD_CREATE",
    "INTERACTION_CREATE",
})
"""What is held, duplicated and reordered; the rest would tell nothing about a bot."""


class Deliveries:
    """Passes events on, by default at once and in order.

    Attributes:
        names: the events that trouble may befall.
    """

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        self.names = TROUBLED
        self._random = Random(0)  # noqa: S311 - trouble has to be repeatable, not secret
        self._share = 0.0
        self._window = 0
        self._is_holding = False
        self._held: list[Event] = []

    def publish(self, event: Event) -> None:
        """Pass an event on, or hold it."""
        if event.name not in self.names:
            self._deliver(event)
            return
        copies = 2 if self._random.random() < self._share else 1
        self._held += [event] * copies
        if not self._is_holding and len(self._held) >= self._window:
            self._flush(is_shuffled=self._window > 1)

    def hold(self) -> None:
        """Keep all events back until `release`."""
        self._is_holding = True

    def release(self, *, shuffled: bool = False) -> None:
        """Pass on what was held, and hold no more."""
        self._is_holding = False
        self._flush(is_shuffled=shuffled)

    def trouble(self, seed: int, *, duplicated: float = 0.0, window: int = 0) -> None:
        """Trouble all events from now on, the same way each time for one seed.

        Args:
            seed: of the dice.
            duplicated: the share of events that come twice.
            window: of how many at a time the order is changed; the last ones may have to be
                let go with `release`.
        """
        self._random.seed(seed)
        self._share = duplicated
        self._window = window

    def _flush(self, *, is_shuffled: bool) -> None:
        held, self._held = self._held, []
        if is_shuffled:
            self._random.shuffle(held)
        for event in held:
            self._deliver(event)
