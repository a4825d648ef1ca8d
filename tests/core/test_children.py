"""Work in a process of its own: what it tells arrives, and however it ends is told."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import aclosing

import psutil
import pytest

from citewell import children

MODULE = "busy_child"


async def told(task, log, **variables):
    async with aclosing(children.run(MODULE, task, log=log, variables=variables)) as messages:
        return [one.decode() async for one in messages]


async def first(task, log, count):
    """Return the first messages of work that never ends, which is then given up."""
    messages = children.run(MODULE, task, log=log)
    async with aclosing(messages):
        return [(await anext(messages)).decode() for _ in range(count)]


def is_gone(process_id):
    return not psutil.pid_exists(process_id) or psutil.Process(process_id).status() == "zombie"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


async def test_messages_arrive_in_order_and_prints_go_to_the_log(log):
    _, said = await told("echo Grüße, \u202ewelt".encode(), log)

    assert said == "Grüße, \u202ewelt"
    assert log.read_text().splitlines() == ["printed", "complained"]


@pytest.mark.parametrize(
    ("task", "said"),
    [(b"fail no such file", "no such file"), (b"break at\x1b[2J it", r"ValueError: at \[2J it"),
     (b"exit 3", "SystemExit: 3")],
)  # fmt: skip
async def test_work_that_fails_says_why(log, task, said):
    with pytest.raises(children.ChildFailed, match=f"^{said}$"):
        await told(task, log)


@pytest.mark.parametrize(
    ("task", "said"),
    [(b"vanish 7", "exit status 7"), (b"kill 11", "SIGSEGV"), (b"kill 9", "run out of memory")],
)
async def test_a_process_that_ends_is_told_with_how(log, task, said):
    with pytest.raises(children.ChildLost, match=said):
        await told(task, log)


async def test_secrets_are_not_inherited(log, monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")

    assert (await told(b"variable SLACK_BOT_TOKEN", log))[1] == "none"
    assert (await told(b"variable THREADS", log, THREADS="1"))[1] == "1"


async def test_libraries_are_told_to_stay_offline(log):
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK"):
        assert (await told(f"variable {name}".encode(), log))[1] == "1"


async def test_work_that_is_given_up_ends_with_all_that_it_started(log):
    child, grandchild = map(int, await first(b"fork", log, 2))

    await asyncio.sleep(0.2)

    assert is_gone(child)
    assert is_gone(grandchild)


async def test_cancelling_ends_the_process(log):
    found = asyncio.Queue()

    async def wait():
        async with aclosing(children.run(MODULE, b"sleep", log=log)) as messages:
            async for one in messages:
                await found.put(int(one))

    waiting = asyncio.create_task(wait())
    child = await found.get()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert is_gone(child)


def test_the_process_ends_with_its_parent(log):
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from citewell import children\n"
        "async def main():\n"
        f"    async for one in children.run({MODULE!r}, b'sleep', log=Path(sys.argv[1])):\n"
        "        print(one.decode(), flush=True)\n"
        "asyncio.run(main())\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(log)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    for _ in range(100):
        if is_gone(child):
            break
        time.sleep(0.05)
    assert is_gone(child)
