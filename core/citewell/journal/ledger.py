"""What answers cost: reserved before a model is asked, settled after.

Amounts are whole millionths of the currency, so that no rounding can spend one too many.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.database import explained
from citewell.journal.tables import accounts, charges


class Account(Struct, frozen=True):
    """What a charge counts towards.

    Attributes:
        key: names budget, period and payer.
        limit: of `spent` and `reserved` together.
    """

    key: str
    limit: int


class Balance(Struct, frozen=True):
    """What became of an account so far.

    Attributes:
        reserved: for answers that are being written, or whose process died.
    """

    key: str
    spent: int
    reserved: int


class Ledger:
    """The accounts of a journal. Blocking; call it from a thread when an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def reserve(
        self, charge_id: str, towards: Sequence[Account], amount: int, *, model: str
    ) -> Account | None:
        """Reserve `amount` in each account, or in none; durable on return.

        Returns:
            The account that has no room for it, or None.

        Raises:
            JournalError: the tables cannot be written.
        """
        with explained("the budgets cannot be read"), self._engine.connect() as connection:
            # In one order everywhere, so that two processes cannot wait for each other.
            for account in sorted(towards, key=lambda one: one.key):
                self._open(connection, account.key)
                found = connection.execute(
                    sa
                    .update(accounts)
                    .where(accounts.c.key == account.key)
                    .where(accounts.c.spent + accounts.c.reserved + amount <= account.limit)
                    .values(reserved=accounts.c.reserved + amount)
                )
                if not found.rowcount:
                    connection.rollback()
                    return account
                connection.execute(
                    sa.insert(charges).values(
                        id=charge_id, account=account.key, model=model, reserved=amount
                    )
                )
            connection.commit()
        return None

    def settle(self, charge_id: str, amount: int | None) -> None:
        """Put what was really spent in place of what was reserved; once, and durable on return.

        Args:
            charge_id: of `reserve`.
            amount: None when it is not known; then what was reserved counts as spent.

        Raises:
            JournalError: the tables cannot be written.
        """
        with explained("the budgets cannot be written"), self._engine.begin() as connection:
            open_charges = (
                sa
                .select(charges.c.account, charges.c.reserved)
                .where(charges.c.id == charge_id, charges.c.settled.is_(None))
                .order_by(charges.c.account)
                .with_for_update()
            )
            for key, reserved in connection.execute(open_charges).all():
                spent = reserved if amount is None else amount
                closed = connection.execute(
                    sa
                    .update(charges)
                    .where(charges.c.id == charge_id, charges.c.account == key)
                    .where(charges.c.settled.is_(None))
                    .values(settled=spent)
                )
                if closed.rowcount:
                    connection.execute(
                        sa
                        .update(accounts)
                        .where(accounts.c.key == key)
                        .values(
                            spent=accounts.c.spent + spent,
                            reserved=accounts.c.reserved - reserved,
                        )
                    )

    def balances(self) -> list[Balance]:
        """Return every account that was ever charged, by key."""
        query = sa.select(accounts).order_by(accounts.c.key)
        with explained("the budgets cannot be read"), self._engine.connect() as connection:
            return [Balance(*row) for row in connection.execute(query)]

    @staticmethod
    def _open(connection: sa.Connection, key: str) -> None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        opening = dialect.insert(accounts).values(key=key, spent=0, reserved=0)
        connection.execute(opening.on_conflict_do_nothing())
