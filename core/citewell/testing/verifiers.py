"""What every verifier must do, as tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from citewell.protocols import Verifier
from citewell.testing.opening import opened, run_async
from citewell.testing.passages import make_passages
from citewell.types.answers import Verdict

_LEAVE, _OFFICE = make_passages(
    "Every employee has 28 days of leave a year.", "The office is closed on Sundays."
)


class VerifierContract:
    """Subclass it, set `name`, and pytest tests your verifier.

    Attributes:
        name: under which a plugin that is installed offers the verifier.
        config: its settings, as they would stand in `citewell.toml`.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Verifier]:
        """Open the verifier; override to build it otherwise."""
        async with opened("verifier", self.name, self.config, folder) as verifier:
            yield verifier

    @run_async
    async def test_a_statement_supports_itself(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as verifier:
            verdict = await verifier.judge(_LEAVE.text, [_LEAVE])
            beside = await verifier.judge(_LEAVE.text, [_OFFICE, _LEAVE])

        assert _is_sound(verdict).supported, "a passage supports its own text"
        assert _is_sound(beside).supported, "one supporting passage is enough"

    @run_async
    async def test_an_invented_statement_is_not_supported(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as verifier:
            verdict = await verifier.judge("Lions hunt zebras at night.", [_LEAVE, _OFFICE])

        assert not _is_sound(verdict).supported, (
            "no passage speaks of lions; support only what a passage says"
        )

    @run_async
    async def test_nothing_supports_without_passages(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as verifier:
            verdict = await verifier.judge(_LEAVE.text, [])

        assert not _is_sound(verdict).supported, "without passages nothing is supported"

    @run_async
    async def test_odd_statements_get_a_verdict(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as verifier:
            verdicts = await asyncio.gather(
                *(verifier.judge(text, [_LEAVE]) for text in ("", " ", "?!", "\x00", "x" * 20_000))
            )

        for verdict in verdicts:
            _is_sound(verdict)


def _is_sound(verdict: Verdict) -> Verdict:
    assert verdict.reason, "a verdict says why: set `reason`"
    assert "\n" not in verdict.reason, "the reason is one line"
    assert verdict.check, "a verdict names its check: set `check`"
    assert verdict.score is None or 0 <= verdict.score <= 1, (
        f"score {verdict.score} is not in [0, 1]"
    )
    return verdict
