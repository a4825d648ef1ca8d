"""Several processes at one index."""

import subprocess
import sys

import lexical_reader
from lexical import document, opened, whole


async def test_reading_processes_see_whole_documents_while_one_writes(tmp_path):
    async with opened(tmp_path) as retriever:
        await retriever.index([document("a", 0), document("b", 0)])
        readers = [
            subprocess.Popen(  # noqa: ASYNC220 - starting is quick
                [sys.executable, lexical_reader.__file__, tmp_path], stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        for reader in readers:
            assert reader.stdout.readline() == b"ready\n"

        for version in range(1, 60):
            await retriever.index([document("a", version), document(f"c{version % 3}", version)])
            if version % 10 == 0:
                await retriever.delete([f"library:c{version % 3}"])
        (tmp_path / "stop").touch()

        outputs = [reader.communicate(timeout=30)[0].split() for reader in readers]

    assert [reader.returncode for reader in readers] == [0, 0]
    for rounds, versions_seen in outputs:
        assert int(rounds) > 20
        assert int(versions_seen) > 10


async def test_a_reader_follows_a_writer_without_reopening(tmp_path):
    async with opened(tmp_path) as reading, opened(tmp_path) as writing:
        assert await whole(reading) == {}
        for version in range(5):
            await writing.index([document("a", version)])
            assert await whole(reading) == {"a": str(version)}
