"""`citewell eval gate`: whether what is to answer has passed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.forms import document
from citewell.cli.options import Where, config_option, examples
from citewell.cli.wording import safe_line
from citewell.errors import CitewellError

if TYPE_CHECKING:
    from citewell.engine.settings import Settings
    from citewell.evaluation.gating import Ruling

UNSETTLED = 2
ERROR = 3


@click.command("gate", epilog=examples("citewell eval gate", "citewell eval gate --json"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(as_json: bool, config: Path | None) -> int:
    """Say of each profile that people are answered by whether it has passed the gate.

    It passes on a report about just this backend: model, adapter, template, prompt, sampling,
    retriever and question set are as they were measured, few of the documents that the questions
    lean on have changed, it is not too old, and the scores are those that [gate] asks.

    The exit code is 0 for a pass, 1 for a failure, 2 when it is not settled, and 3 for an error.
    """
    try:
        found = asyncio.run(_rulings(Where(config).settings()))
    except CitewellError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {safe_line(line)}", err=True)
        return ERROR
    if as_json:
        plain = {name: _plain(one) for name, one in found.items()}
        click.echo(document("gate", {"profiles": plain}))
    else:
        _show(found)
    return _exit_code(found)


async def _rulings(settings: Settings) -> Mapping[str, Ruling]:
    from citewell.engine.runtime import open_runtime
    from citewell.errors import ConfigError
    from citewell.evaluation.gatekeeping import Gatekeeper
    from citewell.evaluation.ranking import need_statistics

    need_statistics("citewell eval gate")
    if settings.gate is None:
        raise ConfigError("the settings have no [gate]; add one, as min = { correct = 0.8 }")
    async with open_runtime(settings) as runtime:
        return await Gatekeeper().rulings(runtime, None)


def _plain(ruling: Ruling) -> dict[str, object]:
    return {"status": ruling.status.value, "arm": ruling.arm, "reasons": list(ruling.reasons)}


def _show(found: Mapping[str, Ruling]) -> None:
    for name, ruling in found.items():
        by = f" (arm {safe_line(ruling.arm)})" if ruling.arm else ""
        click.echo(f"profile {safe_line(name)}: {ruling.status.value}{by}")
        for reason in ruling.reasons:
            click.echo(f"  {safe_line(reason)}")


def _exit_code(found: Mapping[str, Ruling]) -> int:
    from citewell.cli.options import FAILED
    from citewell.evaluation.gating import Status

    statuses = {one.status for one in found.values()}
    if Status.FAIL in statuses:
        return FAILED
    return UNSETTLED if Status.UNSETTLED in statuses else 0
