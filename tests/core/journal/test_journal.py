"""The journal keeps what `why` needs, through crashes and upgrades."""

import json
import sqlite3
from pathlib import Path
from uuid import uuid4

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import citewell.journal.database as database
from citewell import JournalError, Place
from citewell.journal.journal import Journal, journal_url
from citewell.journal.records import (
    AnswerRecord,
    CitationRecord,
    ClaimRecord,
    PassageRecord,
    storable,
)
from citewell.journal.spool import Spool
from citewell.journal.tables import HEAD, metadata

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = st.builds(lambda: uuid4().hex)
places = st.builds(Place, page=st.none() | st.integers(1, 9), headings=st.tuples(text))
citations = st.builds(
    CitationRecord,
    number=st.integers(1, 99),
    passage_id=names,
    document_id=text,
    content_hash=names,
    title=text,
    start=st.integers(0, 9),
    end=st.integers(10, 99),
)
claims = st.builds(
    ClaimRecord,
    kind=st.sampled_from(["sentence", "code"]),
    lead=text,
    text=text,
    raw=text,
    shown=st.booleans(),
    supported=st.booleans(),
    reason=text,
    check=text,
    score=st.none() | st.floats(0, 1),
    citations=st.tuples(citations),
)
passages = st.builds(
    PassageRecord,
    id=names,
    document_id=text,
    title=text,
    content_hash=names,
    score=st.floats(0, 50),
    place=places,
)
records = st.builds(
    AnswerRecord,
    id=names,
    question_id=names,
    question=text,
    asker=st.none() | text,
    asked_at=st.datetimes().map(lambda moment: moment.isoformat()),
    profile=text,
    readers=st.tuples(st.tuples(text, text)),
    outcome=st.sampled_from(["answered", "refused"]),
    notice=text,
    model=text,
    model_identity=text,
    retriever=text,
    index_identity=text,
    prompt_hash=names,
    claims=st.tuples(claims, claims),
    passages=st.tuples(passages),
    seconds=st.just({"total": 0.25}),
    cost=st.none() | st.floats(0, 1),
    errors=st.tuples(text),
)


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, Spool]:
    return journal_url(None, tmp_path), Spool(tmp_path / "spool")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records)
def test_a_record_comes_back_as_it_was(place, record):
    url, spool = place

    with Journal.open(url, spool) as journal:
        journal.add(record)
        journal.add(record)
        found = journal.find(record.id)

    assert found == record


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records)
def test_a_spooled_record_is_taken_in_when_the_journal_opens(place, record):
    url, spool = place
    spool.add(record)

    with Journal.open(url, spool) as journal:
        found = journal.find(record.id)

    assert found == record
    assert list(spool.waiting()) == []


@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records)
def test_a_record_taken_in_but_not_yet_unlinked_is_kept_once(place, record):
    url, spool = place
    with Journal.open(url, spool) as journal:
        journal.add(record)
    spool.add(record)

    with Journal.open(url, spool) as journal:
        assert [kept.id for kept in journal.recent(10)].count(record.id) == 1


@pytest.mark.parametrize(
    "content", [json.dumps({"id": "x"}).encode(), b"\xff", b"", b"[" * 100_000, b"{}\x00"]
)
def test_a_torn_or_foreign_spool_file_is_set_aside(place, content, caplog):
    url, spool = place
    spool.folder.mkdir()
    (spool.folder / "half.partial").write_text('{"id": "x"')
    (spool.folder / "alien.json").write_bytes(content)

    with Journal.open(url, spool) as journal:
        assert journal.recent(10) == []

    (kept,) = spool.set_aside()
    assert kept.name == "alien.unreadable"
    assert kept.read_bytes() == content
    assert "alien.json holds no record of an answer" in caplog.text


def test_a_spool_file_that_cannot_be_read_costs_only_itself(place, caplog):
    url, spool = place
    (spool.folder / "folder.json").mkdir(parents=True)

    with Journal.open(url, spool) as journal:
        assert journal.recent(10) == []

    assert "folder.json holds no record" in caplog.text


halves = st.text(st.characters(categories=["Cs", "Ll"]), min_size=1, max_size=9)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records, half=halves)
def test_half_a_character_costs_only_itself(place, record, half):
    url, spool = place
    spool.add(replace(record, question=half, notice=half, errors=(half,)))

    with Journal.open(url, spool) as journal:
        found = journal.find(record.id)

    stored = storable(half)
    assert found == replace(record, question=stored, notice=stored, errors=(stored,))
    assert stored.encode()
    assert spool.set_aside() == []


@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=records)
def test_a_journal_without_its_tables_is_an_error_without_the_question(place, record):
    url, spool = place
    with Journal.open(url, spool) as journal, journal._engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE answers"))
        connection.execute(sa.text("DROP TABLE questions"))

    with Journal.open(url, spool) as journal:
        with pytest.raises(JournalError) as adding:
            journal.add(replace(record, question="a secret question"))
        with pytest.raises(JournalError, match="cannot be read: no such table"):
            journal.find(record.id)

    assert str(adding.value).startswith(
        f"answer {record.id} could not be recorded in the journal: no such table: questions; "
    )


def test_sqlite_is_opened_durably(place):
    url, spool = place

    with Journal.open(url, spool) as journal, journal._engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2


def test_the_migrations_end_where_the_tables_are(tmp_path):
    engine = database.open_engine(journal_url(None, tmp_path))
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))

    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)

    assert difference == []
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD
    engine.dispose()


def test_the_migrations_can_be_undone(tmp_path):
    engine = database.open_engine(journal_url(None, tmp_path))
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))

    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "base")
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_a_journal_of_a_newer_citewell_is_refused(tmp_path):
    url = journal_url(None, tmp_path)
    database.open_engine(url).dispose()
    connection = sqlite3.connect(tmp_path / "journal.sqlite")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    with pytest.raises(JournalError, match=r"9999.*update citewell"):
        database.open_engine(url)


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite", "sqlite:////dev/null/x"])
def test_a_journal_that_cannot_be_opened_is_an_error_without_traceback(url):
    with pytest.raises(JournalError, match="cannot be opened"):
        database.open_engine(url)


def test_a_file_that_is_no_journal_is_refused_and_kept(tmp_path):
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"not a database, but somebody's file " * 50)

    with pytest.raises(JournalError, match="not a database"):
        database.open_engine(journal_url(None, tmp_path))

    assert path.read_bytes().startswith(b"not a database")


def test_a_password_in_the_url_is_not_shown():
    with pytest.raises(JournalError) as caught:
        database.open_engine("postgresql+nodriver://bot:hunter2@127.0.0.1/journal")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["secret", "", "postgresql://user:secret@host:port/name"])
def test_an_address_that_is_none_is_named_without_what_it_holds(url):
    with pytest.raises(JournalError, match=r"journal\.url: expected the address") as refused:
        database.open_engine(url)

    assert "secret" not in str(refused.value)
