"""Memory that one thread frees is there for the others."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, threading
{first}
kept = []
threads = [threading.Thread(target=lambda: kept.append(bytearray(100_000))) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""
SHARED = "from citewell.cli.allocating import share_one_arena; share_one_arena()"


@pytest.mark.parametrize(("first", "is_one"), [("", False), (SHARED, True)])
def test_all_threads_share_one_arena(first, is_one):
    program = PROGRAM.format(first=first)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert (done.stderr.count("Arena ") == 1) is is_one
