"""A folder that cannot be written can still be read; one that cannot be made is named."""

import os
import tempfile
from pathlib import Path

import pytest

from citewell import StoreError
from hybrid import answer, ids_of_vectors, indexed, opened_hybrid
from lexical import ALL, document, found, opened


@pytest.fixture
def sealed(tmp_path, monkeypatch):
    """Return a function that forbids, for root as well, to write to a folder and what is in it."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def seal(folder):
        def access(path, mode):
            return not Path(path).is_relative_to(folder)

        monkeypatch.setattr(os, "access", access)

    return seal, temporary


async def test_an_index_that_cannot_be_written_is_read(tmp_path, sealed):
    seal, temporary = sealed
    folder = tmp_path / "index"
    async with opened(folder) as writer:
        await writer.index([document("a", 1)])
    seal(folder)

    async with opened(folder) as reader:
        before = await found(reader, "beacon")
        fetched = await reader.fetch([before[0].id], readable_by=ALL)
        links = [path.is_symlink() for path in temporary.rglob("meta.json")]
        made = sorted(path.name for path in folder.iterdir() if path.suffix.startswith(".sqlite-"))

    assert {passage.document_id for passage in before} == {"library:a"}
    assert [passage.text for passage in fetched] == [before[0].text]
    assert links == [True]
    assert made == []
    assert list(temporary.iterdir()) == []


async def test_vectors_that_cannot_be_written_are_read(tmp_path, sealed):
    seal, _ = sealed
    folder = tmp_path / "index"
    async with opened_hybrid(folder) as writer:
        await indexed(writer, [document("a", 1, parts=60)])
    made = sorted(path.name for path in folder.iterdir())
    seal(folder)

    # There are enough for an index of vectors, which cannot be made here.
    async with opened_hybrid(folder, exact_up_to=10) as reader:
        near = await ids_of_vectors(reader, "beacon", limit=99)
        ids, notices = await answer(reader, "beacon", limit=99)

    assert len(near) == len(ids) == 60
    assert notices == []
    assert sorted(path.name for path in folder.iterdir()) == made


async def test_what_another_process_writes_is_seen(tmp_path, sealed):
    seal, _ = sealed
    folder = tmp_path / "index"
    async with opened(folder) as writer:
        await writer.index([document("a", 1)])
    seal(folder)

    async with opened(folder) as reader:
        before = await found(reader, "beacon")
        async with opened(folder) as writer:
            await writer.index([document("b", 1)])
            await writer.delete(["library:a"])
            meanwhile = await found(reader, "beacon")
        after = await found(reader, "beacon")

    assert {passage.document_id for passage in before} == {"library:a"}
    assert {passage.document_id for passage in meanwhile} == {"library:b"}
    assert {passage.document_id for passage in after} == {"library:b"}


async def test_a_file_in_place_of_the_folder_is_an_error_in_words(tmp_path):
    place = tmp_path / "place"
    place.write_text("a file, where a folder is needed")

    async with opened(place / "index") as retriever:
        with pytest.raises(StoreError, match=r"place.*cannot be used: Not a directory; make its"):
            await retriever.index([document("a", 1)])
        with pytest.raises(StoreError, match=r"place.*cannot be used: Not a directory; make its"):
            await found(retriever, "beacon")
