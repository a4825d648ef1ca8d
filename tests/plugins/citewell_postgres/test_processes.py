"""Several processes at one index, and what happens when one of them, or the server, dies."""

import asyncio
import subprocess
import sys

import pytest

import postgres_child
from citewell import IndexLocked, Query, StoreError
from citewell_postgres import retriever as retriever_module
from lexical import ALL, document, found, whole
from postgres_index import FIRST, ignore, opened_at


def started(what, place, *arguments):
    return subprocess.Popen(
        [sys.executable, postgres_child.__file__, what, *place.values(), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    "statement", [5, 12, 18, 21, 24, 27, 30, 36, 41, 47, 55, 65, 75, 85, 95, 110]
)
async def test_a_writer_that_is_killed_leaves_whole_changes_and_no_lock(place, statement):
    dying = started("write", place, statement)
    acknowledged, _ = await asyncio.to_thread(dying.communicate)
    number = int((acknowledged.split() or [b"0"])[-1])

    async with opened_at(**place, embedders=FIRST) as retriever:
        there = await whole(retriever)
        # The server may need a moment to see that the writer is gone.
        async with asyncio.timeout(30):
            while True:
                try:
                    await retriever.index([document("after", 1)])
                    break
                except IndexLocked:
                    await asyncio.sleep(0.05)

        assert there in postgres_child.STATES[number : number + 2]
        assert await whole(retriever) == {**there, "after": "1"}
        await retriever.catch_up(ignore)
        _, nearest = await retriever.halves(Query(text="beacon"), limit=50, readable_by=ALL)
        assert len(nearest) == 3 * (len(there) + 1)
    assert dying.returncode in {-9, 0}


async def test_a_second_writer_is_told_who_writes(place):
    holding = started("hold", place)
    try:
        assert await asyncio.to_thread(holding.stdout.readline) == b"ready\n"
        async with opened_at(**place) as retriever:
            with pytest.raises(IndexLocked, match=f"postgres_child.py.*process {holding.pid} on"):
                await retriever.index([document("a", 1)])
            assert await whole(retriever) == {"held": "1"}
    finally:
        holding.communicate(timeout=30)
    async with opened_at(**place) as retriever:
        await retriever.index([document("a", 1)])
        assert await whole(retriever) == {"held": "1", "a": "1"}


async def test_another_one_of_this_process_takes_over(place):
    """While settings change there are two of them, and the older one has written a moment ago."""
    async with opened_at(**place) as older, opened_at(**place) as newer:
        await older.index([document("a", 1)])
        await newer.index([document("b", 1)])
        await older.delete(["library:a"])

        assert await whole(newer) == {"b": "1"}


async def test_a_write_that_was_given_up_keeps_nobody_from_writing(place, monkeypatch):
    monkeypatch.setattr(retriever_module, "IDLE_S", 0.1)
    many = [document(f"d{number}", 1) for number in range(200)]
    async with opened_at(**place) as retriever:
        writing = asyncio.ensure_future(retriever.index(many))
        await asyncio.sleep(0.05)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

        async with asyncio.timeout(20):
            while retriever._writer is not None:  # noqa: ASYNC110 - a timer of its own does it
                await asyncio.sleep(0.05)


async def test_reading_processes_see_whole_documents_while_one_writes(place):
    async with opened_at(**place) as retriever:
        await retriever.index([document("a", 0), document("b", 0)])
        readers = [started("read", place) for _ in range(2)]
        for reader in readers:
            assert await asyncio.to_thread(reader.stdout.readline) == b"ready\n"

        for version in range(1, 40):
            await retriever.index([document("a", version), document(f"c{version % 3}", version)])
            if version % 10 == 0:
                await retriever.delete([f"library:c{version % 3}"])
        outputs = [
            (await asyncio.to_thread(reader.communicate, timeout=60))[0] for reader in readers
        ]

    assert [reader.returncode for reader in readers] == [0, 0]
    for output in outputs:
        rounds, states_seen = output.split()
        assert int(rounds) >= int(states_seen) >= 2


async def test_several_that_start_at_once_make_the_tables_once(new_url):
    async def start():
        async with opened_at(new_url) as retriever:
            return await retriever.identity()

    identities = await asyncio.gather(*(start() for _ in range(5)))

    assert len(set(identities)) == 1


async def test_a_server_that_was_started_anew_is_connected_to_again(own_postgres):
    url = own_postgres.new_url()
    async with opened_at(url) as retriever:
        await retriever.index([document("a", 1)])
        await asyncio.gather(*(found(retriever, "beacon") for _ in range(4)))
        await asyncio.to_thread(own_postgres.restart)

        assert await whole(retriever) == {"a": "1"}
        await asyncio.to_thread(own_postgres.restart)
        await retriever.index([document("a", 2)])
        assert await whole(retriever) == {"a": "2"}


async def test_a_server_that_is_not_there_is_one_line_without_the_password():
    url = "postgresql+psycopg://somebody:hidden-word@127.0.0.1:9/nothing"
    async with opened_at(url) as retriever:
        with pytest.raises(StoreError, match=r'retriever "main".*check the url') as raised:
            await found(retriever, "fox")

    assert "\n" not in str(raised.value)
    assert "hidden-word" not in str(raised.value)


async def test_an_address_that_is_none_is_refused_without_repeating_it():
    with pytest.raises(StoreError, match="expected the address of a database") as raised:
        async with opened_at("hidden-word=1"):
            pass

    assert "hidden-word" not in str(raised.value)
