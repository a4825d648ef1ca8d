"""Plays scenarios one after the other on one stage, on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, cast

import pytest
from msgspec import Struct

from citewell.chatting import Rehearsal
from citewell.specs import AdapterSpec
from citewell.testing.adapters.scenario import Scenario
from citewell.testing.adapters.stage import Stage, open_stage
from citewell.testing.opening import find

_CLOSING_S = 30.0


class _House(Struct, eq=False):
    """What is open: a loop, and on it a task that keeps the stage.

    What was entered in one task must be left in the same one.
    """

    runner: asyncio.Runner
    keeper: asyncio.Task[None] | None = None
    stage: Stage | None = None
    leave: asyncio.Event | None = None


class Theatre:
    """Opens a stage for the first scenario, and again after one that spoiled it.

    Attributes:
        name: under which a plugin that is installed offers the adapter.
        timeout_s: how long a scenario waits for anything that must happen.
    """

    name: ClassVar[str]
    timeout_s: ClassVar[float] = 20.0
    _house: ClassVar[_House | None] = None

    def spec(self) -> AdapterSpec[Any]:
        """Return what the plugin registers; override to test what no plugin offers."""
        return cast("AdapterSpec[Any]", find("adapter", self.name))

    def rehearsal(self) -> AbstractAsyncContextManager[Rehearsal]:
        """Return a stand-in, to be entered; override to open another than the spec's own."""
        spec = self.spec()
        assert spec.rehearsal is not None, (
            f"{self.name} has no stand-in; give its AdapterSpec a `rehearsal`"
        )
        return spec.rehearsal()

    def perform(
        self, scenario: Scenario, play: Callable[..., Awaitable[None]], *args: Any, **kwargs: Any
    ) -> None:
        """Play a scenario on the stage."""
        house = self._opened()
        stage = house.stage
        assert stage is not None, "the stage could not be opened"
        for one in scenario.lacks(stage.chat.can):
            pytest.skip(f"not claimed: {self.name} has no ability {one}")
        if scenario.alone and stage.is_used:
            self._close()
            self.perform(scenario, play, *args, **kwargs)
            return
        stage.is_used = True
        try:
            house.runner.run(cast("Any", play(self, *args, stage=stage, **kwargs)))
        except BaseException:
            self._close()
            raise
        if scenario.alone:
            self._close()

    @classmethod
    def teardown_class(cls) -> None:
        """Close what is open."""
        cls._close()

    def _opened(self) -> _House:
        cls = type(self)
        if cls._house is None:
            house = _House(asyncio.Runner(loop_factory=asyncio.new_event_loop))
            cls._house = house
            try:
                house.runner.run(self._open(house))
            except BaseException:
                cls._close()
                raise
        return cls._house

    async def _open(self, house: _House) -> None:
        ready, house.leave = asyncio.Event(), asyncio.Event()
        house.keeper = asyncio.create_task(self._keep(house, ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({house.keeper, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if house.keeper.done():
            house.keeper.result()

    async def _keep(self, house: _House, ready: asyncio.Event) -> None:
        assert house.leave is not None
        async with open_stage(self.spec(), self.rehearsal, self.timeout_s) as house.stage:
            ready.set()
            await house.leave.wait()

    @classmethod
    def _close(cls) -> None:
        house, cls._house = cls._house, None
        if house is None:
            return
        with house.runner:
            if house.keeper is not None and house.leave is not None and not house.keeper.done():
                house.leave.set()
                house.runner.run(_ended(house.keeper))


async def _ended(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_CLOSING_S):
        await task
