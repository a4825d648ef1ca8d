"""Where a search runs: in another thread, unless it takes less time than telling one."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from citewell import Query
from citewell_embedded import retriever as retrieving
from citewell_embedded import view
from citewell_embedded.store import FILE
from lexical import ALL, document, found, opened


@pytest.fixture
async def retriever(tmp_path):
    async with opened(tmp_path) as opened_retriever:
        await opened_retriever.index([document(f"d{at}", at) for at in range(30)])
        yield opened_retriever


@pytest.fixture
def threads(monkeypatch):
    search = view.IndexView.search
    noted = []

    def noting(*arguments, **named):
        noted.append(threading.current_thread() is threading.main_thread())
        return search(*arguments, **named)

    monkeypatch.setattr(view.IndexView, "search", noting)
    return noted


async def test_the_index_is_loaded_in_a_thread_and_then_searched_at_once(
    retriever, threads, monkeypatch
):
    monkeypatch.setattr(retrieving, "QUICK_S", 60.0)

    first, second = [await found(retriever, "beacon version7", limit=100) for _ in range(2)]

    assert threads == [False, True]
    assert first == second
    assert first[0].document_id == "library:d7"


async def test_a_change_is_loaded_in_a_thread(retriever, threads, monkeypatch):
    monkeypatch.setattr(retrieving, "QUICK_S", 60.0)
    await found(retriever, "beacon", limit=100)
    await retriever.delete(["library:d7"])

    assert await found(retriever, "version7", limit=100) == []
    assert threads == [False, False]


async def test_after_a_slow_search_the_next_one_runs_in_a_thread(retriever, threads, monkeypatch):
    monkeypatch.setattr(retrieving, "QUICK_S", 60.0)
    await found(retriever, "beacon", limit=100)
    await found(retriever, "beacon", limit=100)
    monkeypatch.setattr(retrieving, "QUICK_S", 0.0)
    await found(retriever, "beacon", limit=100)

    assert threads == [False, True, False]


async def test_a_lock_is_waited_for_in_a_thread(retriever, threads, monkeypatch, tmp_path):
    monkeypatch.setattr(retrieving, "QUICK_S", 60.0)
    await found(retriever, "beacon", limit=100)
    # An open connection would keep others from locking the whole file.
    await retriever.close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        searching = asyncio.ensure_future(found(retriever, "beacon", limit=100))
        await asyncio.sleep(0.2)
        assert not searching.done()

    assert await searching
    assert threads == [False, False]


async def test_none_asked_for_are_none(retriever, monkeypatch):
    monkeypatch.setattr(retrieving, "QUICK_S", 60.0)
    for _ in range(2):
        assert await retriever.retrieve(Query(text="beacon"), limit=0, readable_by=ALL) == []
        assert await found(retriever, "beacon", limit=100)
