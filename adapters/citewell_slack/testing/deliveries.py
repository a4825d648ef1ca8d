"""Everything that Slack sends to the app, until it is acknowledged or given up."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from citewell_slack.testing.clock import Clock
from citewell_slack.testing.wire import JsonObject

Kind: TypeAlias = Literal["events_api", "interactive", "slash_commands"]

# Source: https://docs.slack.dev/apis/events-api, "Retries": nearly at once, after one minute,
# after five minutes.
RETRY_AFTER_S = (0.0, 60.0, 300.0)
ACKNOWLEDGE_WITHIN_S = 3.0


@dataclass(frozen=True)
class Reply:
    """What came of one attempt.

    Attributes:
        failure: why it was no acknowledgement, in Slack's words.
        answer: what the app said with its acknowledgement.
        may_retry: false where the app asked for no retry.
    """

    failure: str = ""
    answer: object = None
    may_retry: bool = True


@dataclass(frozen=True)
class Attempt:
    """One time that something was sent.

    Attributes:
        number: 0 is the first, others are retries.
        reason: of a retry.
        at: by Slack's clock.
        order: among all attempts.
    """

    number: int
    reason: str
    at: float
    order: int


@dataclass
class Delivery:
    """Something that the app is to receive.

    Attributes:
        connections: where it was sent so far.
        answer: what the app said with its acknowledgement.
        then: is told the answer.
    """

    kind: Kind
    payload: JsonObject
    state: Literal["waiting", "acknowledged", "lost"] = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    answer: object = None
    then: Callable[[object], None] | None = None
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def event(self) -> JsonObject:
        """The event inside, or nothing."""
        event: JsonObject = self.payload.get("event", {})
        return event

    async def settled(self) -> Delivery:
        """Wait until it is acknowledged or given up."""
        await self._settled.wait()
        return self

    def settle(self, state: Literal["acknowledged", "lost"], answer: object = None) -> None:
        """Note how it ended."""
        self.state, self.answer = state, answer
        if self.then is not None and state == "acknowledged":
            self.then(answer)
        self._settled.set()


class Transport(Protocol):
    """A way to the app."""

    async def attempt(self, delivery: Delivery, attempt: Attempt) -> Reply:
        """Send it once."""

    async def close(self) -> None:
        """Let go of every connection."""


@dataclass
class Mishaps:
    """What happens to deliveries on their way, by chance; each number is a probability.

    Attributes:
        duplicate: the same is sent once more, on another socket where there is one.
        late: others overtake it; what is still late comes with `release`.
        unheard: its acknowledgement is lost, so that it is sent again.
    """

    duplicate: float = 0.0
    late: float = 0.0
    unheard: float = 0.0


async def is_done_in_time(work: asyncio.Future[Any], clock: Clock) -> bool:
    """Wait for an acknowledgement as long as Slack does, and tell whether it came."""
    late = asyncio.ensure_future(clock.sleep(ACKNOWLEDGE_WITHIN_S))
    try:
        await asyncio.wait({work, late}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        late.cancel()
    return work.done()


class Deliveries:
    """Sends, retries, holds back, repeats.

    Attributes:
        log: everything that was to be received, oldest first; copies stand behind their first.
        transport: set once the app is reachable.
    """

    def __init__(self, clock: Clock, chance: random.Random, changed: Callable[[], None]) -> None:
        self.log: list[Delivery] = []
        self.mishaps = Mishaps()
        self.transport: Transport | None = None
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Delivery] | None = None
        self._late: list[Delivery] = []
        self._order = itertools.count()

    def send(
        self, kind: Kind, payload: JsonObject, then: Callable[[object], None] | None = None
    ) -> Delivery:
        """Send something to the app, soon."""
        delivery = Delivery(kind, payload, then=then)
        self.log.append(delivery)
        if self._held is not None:
            self._held.append(delivery)
        elif self._chance.random() < self.mishaps.late:
            self._late.append(delivery)
        else:
            self._start(delivery)
            self._send_late(share=0.5)
        return delivery

    def repeat(self, delivery: Delivery) -> Delivery:
        """Send the same once more, on another socket where there is one."""
        copy = Delivery(delivery.kind, delivery.payload, connections=delivery.connections)
        self.log.append(copy)
        self._start(copy)
        return copy

    def hold(self) -> None:
        """Keep everything back from now on."""
        self._held = self._held or []

    def release(self, *, shuffled: bool = False) -> None:
        """Send what was held back or is late; in another order, if `shuffled`."""
        held, self._held = self._held or [], None
        if shuffled:
            self._chance.shuffle(held)
        for delivery in held:
            self._start(delivery)
        self._send_late(share=1.0)

    async def idle(self) -> None:
        """Wait until nothing is on its way; retries that are due later do not count.

        What nobody acknowledges is on its way until the clock has moved on by three seconds.
        """
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.transport is not None:
            await self.transport.close()

    def _send_late(self, *, share: float) -> None:
        late, self._late = self._late, []
        for delivery in late:
            if self._chance.random() < share:
                self._start(delivery)
            else:
                self._late.append(delivery)

    def _start(self, delivery: Delivery) -> None:
        self._try(delivery, number=0, reason="")
        if self._chance.random() < self.mishaps.duplicate:
            self.repeat(delivery)

    def _try(self, delivery: Delivery, *, number: int, reason: str) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._attempt(delivery, number, reason))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, delivery: Delivery, number: int, reason: str) -> None:
        attempt = Attempt(number, reason, self._clock.now, next(self._order))
        delivery.attempts.append(attempt)
        reply = Reply("connection_failed")
        if self.transport is not None:
            reply = await self.transport.attempt(delivery, attempt)
        if not reply.failure and self._chance.random() < self.mishaps.unheard:
            reply = Reply("timeout")
        if not reply.failure:
            delivery.settle("acknowledged", reply.answer)
        else:
            self._failed(delivery, reply)
        self._changed()

    def _failed(self, delivery: Delivery, reply: Reply) -> None:
        delivery.failures.append(reply.failure)
        done = len(delivery.attempts)
        # A person sees an error at once where what they did found no listener.
        if delivery.kind != "events_api" or not reply.may_retry or done > len(RETRY_AFTER_S):
            delivery.settle("lost")
            return

        def retry() -> None:
            self._try(delivery, number=done, reason=reply.failure)

        if done == 1:
            # "Nearly immediately": the clock need not move for it.
            retry()
        else:
            self._clock.call_at(delivery.attempts[0].at + RETRY_AFTER_S[done - 1], retry)
