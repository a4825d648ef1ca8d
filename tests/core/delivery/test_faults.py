"""A whole bot whose journal, library or adapter breaks down, and which goes on by itself."""

import asyncio
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from citewell.delivery import watching
from citewell.errors import AdapterError, JournalError, StoreError
from citewell.journal.hearing import Hearing
from citewell.testing.adapters.library import DAYS, NOTE
from citewell.testing.plaintalk import TalkingAdapter
from stages import hurry, journal_of, locked, staged

SAID = "28 days"


@pytest.fixture
async def stage(monkeypatch):
    hurry(monkeypatch)
    monkeypatch.setattr("citewell.journal.database._BUSY_MS", 1000)
    async with staged("plainchat") as opened:
        yield opened


async def whole(stage, said, text=SAID):
    """Assert that one message answers, and that it is whole."""
    seen = await stage.one_reply(said)
    assert text in seen.text


# --- the journal is locked --------------------------------------------------------------------


async def test_a_question_that_comes_while_the_journal_is_locked_is_answered_once(stage, caplog):
    person, channel = await stage.scene()
    with locked(stage):
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.until(lambda: "database is locked" in caplog.text, lambda: caplog.text)
        assert not stage.seen(said)

    await whole(stage, said)


async def test_an_answer_that_is_given_while_the_journal_is_locked_is_whole(stage, caplog):
    person, channel = await stage.scene(profile="slower")
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.growing(said)
    with locked(stage):
        await asyncio.sleep(3.5)
        assert "database is locked" in caplog.text

    await whole(stage, said)


# --- the server of the journal is started anew --------------------------------------------------


async def test_a_bot_goes_on_with_a_server_that_was_started_anew(monkeypatch, own_postgres):
    hurry(monkeypatch)
    async with staged("plainchat", journal=own_postgres.new_url()) as stage:
        person, channel = await stage.scene(profile="slower")
        before = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(before)
        await asyncio.to_thread(own_postgres.restart)
        meanwhile = await stage.chat.say(person, DAYS, channel=channel)

        await whole(stage, before)
        await whole(stage, meanwhile)
        assert stage.bot.engine.dialect.name == "postgresql"


# --- the disk is full -------------------------------------------------------------------------


@pytest.fixture
def disk_is_full(stage):
    """Let the journal have no more room; SQLite keeps such a limit by connection."""
    engines = []

    @contextmanager
    def full():
        limit = {"pages": 1}

        def checkout(connection, _record, _proxy):
            connection.execute(f"PRAGMA max_page_count = {limit['pages']}")

        sa.event.listen(sa.pool.Pool, "checkout", checkout)
        engines.append(checkout)
        yield
        limit["pages"] = 2**30

    yield full
    for one in engines:
        sa.event.remove(sa.pool.Pool, "checkout", one)


async def test_questions_of_while_the_disk_is_full_are_answered_when_there_is_room(
    stage, disk_is_full, caplog
):
    person, channel = await stage.scene()
    with disk_is_full():
        asked = []
        while "disk is full" not in caplog.text:
            asked.append(await stage.chat.say(person, DAYS + " x" * 2000, channel=channel))
            await asyncio.sleep(0.05)
            stage.bot.check()
            assert len(asked) < 200
        last = await stage.chat.say(person, NOTE, channel=channel)
        await asyncio.sleep(0.3)
        assert not stage.seen(last)

    await whole(stage, last, "fourth day")
    for said in asked:
        assert len(await stage.reply(said)) == 1


# --- the library cannot be read ---------------------------------------------------------------


async def test_who_asks_while_the_index_cannot_be_read_is_told_and_later_answers_work(stage):
    person, channel = await stage.scene()
    data_dir = Path(journal_of(stage)).parent
    (store,) = data_dir.glob("retriever/main/**/*.sqlite")
    aside = store.with_suffix(".aside")
    await stage.bot.stop()
    store.rename(aside)
    store.write_bytes(b"no database " * 1000)
    await stage.start()
    said = await stage.chat.say(person, DAYS, channel=channel)
    told = await stage.one_reply(said)
    aside.replace(store)
    later = await stage.chat.say(person, DAYS, channel=channel)

    assert "something went wrong" in told.text
    await whole(stage, later)


# --- the adapter breaks down ------------------------------------------------------------------


async def test_an_adapter_that_breaks_down_is_begun_again(stage, monkeypatch, caplog):
    person, channel = await stage.scene()
    first = await stage.chat.say(person, DAYS, channel=channel)
    await whole(stage, first)
    hears, left = TalkingAdapter._hear, iter(range(3))

    async def hear(self, *happening):
        if next(left, None) is not None:
            raise RuntimeError("nobody thought of this")
        await hears(self, *happening)

    monkeypatch.setattr(TalkingAdapter, "_hear", hear)
    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
    assert "plainchat: the adapter broke down" in caplog.text
    assert "nobody thought of this" in caplog.text


async def test_an_adapter_that_ends_by_itself_is_begun_again(stage, monkeypatch, caplog):
    serves, left = TalkingAdapter.serve, iter(range(2))

    async def serve(self, host):
        if next(left, None) is None:
            await serves(self, host)

    await stage.bot.stop()
    monkeypatch.setattr(TalkingAdapter, "serve", serve)
    await stage.start()
    person, channel = await stage.scene()
    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
    assert caplog.text.count("the adapter ended by itself") == 2


@pytest.mark.parametrize("grouped", [False, True])
async def test_what_only_people_can_mend_ends_the_bot(stage, monkeypatch, grouped):
    error = AdapterError("the token is wrong")

    async def hear(self, *happening):
        raise ExceptionGroup("several", [error]) if grouped else error

    monkeypatch.setattr(TalkingAdapter, "_hear", hear)
    await stage.chat.say(*(await stage.scene())[:1], DAYS)

    with pytest.raises(AdapterError, match="the token is wrong"):
        await stage.until(lambda: False, lambda: "the bot goes on")


def test_break_downs_are_followed_by_longer_and_longer_pauses():
    pause = watching._Pause()
    pauses = [pause.next_s() for _ in range(11)]

    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-1] == 300


# --- catching up ------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StoreError("not now"), RuntimeError("nobody thought of this")])
async def test_what_was_missed_is_read_until_that_works(stage, monkeypatch, caplog, error):
    person, channel = await stage.scene()
    await stage.settled()
    await stage.bot.stop()
    said = await stage.chat.say(person, DAYS, channel=channel)
    missed, left, serves = TalkingAdapter.missed, iter(range(3)), TalkingAdapter.serve

    async def failing(self, since):
        if next(left, None) is not None:
            raise error
        async for event in missed(self, since):
            yield event

    async def deaf(self, host):
        self._connected(True)
        await asyncio.Event().wait()

    monkeypatch.setattr(TalkingAdapter, "missed", failing)
    monkeypatch.setattr(TalkingAdapter, "serve", deaf)
    await stage.start()

    seen = await stage.until(lambda: stage.seen(said), lambda: "it was never read")
    assert serves is not TalkingAdapter.serve
    assert SAID in seen[0].text
    assert caplog.text.count("what was missed cannot be read") == 3


async def test_a_journal_that_cannot_be_read_at_the_start_is_tried_again(stage, monkeypatch):
    await stage.settled()
    await stage.bot.stop()
    heard, left = Hearing.until, iter(range(3))

    def failing(self, platform):
        if next(left, None) is not None:
            raise JournalError("not now")
        return heard(self, platform)

    monkeypatch.setattr(Hearing, "until", failing)
    await stage.start()
    person, channel = await stage.scene()
    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
