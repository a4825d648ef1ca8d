"""`citewell budgets`: what was spent, and what may be."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citewell.cli.forms import document
from citewell.cli.options import Where, config_option, examples

if TYPE_CHECKING:
    from citewell.cli.page import Piece, Row
    from citewell.engine.settings import Settings
    from citewell.journal.ledger import Balance

_MILLIONTHS = 1_000_000


@click.command("budgets", epilog=examples("citewell budgets", "citewell budgets --json"))
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(config: Path | None, as_json: bool) -> None:
    """Show what was spent of each budget, by time and payer.

    What is reserved belongs to answers that are being written, or whose process was killed; it
    counts as spent until the budget's time is over.
    """
    settings = Where(config).settings()
    rows = [_described(balance, settings) for balance in _balances(settings)]
    if as_json:
        click.echo(document("budgets", {"accounts": rows}))
        return
    from citewell.cli.printing import open_printer

    open_printer(sys.stdout).write(_page(rows, has_budgets=bool(settings.budgets)))


def _balances(settings: Settings) -> Sequence[Balance]:
    from citewell.cli.assisting import open_ledger

    return open_ledger(settings)().balances() if settings.budgets else ()


def _described(balance: Balance, settings: Settings) -> dict[str, Any]:
    name, period, payer = balance.key.split("/", 2)
    budget = settings.budgets.get(name)
    return {
        "budget": name,
        "period": period,
        "payer": payer,
        "spent": balance.spent / _MILLIONTHS,
        "reserved": balance.reserved / _MILLIONTHS,
        "limit": None if budget is None else budget.limit,
    }


def _page(rows: Sequence[Mapping[str, Any]], *, has_budgets: bool) -> Iterator[Row]:
    from citewell.cli.page import Grid, Line, Look, Piece

    if not rows:
        said = "nothing was spent yet" if has_budgets else "the settings have no [budget.NAME]"
        yield Line((Piece(said, Look.FAINT),))
        return
    names = ("budget", "period", "payer", "spent", "reserved", "limit")
    yield Grid(
        tuple((Piece(name, Look.STRONG),) for name in names),
        tuple(tuple(_cell(row[name]) for name in names) for row in rows),
    )


def _cell(value: object) -> tuple[Piece, ...]:
    from citewell.cli.page import Piece
    from citewell.cli.wording import safe_line

    if value is None:
        return (Piece("none now"),)
    return (Piece(f"{value:.6g}" if isinstance(value, float) else safe_line(str(value))),)
