"""The gate before a change of the settings."""

from __future__ import annotations

import asyncio

from citewell.cli.user import user_name
from citewell.engine.folders import make_folder
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import Settings
from citewell.errors import CitewellError
from citewell.evaluation.gatekeeping import Gatekeeper, force
from citewell.evaluation.ranking import need_statistics
from citewell.journal.audit import Audit
from citewell.journal.database import open_engine
from citewell.journal.journal import journal_url


def let_pass(wanted: Settings, present: Settings, profile: str, *, by_force: str | None) -> None:
    """Let a change of a profile pass, or say why not.

    Args:
        wanted: the settings that are to be saved.
        present: those in force.
        profile: that is changed.
        by_force: why the gate is not to decide; None lets it.

    Raises:
        CitewellError: the gate refuses.
    """
    need_statistics("[gate]")
    if by_force is not None:
        _note(wanted, profile, by_force)
        return
    refusals = asyncio.run(_refusals(wanted, present))
    if refusals:
        raise CitewellError(
            "\n".join(("the gate refuses, and nothing is changed", *refusals)),
        )


async def _refusals(wanted: Settings, present: Settings) -> list[str]:
    async with open_runtime(wanted) as runtime:
        return await Gatekeeper().refusals(runtime, present)


def _note(wanted: Settings, profile: str, why: str) -> None:
    make_folder(wanted.data_dir)
    engine = open_engine(journal_url(wanted.journal_url, wanted.data_dir))
    try:
        # First the audit: nothing may pass by force that does not stand there.
        Audit(engine).add("gate forced", actor=user_name(), detail={"profile": profile, "why": why})
    finally:
        engine.dispose()
    force(wanted, profile, who=user_name(), why=why)
