"""A loader may do what it likes: it costs one document and no more."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from citewell import DocumentError, LoaderSpec, RawDocument
from citewell.engine.plugin_files import run_plugin_file
from citewell.library.reading import Reader
from odd_loaders import ODD, OddConfig

SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture
async def reader():
    async with Reader(processes=2) as reader:
        yield reader


def raw(folder, name, text):
    path = folder / f"{name}.odd"
    path.write_text(text, encoding="utf-8")
    return RawDocument(id=f"{name}.odd", path=path, uri=f"https://example.org/{name}")


async def test_document_carries_what_the_library_knows(reader, tmp_path):
    document = await reader.read(raw(tmp_path, "a", "hello"), ODD, OddConfig(), language="de")

    assert (document.id, document.uri) == ("a.odd", "https://example.org/a")
    assert (document.text, document.title, document.language) == ("hello", "odd", "de")


async def test_settings_travel(reader, tmp_path):
    one = raw(tmp_path, "a", "hello")

    loud = await reader.read(one, ODD, OddConfig(shout=True))
    calm = await reader.read(one, ODD, OddConfig())

    assert (loud.text, calm.text) == ("HELLO", "hello")


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("die", "ended the process that read it (SIGSEGV)"),
        ("leave", "exit status 3"),
        ("raise", "cannot be read by the odd loader: RuntimeError: trouble with the file"),
        ("eat", "needs more than 384 MB of memory"),
        ("misplace", "the odd loader misplaced its text"),
    ],
)
async def test_failure_is_told_in_one_line(reader, tmp_path, act, reason):
    with pytest.raises(DocumentError) as refused:
        await reader.read(raw(tmp_path, act, f"{act} now"), ODD, OddConfig())

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("act", ["spin", "sleep"])
async def test_slow_file_is_given_up(reader, tmp_path, act):
    with pytest.raises(DocumentError, match=r"takes more than 0\.2 s to read; raise max_seconds"):
        await reader.read(raw(tmp_path, act, f"{act} now"), ODD, OddConfig(), max_seconds=0.2)


@pytest.mark.parametrize("act", ["chat", "ask"])
async def test_what_libraries_print_or_ask_disturbs_nothing(reader, tmp_path, act):
    document = await reader.read(raw(tmp_path, act, f"{act} now"), ODD, OddConfig())

    assert document.text == f"{act} now"


async def test_bad_files_cost_only_themselves(reader, tmp_path):
    acts = ["die", "leave", "raise", "misplace", "eat"]
    files = [
        raw(tmp_path, f"{n}", f"{acts[n // 7]} {n}" if n % 7 == 3 else f"good {n}")
        for n in range(35)
    ]

    outcomes = await asyncio.gather(
        *(reader.read(file, ODD, OddConfig()) for file in files), return_exceptions=True
    )

    refused = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, DocumentError)]
    assert refused == [3, 10, 17, 24, 31]
    assert all(
        outcome.text == f"good {n}" for n, outcome in enumerate(outcomes) if n not in refused
    )


async def test_waiting_is_given_up_with_the_reader(tmp_path):
    async with Reader(processes=1) as reader:
        waiting = [
            asyncio.create_task(reader.read(raw(tmp_path, f"{n}", "sleep"), ODD, OddConfig()))
            for n in range(3)
        ]
        await asyncio.sleep(0.5)

    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert [str(outcome) for outcome in outcomes] == 3 * [
        "was not read: the reading stopped before"
    ]


async def test_given_up_file_does_not_disturb_the_next(reader, tmp_path):
    waiting = asyncio.create_task(reader.read(raw(tmp_path, "a", "spin"), ODD, OddConfig()))
    await asyncio.sleep(0.2)
    waiting.cancel()

    document = await reader.read(raw(tmp_path, "b", "hello"), ODD, OddConfig())

    assert document.text == "hello"


async def test_missing_file_is_refused(reader, tmp_path):
    with pytest.raises(DocumentError, match="cannot be opened: No such file"):
        await reader.read(RawDocument(id="a", path=tmp_path / "a.odd"), ODD, OddConfig())


async def test_secrets_of_the_program_stay_out_of_the_process(reader, tmp_path, monkeypatch):
    monkeypatch.setenv("CITEWELL_TEST_SECRET", "xyzzy")

    with pytest.raises(DocumentError, match="SECRET=None"):
        await reader.read(raw(tmp_path, "a", "tell"), ODD, OddConfig())


async def test_loader_of_a_plugin_file_is_found(reader, tmp_path):
    plugin = tmp_path / "my_plugin.py"
    plugin.write_bytes((SUPPORT / "odd_loaders.py").read_bytes())
    spec = run_plugin_file(plugin, plugin.read_bytes()).ODD
    assert isinstance(spec, LoaderSpec)

    document = await reader.read(raw(tmp_path, "a", "hello"), spec, spec.config(shout=True))

    assert document.text == "HELLO"


PARENT = """
import asyncio, sys
from pathlib import Path
from odd_loaders import ODD, OddConfig
from citewell import RawDocument
from citewell.library.reading import Reader

async def main():
    async with Reader(processes=1) as reader:
        await reader.read(RawDocument(id="a", path=Path(sys.argv[1])), ODD, OddConfig())
        print("read", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_processes_end_with_their_parent(tmp_path):
    file = raw(tmp_path, "a", "hello")
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(file.path)], stdout=subprocess.PIPE, env=environment
    )
    assert parent.stdout.readline() == b"read\n"
    children = [
        int(pid)
        for listed in Path(f"/proc/{parent.pid}/task").glob("*/children")
        for pid in listed.read_text().split()
    ]
    assert children

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 5
    while any(map(_is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(_is_alive, children))


def _is_alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_as_many_files_are_read_at_once_as_there_are_processes(tmp_path):
    files = [raw(tmp_path, f"{n}", "meet 4") for n in range(4)]

    async with Reader(processes=4) as reader:
        documents = await asyncio.gather(*(reader.read(one, ODD, OddConfig()) for one in files))

    assert [document.text for document in documents] == ["meet 4"] * 4
