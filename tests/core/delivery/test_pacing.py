"""A growing answer is shown as often as its service allows, and never after its end."""

import asyncio

import pytest

from citewell.blocks import Notice
from citewell.delivery.pacing import Pace
from citewell.errors import DeliveryError


class Screen:
    """Keeps what is shown, after a moment."""

    def __init__(self, *, takes_s=0.0, fails=False):
        self.shown = []
        self._takes_s = takes_s
        self._fails = fails

    async def show(self, messages):
        await asyncio.sleep(self._takes_s)
        if self._fails:
            raise DeliveryError("refused", passes=False)
        self.shown.append(messages[0][0].text)


def state(text, made=None):
    def make():
        if made is not None:
            made.append(text)
        return [[Notice(text)]]

    return make


async def test_states_that_are_skipped_are_not_even_made():
    screen, made = Screen(), []
    pace = Pace(screen.show, 0.05)

    for number in range(5):
        pace.offer(state(str(number), made))
    await asyncio.sleep(0.02)
    for number in range(5, 9):
        pace.offer(state(str(number), made))
    await asyncio.sleep(0.1)
    await pace.stop()

    assert screen.shown == made == ["4", "8"]


async def test_a_state_without_messages_is_not_shown():
    screen = Screen()
    pace = Pace(screen.show, 0)

    pace.offer(list)
    await asyncio.sleep(0.01)
    await pace.stop()

    assert screen.shown == []


async def test_nothing_is_shown_after_a_stop_and_nobody_waits_for_the_pace():
    screen = Screen()
    pace = Pace(screen.show, 60)
    pace.offer(state("first"))
    await asyncio.sleep(0.01)
    pace.offer(state("second"))
    await asyncio.sleep(0.01)

    async with asyncio.timeout(5):
        await pace.stop()
    pace.offer(state("third"))
    await asyncio.sleep(0.01)

    assert screen.shown == ["first"]


async def test_what_is_being_shown_is_waited_for():
    screen = Screen(takes_s=0.05)
    pace = Pace(screen.show, 0)
    pace.offer(state("first"))
    await asyncio.sleep(0.01)

    await pace.stop()

    assert screen.shown == ["first"]


async def test_a_stop_that_is_cancelled_leaves_nothing_running():
    screen = Screen(takes_s=30)
    pace = Pace(screen.show, 0)
    pace.offer(state("first"))
    await asyncio.sleep(0.01)
    stopping = asyncio.create_task(pace.stop())
    await asyncio.sleep(0.01)

    stopping.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert screen.shown == []


async def test_that_a_state_could_not_be_shown_is_told_with_the_next():
    pace = Pace(Screen(fails=True).show, 0)
    pace.offer(state("first"))
    await asyncio.sleep(0.01)

    with pytest.raises(DeliveryError, match="refused"):
        pace.offer(state("second"))
    await pace.stop()


async def test_that_the_last_state_could_not_be_shown_is_logged(caplog):
    pace = Pace(Screen(fails=True).show, 0)
    pace.offer(state("first"))

    await asyncio.sleep(0.01)
    await pace.stop()

    assert "a growing answer could not be shown: refused" in caplog.text
