"""Documents read on the workers of an engine are those that would be read here."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import DocumentError, EngineError, RawDocument
from citewell.library.plans import Loading, Readers
from citewell.library.reading import Reader
from citewell.library.reading_task import Sent, Task, decode_replies, encode_replies, release
from citewell.library.reading_wire import BrokenReply, Reply, Request
from citewell.library.reading_worker import read_batch
from citewell.library.syncing import sync
from citewell_text import plugin as text
from engines import ProcessEngine
from libraries import Shelf, folder_source, index, library
from odd_loaders import ODD, OddConfig

LOADERS = {spec.suffixes[0]: Loading(spec, spec.config()) for spec in text.register_loaders()}
FILES = {
    "leave.md": "# Leave\n\nEveryone has 28 days.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "odd name \udce9.md": "# Odd\n\nIts name is no text.\n",
    "prices.csv": "what,price\ntea,3\n",
    "note.txt": "One.\n\nTwo.\n",
    "page.html": "<h1>Page</h1><p>Words.</p>",
}
REQUEST = Request(
    id="a",
    path="a",
    uri=None,
    loader="text",
    module="m",
    build="b",
    origin=None,
    config_module="m",
    config_class="C",
    config="{}",
    data_dir="d",
    base_dir="b",
    max_seconds=9,
    language="en",
    passage_chars=1200,
    memory_mb=384,
)


def raw(folder, name, content):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return RawDocument(id=name, path=path, uri=None)


async def cut_all(reader, files):
    return await asyncio.gather(
        *(reader.cut(one, LOADERS[one.path.suffix], passage_chars=200) for one in files)
    )


@pytest.mark.parametrize("shares_files", [True, False])
async def test_documents_are_those_that_would_be_read_here(tmp_path, shares_files):
    files = [raw(tmp_path, name, content) for name, content in FILES.items()]

    async with Reader() as reader:
        here = await cut_all(reader, files)
    async with Reader(engine=ProcessEngine(shares_files=shares_files)) as reader:
        away = await cut_all(reader, files)

    assert away == here


async def test_a_bad_file_costs_itself_and_not_the_worker(tmp_path):
    files = [raw(tmp_path, "bad.odd", "die now"), raw(tmp_path, "good.odd", "good")]
    engine = ProcessEngine()

    async with Reader(processes=1, engine=engine) as reader:
        bad, good = await asyncio.gather(
            *(reader.read(one, ODD, OddConfig()) for one in files), return_exceptions=True
        )

    assert isinstance(bad, DocumentError)
    assert "ended the process that read it (SIGSEGV)" in str(bad)
    assert good.text == "good"
    assert engine.calls <= 2


async def test_a_slow_file_is_given_up_on_the_worker(tmp_path):
    one = raw(tmp_path, "slow.odd", "sleep now")

    async with Reader(engine=ProcessEngine()) as reader:
        with pytest.raises(DocumentError, match=r"takes more than 0\.2 s to read"):
            await reader.read(one, ODD, OddConfig(), max_seconds=0.2)


async def test_a_file_that_workers_do_not_find_is_sent(tmp_path):
    one = raw(tmp_path, "moved.txt", "One.")
    # Workers then see another time of change, as of a file that has the same path on their machine.
    engine = ProcessEngine(shares_files=True, before=lambda _: os.utime(one.path, (1, 1)))

    async with Reader(engine=engine) as reader:
        ((document, _),) = await cut_all(reader, [one])

    assert document.text == "One."
    assert engine.calls == 2


async def test_a_file_that_went_away_is_refused(tmp_path):
    one = raw(tmp_path, "gone.txt", "One.")
    engine = ProcessEngine(shares_files=True, before=lambda _: one.path.unlink())

    async with Reader(engine=engine) as reader:
        with pytest.raises(DocumentError, match="cannot be opened: No such file"):
            await cut_all(reader, [one])


class FailingEngine(ProcessEngine):
    """Raises, or returns what no worker would."""

    def __init__(self, outcome):
        super().__init__()
        self.outcome = outcome

    async def call(self, function, task):
        if self.outcome is not None:
            return self.outcome
        return await super().call(end, task)


def end(_task):
    os.abort()


async def test_what_no_worker_lives_to_read_is_read_here(tmp_path):
    one = raw(tmp_path, "note.txt", "One.")

    async with Reader(engine=FailingEngine(None)) as reader:
        ((document, _),) = await cut_all(reader, [one])

    assert document.text == "One."


@pytest.mark.parametrize("answer", [b"", b"x", Reply(1, b"[]", b"").frame() * 40])
async def test_workers_that_answer_nonsense_end_the_reading(tmp_path, answer):
    files = [raw(tmp_path, name, content) for name, content in FILES.items()]

    async with Reader(engine=FailingEngine(answer)) as reader:
        outcomes = await asyncio.gather(
            *(cut_all(reader, [one]) for one in files), return_exceptions=True
        )
        with pytest.raises(EngineError):
            await cut_all(reader, files[:1])

    assert {type(outcome) for outcome in outcomes} == {EngineError}


def test_a_worker_with_another_citewell_refuses():
    task = Task(release="0.0.1", files=()).encode()

    with pytest.raises(EngineError, match=r"has citewell .+, the sync has 0\.0\.1; install"):
        read_batch(task)


def test_a_worker_of_the_same_citewell_answers_nothing_with_nothing():
    assert read_batch(Task(release=release(), files=()).encode()) == b""


@given(st.lists(st.none() | st.binary(max_size=40), max_size=5))
def test_a_task_arrives_as_it_was_sent(contents):
    files = tuple(
        Sent(request=REQUEST, content=content, size=3, mtime_ns=2**62) for content in contents
    )
    task = Task(release="1", files=files)

    assert Task.decode(task.encode()) == task


@given(
    st.lists(st.builds(Reply, st.integers(0, 15), st.binary(max_size=9), st.binary(max_size=9))),
    st.integers(min_value=1),
)
def test_replies_arrive_whole_or_not_at_all(replies, lost):
    frames = encode_replies(replies)

    assert decode_replies(frames, count=len(replies)) == tuple(replies)
    if frames:
        with pytest.raises(BrokenReply):
            decode_replies(frames[: -(lost % len(frames) or 1)], count=len(replies))


async def test_an_engine_that_is_gone_ends_the_sync_and_the_next_one_goes_on(tmp_path):
    root, data_dir = tmp_path / "docs", tmp_path / "data"
    root.mkdir()
    raw(root, "a.txt", "Old.")
    shelf = Shelf()
    paths = {"data_dir": data_dir, "base_dir": tmp_path}

    async with folder_source(root, data_dir) as source:
        plan = [index(shelf, library(source))]
        await sync(plan, **paths)
        raw(root, "a.txt", "New.")
        raw(root, "b.txt", "More.")
        with pytest.raises(EngineError):
            await sync(plan, readers=Readers(engine=FailingEngine(b"nonsense")), **paths)
        left = shelf.texts()
        report = await sync(plan, readers=Readers(engine=ProcessEngine()), **paths)

    assert left == {"docs:a.txt": "Old."}
    assert shelf.texts() == {"docs:a.txt": "New.", "docs:b.txt": "More."}
    assert (report.added, report.updated, report.failed) == (1, 1, [])
