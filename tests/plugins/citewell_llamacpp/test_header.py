"""The head of a file, however large it says it is, costs little time and memory."""

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, sleep

import pytest

from citewell import ModelError
from citewell_llamacpp.header import read_header

TEXT, ARRAY, FLOAT, INT = 8, 9, 6, 5


def text(content: str) -> bytes:
    return struct.pack("<Q", len(content.encode())) + content.encode()


def array(name: str, kind: int, count: int) -> bytes:
    """Return the beginning of a key with an array; its items follow."""
    return text(name) + struct.pack("<IIQ", ARRAY, kind, count)


def written(path: Path, keys: Sequence[tuple[bytes, bytes | int]]) -> Path:
    """Write a file with these keys, of which a part may be a number of zero bytes: a hole."""
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys)))
        for key, items in keys:
            file.write(key)
            if isinstance(items, int):
                file.truncate(file.seek(items, os.SEEK_CUR))
            else:
                file.write(items)
    return path


def vocabulary(tokens: int) -> list[tuple[bytes, bytes | int]]:
    """Return what a large model says of its tokens."""
    name = "tokenizer.ggml"
    return [
        (
            array(f"{name}.tokens", TEXT, tokens),
            b"".join(text(f"token{at}") for at in range(tokens)),
        ),
        (array(f"{name}.scores", FLOAT, tokens), 4 * tokens),
        (array(f"{name}.token_type", INT, tokens), 4 * tokens),
        (
            array(f"{name}.merges", TEXT, 2 * tokens),
            b"".join(text(f"to ken{at}") for at in range(2 * tokens)),
        ),
    ]


def test_the_vocabulary_of_a_large_model_is_read_soon(tmp_path):
    path = written(tmp_path / "large.gguf", vocabulary(300_000))
    since = perf_counter()

    header = read_header(path)

    assert perf_counter() - since < 3
    assert header.counts["tokenizer.ggml.merges"] == 600_000


# Holes take no room on the disk.
HUGE = {
    "many empty texts": [(array(f"key{at}", TEXT, 2_900_000), 8 * 2_900_000) for at in range(20)],
    "many arrays": [(array(f"key{at}", TEXT, 100_000), 800_000) for at in range(400)],
    "many numbers": [(array(f"key{at}", FLOAT, 2_900_000), 4 * 2_900_000) for at in range(200)],
    "long texts": [
        (text(f"key{at}") + struct.pack("<IQ", TEXT, 4_000_000), 4_000_000) for at in range(2_000)
    ],
    "long texts in an array": [
        (array(f"key{at}", TEXT, 1) + struct.pack("<Q", 1 << 32), 1 << 32) for at in range(4)
    ],
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_head_is_refused_soon(tmp_path, name):
    path = written(tmp_path / "huge.gguf", HUGE[name])
    since = perf_counter()

    with pytest.raises(ModelError, match=r"huge\.gguf: has .* can.* be"):
        read_header(path)

    assert perf_counter() - since < 5


_READING = """
import sys
from pathlib import Path
from citewell import ModelError
from citewell_llamacpp.header import read_header
print(flush=True)
for _ in range(8):
    try:
        read_header(Path(sys.argv[1]))
    except ModelError as error:
        print(error)
"""


def test_a_file_that_is_cut_while_it_is_read_is_refused_and_kills_nothing(tmp_path):
    path = written(tmp_path / "cut.gguf", vocabulary(100_000))
    whole = path.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", _READING, path], stdout=subprocess.PIPE, text=True
    ) as reader:
        done = threading.Event()

        def cut_and_mend() -> None:
            while not done.is_set():
                os.truncate(path, 4_096)
                sleep(0.02)
                path.write_bytes(whole)
                sleep(0.1)

        reader.stdout.readline()
        cutter = threading.Thread(target=cut_and_mend)
        cutter.start()
        try:
            said, _ = reader.communicate(timeout=60)
        finally:
            done.set()
            cutter.join()

    assert reader.returncode == 0
    assert "cut.gguf: " in said
