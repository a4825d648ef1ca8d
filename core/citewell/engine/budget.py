"""Which budgets an answer counts towards, and how much of them it takes."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from citewell import blocking
from citewell.engine.breaker import OverBudget
from citewell.engine.tables import Budget
from citewell.errors import JournalError, ModelError
from citewell.protocols import Model, PricedModel
from citewell.types.questions import Prompt, Question, Usage

if TYPE_CHECKING:
    from citewell.journal.ledger import Account, Ledger

log = logging.getLogger(__name__)

MILLIONTHS = 1_000_000
_PERIODS: Mapping[str, str] = {"day": "%Y-%m-%d", "month": "%Y-%m", "total": "total"}
_NOBODY = "terminal"


class Charge(Struct):
    """What one attempt costs.

    Attributes:
        usage: of the attempt, once it is complete.
    """

    usage: Usage | None = None


class Budgets:
    """The budgets of some settings.

    Args:
        budgets: by name.
        ledger: opens the accounts; called in a thread, when one is needed. None where there is
            no journal; then nothing may be spent.
        now: the time, in UTC.
    """

    def __init__(
        self,
        budgets: Mapping[str, Budget],
        ledger: Callable[[], Ledger] | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._budgets = budgets
        self._ledger = ledger
        self._now = now

    @asynccontextmanager
    async def charged(
        self, model: Model, name: str, prompt: Prompt, question: Question
    ) -> AsyncIterator[Charge]:
        """Reserve what an attempt may cost, and settle what it did cost.

        What was cut short counts as what was reserved, unless the error says what it cost.

        Raises:
            OverBudget: a budget has no room, or the price is not known.
        """
        charge = Charge()
        towards = self._towards(name, question)
        most = await self._most(model, name, prompt) if towards else None
        if most is None:
            yield charge
            return
        if self._ledger is None:
            raise OverBudget("has a budget, and there is no journal to keep it in")
        reserved = _Reservation(self._ledger, towards, most, model=name)
        cost: float | None = 0.0
        try:
            await reserved.make()
            cost = None
            yield charge
        except ModelError as error:
            cost = error.cost if cost is None else cost
            raise
        finally:
            if cost is None and charge.usage is not None:
                cost = charge.usage.cost
            await reserved.settle(_millionths(cost))

    def _towards(self, name: str, question: Question) -> list[Account]:
        from citewell.journal.ledger import Account

        found = []
        for key, budget in self._budgets.items():
            if budget.models is None or name in budget.models:
                period = self._now().strftime(_PERIODS[budget.per])
                payer = {"all": "all", "user": question.asker, "channel": question.channel}
                who = payer[budget.each] or _NOBODY
                limit = math.floor(budget.limit * MILLIONTHS + 1e-6)
                found.append(Account(f"{key}/{period}/{who}"[:200], limit))
        return found

    async def _most(self, model: Model, name: str, prompt: Prompt) -> int | None:
        """Return the highest price in millionths; None for a model that no budget is about."""
        cost = await model.highest_cost(prompt) if isinstance(model, PricedModel) else None
        if cost is not None:
            return _millionths(cost)
        if isinstance(model, PricedModel) or any(
            name in (budget.models or ()) for budget in self._budgets.values()
        ):
            raise OverBudget("has a budget and no price that is known; set price")
        return None


class _Reservation:
    """What is reserved for one attempt.

    Args:
        ledger: opens the accounts.
        towards: the accounts.
        most: the amount.
        model: who gets it.
    """

    def __init__(
        self, ledger: Callable[[], Ledger], towards: list[Account], most: int, *, model: str
    ) -> None:
        self._open = ledger
        self._towards = towards
        self._most = most
        self._model = model
        self._id = secrets.token_hex(16)
        self._made: asyncio.Future[Account | None] | None = None

    async def make(self) -> None:
        """Reserve it; durable on return.

        Raises:
            OverBudget: there is no room for it, or no way to tell.
        """
        # Whoever no longer waits for it does not stop the thread, and settles it all the same.
        self._made = asyncio.ensure_future(blocking.call(self._reserve))
        try:
            full = await asyncio.shield(self._made)
        except JournalError as error:
            raise OverBudget(f"has a budget, and what was spent is not known: {error}") from error
        if full is not None:
            raise OverBudget(f"could spend more than budget.{full.key.partition('/')[0]} allows")

    def _reserve(self) -> Account | None:
        return self._open().reserve(self._id, self._towards, self._most, model=self._model)

    async def settle(self, amount: int | None) -> None:
        """Put `amount` in its place, or what was reserved for None.

        Done also where whoever waits is cancelled meanwhile. Where it cannot be written it stays
        reserved, and the answer is shown all the same.
        """
        if self._made is None:
            return
        settling = asyncio.ensure_future(self._settled(self._made, amount))
        try:
            await asyncio.shield(settling)
        except asyncio.CancelledError:
            await asyncio.wait({settling})
            raise

    async def _settled(self, made: asyncio.Future[Account | None], amount: int | None) -> None:
        (full,) = await asyncio.gather(made, return_exceptions=True)
        if full is not None:
            return
        try:
            await blocking.call(self._settle, amount)
        except JournalError as error:
            log.warning("what an answer of %s did cost stays reserved: %s", self._model, error)

    def _settle(self, amount: int | None) -> None:
        self._open().settle(self._id, amount)


def _millionths(cost: float | None) -> int | None:
    """Return a cost in whole millionths, rounded up."""
    return None if cost is None else math.ceil(round(cost * MILLIONTHS, 6))
