"""A blocking iterator can be read from the event loop, stopped, and fails where it is read."""

import asyncio
import threading
import time

import pytest

from citewell import blocking


async def test_items_arrive_in_order():
    items = [item async for item in blocking.iterate(lambda: iter(range(1000)))]

    assert items == list(range(1000))


async def test_an_error_reaches_the_reader_after_the_items_before_it():
    def make():
        yield 1
        raise ValueError("no more")

    items = blocking.iterate(make)

    assert await anext(items) == 1
    with pytest.raises(ValueError, match="no more"):
        await anext(items)


async def test_an_error_in_making_the_iterator_reaches_the_reader():
    def make():
        raise OSError("cannot open")

    with pytest.raises(OSError, match="cannot open"):
        await anext(blocking.iterate(make))


async def test_leaving_early_stops_and_closes_the_iterator_in_its_thread():
    closed_in = []
    made = []

    def make():
        try:
            for number in range(10**9):
                made.append(number)
                yield number
        finally:
            closed_in.append(threading.get_ident())

    items = blocking.iterate(make, ahead=4)
    first = await anext(items)
    await items.aclose()

    assert first == 0
    assert closed_in
    assert closed_in[0] != threading.get_ident()
    assert len(made) <= 6


async def test_the_thread_pauses_when_nobody_reads():
    made = []

    def make():
        for number in range(1000):
            made.append(number)
            yield number

    items = blocking.iterate(make, ahead=8)
    await anext(items)
    await asyncio.sleep(0.1)

    assert len(made) <= 10
    await items.aclose()


async def test_the_event_loop_goes_on_meanwhile():
    ticks = 0

    def make():
        time.sleep(0.2)
        yield "late"

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    assert [item async for item in blocking.iterate(make)] == ["late"]
    ticking.cancel()

    assert ticks >= 5


async def test_what_is_called_to_its_end_ends_however_often_the_caller_is_cancelled():
    began, ended = threading.Event(), []

    def work():
        began.set()
        time.sleep(0.3)
        ended.append(True)

    calling = asyncio.create_task(blocking.call_to_end(work))
    await asyncio.to_thread(began.wait)
    for _ in range(3):
        calling.cancel()
        await asyncio.sleep(0.02)

    with pytest.raises(asyncio.CancelledError):
        await calling
    assert ended == [True]


async def test_what_is_called_to_its_end_returns_and_fails_as_it_does_by_itself():
    def fail():
        raise ValueError("no")

    assert await blocking.call_to_end(lambda: 7) == 7
    with pytest.raises(ValueError, match="no"):
        await blocking.call_to_end(fail)


async def test_iterators_that_wait_to_be_read_hold_up_no_other_blocking_call():
    pumps = [blocking.iterate(lambda: iter(range(100)), ahead=1) for _ in range(64)]
    for pump in pumps:
        await anext(pump)

    async with asyncio.timeout(5):
        assert await blocking.call(lambda: "called") == "called"
    for pump in pumps:
        await pump.aclose()


class Thing:
    """Something that takes a while to open, and knows whether it is open."""

    def __init__(self, may_open):
        may_open.wait()
        self.is_open = True

    def close(self):
        self.is_open = False


async def test_what_is_opened_is_open_inside_and_closed_after():
    may_open = threading.Event()
    may_open.set()

    async with blocking.opened(lambda: Thing(may_open), Thing.close) as thing:
        assert thing.is_open

    assert not thing.is_open


@pytest.mark.parametrize("times", [1, 3])
async def test_whoever_is_cancelled_while_it_is_opened_leaves_nothing_open(times):
    may_open, made, begun = threading.Event(), [], threading.Event()

    def make():
        begun.set()
        made.append(Thing(may_open))
        return made[0]

    async def use():
        async with blocking.opened(make, Thing.close):
            pytest.fail("it was cancelled before")

    using = asyncio.create_task(use())
    await asyncio.to_thread(begun.wait)
    for _ in range(times):
        using.cancel()
        await asyncio.sleep(0)
    done, _ = await asyncio.wait({using}, timeout=0.05)
    may_open.set()
    await asyncio.wait({using})

    assert not done
    assert using.cancelled()
    assert not made[0].is_open


async def test_what_cannot_be_opened_is_not_closed():
    def make():
        raise OSError("it is not there")

    with pytest.raises(OSError, match="not there"):
        async with blocking.opened(make, pytest.fail):
            pytest.fail("it is not open")
