"""Time that a test sets."""

import asyncio

from citewell_slack.testing import Clock


async def test_time_stands_still_until_it_is_moved():
    clock = Clock(1_000)

    await asyncio.sleep(0.01)
    still = clock.now
    await clock.advance(5)

    assert (still, clock.now) == (1_000, 1_005)


async def test_a_running_clock_moves_by_itself_too():
    clock = Clock(1_000, runs=True)
    await clock.sleep(0.01)
    by_itself = clock.now

    await clock.advance(100)

    assert 1_000.01 <= by_itself < 1_001
    assert clock.now >= 1_100


async def test_stamps_grow_though_time_stands_still():
    clock = Clock(1_000)

    stamps = [clock.stamp() for _ in range(3)]

    assert stamps == ["1000.000000", "1000.000001", "1000.000002"]


async def test_sleepers_wake_in_order_at_their_times():
    clock = Clock(1_000)
    woken = []

    async def sleep(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.now))

    tasks = [asyncio.create_task(sleep(seconds)) for seconds in (3, 1, 9)]
    await asyncio.sleep(0)
    await clock.advance(5)

    assert woken == [(1, 1_001), (3, 1_003)]
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not clock.is_awaited


async def test_what_is_due_already_comes_soon():
    clock = Clock(1_000)
    called = asyncio.Event()

    clock.call_at(900, called.set)

    async with asyncio.timeout(1):
        await called.wait()
    assert called.is_set()
