"""A journal of before is taken over with what it holds."""

from concurrent.futures import ThreadPoolExecutor

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from citewell.journal import database as journal_database
from citewell.journal.audit import Audit, _hash
from citewell.journal.database import open_engine
from citewell.journal.feedback import Feedback
from citewell.journal.inbox import Inbox
from citewell.journal.outbox import Outbox
from citewell.journal.tables import metadata

VENUE = '{"platform":"slack","team":"T","channel":"C","thread":"1"}'
ASKED = (
    '{"type":"asked","key":"%s","venue":' + VENUE + ',"user":"U1","at":1.0,"text":"",'
    '"address":{"venue":' + VENUE + ',"only_for":null,"data":{}},'
    '"attachments":[],"about":"","again":""}'
)
ROWS = [
    ("1", "asked", ASKED % "1", "first", "done", None),
    ("2", "asked", ASKED % "2", "second", "leased", None),
    ("5", "asked", ASKED.replace("null", '"U1"') % "5", "alone", "done", None),
    ("3", "edited", "{}", "changed", "done", "1"),
    ("4", "edited", "{}", "early", "early", "9"),
]


@pytest.fixture
def old(database):
    """Return the address of a journal of revision 0003, with rows in it."""
    url = database.new_url()
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", journal_database._make_durable)
    config = Config()
    config.set_main_option("script_location", str(journal_database._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0003")
        for key, kind, event, text, state, of in ROWS:
            connection.execute(
                sa.text(
                    "INSERT INTO inbox (platform, team, channel, key, kind, conversation, asker,"
                    ' event, text, "of", at, changed_at, received_at, state, attempts, owner,'
                    " lease_until) VALUES ('slack', 'T', 'C', :key, :kind, 'slack/T/C/1', 'U1',"
                    " :event, :text, :of, 1, 1, 1, :state, 3, 'x', 5)"
                ),
                {"key": key, "kind": kind, "event": event, "text": text, "state": state, "of": of},
            )
        connection.execute(
            sa.text(
                "INSERT INTO replies (question, key, address, posted, state, revision, answer,"
                " opened_at) VALUES (1, 'k', :address, '[\"m1\"]', 'final', 0, 'a1', 1)"
            ),
            {"address": '{"venue":' + VENUE + ',"only_for":null,"data":{}}'},
        )
        connection.execute(sa.text("INSERT INTO votes VALUES ('a1', 'U1', true, 'why', 1)"))
        link = _hash("0" * 64, 1.0, "U1", "shared", "{}")
        connection.execute(
            sa.text(
                "INSERT INTO audit (at, actor, action, detail, previous, hash)"
                " VALUES (1.0, 'U1', 'shared', '{}', :previous, :hash)"
            ),
            {"previous": "0" * 64, "hash": link},
        )
    engine.dispose()
    return url


def test_a_journal_of_before_goes_on(old):
    engine = open_engine(old)
    inbox = Inbox(engine)

    task = inbox.claim("a", lease_s=30)
    assert (task.text, task.attempts, task.lease) == ("second", 4, 4)
    assert inbox.finish(task, "a")
    assert Outbox(engine).of_answer("a1").posted == ("m1",)
    assert Feedback(engine).of_answer("a1")[0].reason == "why"
    audit = Audit(engine)
    audit.add("asked", actor="slack/T/U1", detail={})
    assert audit.problem() is None
    with engine.connect() as connection:
        query = sa.text("SELECT conversation FROM inbox WHERE key = '5'")
        assert connection.scalar(query) == "slack/T/C/1\nU1"
        kept = connection.execute(sa.text("SELECT key, text, event FROM inbox ORDER BY seq")).all()
        assert [tuple(row) for row in kept[3:]] == [("3", None, ""), ("4", "early", "")]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_journal_goes_back_with_what_it_holds(old):
    open_engine(old).dispose()
    engine = sa.create_engine(old)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", journal_database._make_durable)
    config = Config()
    config.set_main_option("script_location", str(journal_database._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        alembic.command.downgrade(config, "0003")
        assert connection.scalar(sa.text("SELECT count(*) FROM inbox")) == len(ROWS)
        names = connection.scalars(sa.text("SELECT DISTINCT conversation FROM inbox")).all()
        assert names == ["slack/T/C/1"]
        assert connection.scalar(sa.text("SELECT answer FROM replies")) == "a1"
    engine.dispose()

    again = open_engine(old)
    assert Outbox(again).of_answer("a1").posted == ("m1",)
    again.dispose()


def test_processes_that_start_at_once_make_one_journal(database):
    url = database.new_url()
    with ThreadPoolExecutor(6) as threads:
        engines = list(threads.map(open_engine, [url] * 6))

    counts = [_count(engine) for engine in engines]
    assert counts == [0] * 6


def _count(engine):
    try:
        with engine.connect() as connection:
            return connection.scalar(sa.text("SELECT count(*) FROM inbox"))
    finally:
        engine.dispose()
