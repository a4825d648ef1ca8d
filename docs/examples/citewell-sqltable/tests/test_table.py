"""What the table does beyond its contract."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from citewell import Audience, Context, Passage, Query, Retriever, StoreError
from citewell_sqltable.plugin import SqlTableConfig, build

T = TypeVar("T")

TABLE = """
DROP TABLE IF EXISTS tickets;
CREATE TABLE tickets (id INTEGER PRIMARY KEY, title TEXT, text TEXT, url TEXT, team TEXT);
INSERT INTO tickets VALUES
    (1, 'Printer', 'The printer on floor 3 is restarted at its back.', 'https://help/1', 'it'),
    (2, 'Straße', 'Die STRASSE ist gesperrt, l''été aussi.', 'javascript:alert(1)', 'it'),
    (3, 'Salaries', 'Salaries are paid on the last day.', NULL, 'IT'),
    (4, 'Empty', NULL, NULL, 'it'),
    (5, 'Fax', 'It part, start, smart, and 100% of faxes.', NULL, 'it');
"""


def with_table(folder: Path, use: Callable[[Retriever], Awaitable[T]], **settings: object) -> T:
    """Return what `use` makes of the retriever of a small table."""
    with closing(sqlite3.connect(folder / "help.db")) as database:
        database.executescript(TABLE)
    written = {"url": "sqlite:///help.db", "table": "tickets", **settings}
    config = SqlTableConfig.model_validate(written)
    log = logging.getLogger("citewell.retriever.help")
    context = Context(name="help", log=log, data_dir=folder, base_dir=folder)

    async def run() -> T:
        async with build(config, context) as retriever:
            return await use(retriever)

    return asyncio.run(run())


def found(folder: Path, text: str, *labels: str, **columns: str) -> Sequence[Passage]:
    """Return what a reader with `labels` finds."""

    async def search(retriever: Retriever) -> Sequence[Passage]:
        audience = Audience.of("everyone", *labels)
        return await retriever.retrieve(Query(text=text), limit=5, readable_by=audience)

    return with_table(folder, search, columns=columns)


def test_a_passage_has_the_title_and_the_link_of_its_row(tmp_path: Path) -> None:
    (best, *_) = found(tmp_path, "How do I restart the printer?", link="url")

    assert best.title == "Printer"
    assert best.uri == "https://help/1"
    assert best.document_id == "help:1"


def test_what_is_no_web_address_is_no_link(tmp_path: Path) -> None:
    (best,) = found(tmp_path, "gesperrt", link="url")

    assert best.uri is None


@pytest.mark.parametrize("text", ["strasse", "Straße", "ÉTÉ", "l'e\u0301te\u0301"])
def test_letters_beyond_ascii_are_found_however_they_are_written(tmp_path: Path, text: str) -> None:
    assert [one.document_id for one in found(tmp_path, text)] == ["help:2"]


def test_a_part_of_a_word_is_not_the_word(tmp_path: Path) -> None:
    assert not found(tmp_path, "art")
    assert [one.document_id for one in found(tmp_path, "part")] == ["help:5"]


def test_labels_differ_by_case_whatever_the_database_says(tmp_path: Path) -> None:
    assert not found(tmp_path, "salaries", "it", label="team")
    assert [one.document_id for one in found(tmp_path, "salaries", "IT", label="team")] == [
        "help:3"
    ]


def test_a_row_without_text_is_known_and_has_no_passage(tmp_path: Path) -> None:
    async def sizes(retriever: Retriever) -> dict[str, int]:
        assert "help:4" in await retriever.versions()
        return dict(await retriever.sizes())

    assert with_table(tmp_path, sizes)["help:4"] == 0


def test_the_table_is_never_written(tmp_path: Path) -> None:
    async def write(retriever: Retriever) -> None:
        with pytest.raises(StoreError, match="only reads its table"):
            await retriever.index([])
        with pytest.raises(StoreError, match="only reads its table"):
            await retriever.delete(["help:1"])

    with_table(tmp_path, write)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": "tikets"}, 'no table or view "tikets"'),
        ({"columns": {"text": "body"}}, 'no column "body"; it has id, title, text'),
        ({"url": "hunter2-no-address"}, "no address of a database"),
        ({"url": "nosuch://me:hunter2@host/name"}, 'no driver for "nosuch"'),
        ({"url": "sqlite:///no/such/folder/hunter2.db"}, "unable to open"),
    ],
)
def test_what_cannot_be_opened_says_why_without_a_secret(
    tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    async def nothing(_retriever: Retriever) -> None:
        """Be content that it is open."""

    with pytest.raises(StoreError, match=said) as raised:
        with_table(tmp_path, nothing, **settings)

    assert "hunter2" not in str(raised.value)
