"""What fails is tried again, and said where it stays so; nothing stops the desk."""

import asyncio
import time

import pytest
from msgspec.structs import replace

from citewell.delivery.desk import Desk
from citewell.errors import DeliveryError, JournalError
from citewell.journal.inbox import Inbox
from citewell.testing.plainchat import PlainAdapter
from citewell.types.chat import Deleted, Venue
from databases import opened
from desks import QUICK, SLOW, VENUE, asked, working

OTHER = Venue(platform="plain", channel="general", thread="2")


def refusing(what, *, passes, times=1000):
    """Return what refuses a text that contains `what`, so many times."""
    left = iter(range(times))

    def refuse(text):
        if what in text and next(left, None) is not None:
            raise DeliveryError("the service refuses it", passes=passes)

    return refuse


def next_claim(folder):
    with opened(f"sqlite:///{folder / 'journal.sqlite'}") as engine:
        return Inbox(engine).claim("next", lease_s=5)


# --- of the service -------------------------------------------------------------------------


async def test_what_the_service_refuses_for_a_while_is_said_later(tmp_path):
    refuses = refusing("28 days", passes=True, times=2)
    async with working(tmp_path, refuses=refuses) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert "28 days" in message.text
    assert message.is_complete


async def test_nobody_waits_for_what_is_refused_for_a_while(tmp_path):
    refuses = refusing("28 days", passes=True, times=1)
    manner = replace(QUICK, workers=1, backoff_s=1.5)
    async with working(tmp_path, manner=manner, refuses=refuses) as at_work:
        await at_work.desk.accept(asked())
        await at_work.desk.accept(asked("2", "When is a doctor's note due?", venue=OTHER))
        await asyncio.sleep(0.8)
        (first,) = at_work.chat.messages()
        await at_work.idle()

    assert first.thread == "2"
    assert len(at_work.chat.messages()) == 2


async def test_what_the_service_never_takes_is_told_with_a_reference(tmp_path):
    async with working(tmp_path, refuses=refusing("28 days", passes=False)) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    record = at_work.journal.recent(1)[0]
    assert message.text.startswith("Something went wrong")
    assert f"(reference {record.id})" in message.text
    assert message.is_complete
    assert at_work.desk.given_up == 0


async def test_what_is_refused_at_the_last_try_is_told(tmp_path):
    manner = replace(QUICK, attempts=3)
    refuses = refusing("28 days", passes=True)
    async with working(tmp_path, manner=manner, refuses=refuses) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert message.text.startswith("Something went wrong")


@pytest.mark.parametrize("passes", [True, False])
async def test_where_nothing_can_be_said_the_question_is_given_up_and_counted(
    tmp_path, caplog, passes
):
    manner = replace(QUICK, attempts=2, reach_s=0.5)
    refuses = refusing("", passes=passes)
    async with working(tmp_path, manner=manner, refuses=refuses) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    assert at_work.chat.messages() == []
    assert at_work.desk.given_up == 1
    assert caplog.text.count("is given up") == 1


async def test_an_answer_that_cannot_be_taken_back_is_not_replaced(tmp_path, caplog):
    class Unforgiving(PlainAdapter):
        async def find_reply(self, address, key, posted):
            raise DeliveryError("not yours", passes=False)

    async with working(tmp_path, speaks=Unforgiving) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()
        await at_work.desk.accept(Deleted(key="2", venue=VENUE, user="U1", at=2.0, of="1"))
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert "28 days" in message.text
    assert at_work.desk.given_up == 1
    assert "cannot be taken back" in caplog.text


async def test_a_service_that_never_replies_is_left(tmp_path, monkeypatch):
    class Silent(PlainAdapter):
        async def open_reply(self, address, key):
            await asyncio.Event().wait()

        async def find_reply(self, address, key, posted):
            await asyncio.Event().wait()

    monkeypatch.setattr("citewell.delivery.shown._SHOW_S", 0.1)
    manner = replace(QUICK, attempts=2, reach_s=0.5)
    async with working(tmp_path, manner=manner, speaks=Silent) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    assert at_work.desk.given_up == 1


async def test_an_answer_needs_no_status(tmp_path):
    class Shy(PlainAdapter):
        async def open_reply(self, address, key):
            reply = await super().open_reply(address, key)
            reply.status = self.refuse_status
            return reply

        async def refuse_status(self, text):
            raise DeliveryError("no status here", passes=False)

    async with working(tmp_path, speaks=Shy) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert "28 days" in message.text


# --- of our own -----------------------------------------------------------------------------


async def test_a_question_that_fails_again_and_again_is_told_so(tmp_path, caplog):
    class Puzzled(PlainAdapter):
        async def readers(self, address, groups):
            raise RuntimeError("nobody knows who reads this")

    manner = replace(QUICK, attempts=2)
    async with working(tmp_path, manner=manner, speaks=Puzzled) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    (kept,) = at_work.journal.recent(1)
    told = f"Something went wrong, and this question cannot be answered (reference {kept.id})"
    assert message.text == told
    assert message.is_complete
    assert kept.outcome == "failed"
    assert kept.errors == ("RuntimeError: nobody knows who reads this",)
    assert "nobody knows" in caplog.text


async def test_a_question_that_killed_each_process_is_told_so_without_another_try(tmp_path):
    manner = replace(QUICK, attempts=2)
    async with working(tmp_path) as at_work:
        pass
    with opened(f"sqlite:///{tmp_path / 'journal.sqlite'}") as engine:
        inbox = Inbox(engine)
        inbox.accept(asked())
        for _ in range(2):
            inbox.claim("killed", lease_s=-1)
    async with working(tmp_path, manner=manner) as at_work:
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert message.text.startswith("Something went wrong")
    assert [one.outcome for one in at_work.journal.recent(2)] == ["failed"]


async def test_a_question_that_kills_whoever_says_that_it_failed_is_given_up(tmp_path):
    async with working(tmp_path):
        pass
    with opened(f"sqlite:///{tmp_path / 'journal.sqlite'}") as engine:
        inbox = Inbox(engine)
        inbox.accept(asked())
        for _ in range(4):
            inbox.claim("killed", lease_s=-1)
    async with working(tmp_path, manner=replace(QUICK, attempts=2)) as at_work:
        await at_work.idle()

    assert at_work.chat.messages() == []
    assert at_work.desk.given_up == 1


async def test_an_answer_that_takes_too_long_is_stopped_and_says_so(tmp_path):
    settings = SLOW.replace(" Unused days expire [1].", " Unused days" + " expire" * 200)
    async with working(tmp_path, settings=settings, manner=replace(QUICK, answer_s=2)) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()

    (message,) = at_work.chat.messages()
    record = at_work.journal.recent(1)[0]
    told = f"This took longer than 2 seconds and was stopped (reference {record.id})"
    assert told in message.text
    assert "28 days" in message.text
    assert message.is_complete
    assert record.outcome == "failed"


async def test_questions_of_a_service_that_is_not_there_stop_nobody(tmp_path):
    elsewhere = Venue(platform="elsewhere", channel="general")
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked(venue=elsewhere))
        await at_work.desk.accept(asked("2"))
        async with asyncio.timeout(10):
            while at_work.inbox.waiting() > 1:  # noqa: ASYNC110 - an inbox rings no bell
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        is_running = not at_work.running.done()

    (message,) = at_work.chat.messages()
    assert is_running
    assert "28 days" in message.text


# --- of the journal -------------------------------------------------------------------------


async def test_a_question_stays_held_while_its_reply_is_looked_for(tmp_path):
    class Sluggish(PlainAdapter):
        async def open_reply(self, address, key):
            await asyncio.sleep(2)
            return await super().open_reply(address, key)

    manner = replace(QUICK, lease_s=0.8)
    async with working(tmp_path, manner=manner, speaks=Sluggish) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(1.4)
        taken = at_work.inbox.claim("other", lease_s=5)
        await at_work.idle()

    assert taken is None
    assert len(at_work.chat.messages()) == 1


async def test_a_question_stays_held_while_it_is_said_that_it_failed(tmp_path):
    class Sluggish(PlainAdapter):
        async def readers(self, address, groups):
            raise DeliveryError("nobody knows", passes=False)

        async def open_reply(self, address, key):
            reply = await super().open_reply(address, key)
            show = reply.show

            async def later(messages, *, complete):
                await asyncio.sleep(2)
                await show(messages, complete=complete)

            reply.show = later
            return reply

    manner = replace(QUICK, lease_s=0.8)
    async with working(tmp_path, manner=manner, speaks=Sluggish) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(1.4)
        taken = at_work.inbox.claim("other", lease_s=5)
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert taken is None
    assert message.text.startswith("Something went wrong")


async def test_who_has_lost_a_question_says_no_more(tmp_path):
    settings, manner = SLOW.replace("0.05", "0.3"), replace(QUICK, lease_s=60)
    async with working(tmp_path, settings=settings, manner=manner) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.5)
        late = Inbox(at_work.inbox._engine, clock=lambda: time.time() + 100)
        taken = late.claim("other", lease_s=60)
        await asyncio.sleep(2)
        said = at_work.chat.messages()
        still_there = at_work.inbox.waiting()

    assert taken.attempts == 2
    assert not any(message.is_complete for message in said)
    assert still_there == 1


async def test_a_process_that_was_stopped_for_a_while_says_nothing_in_place_of_another(tmp_path):
    taken = []

    class Paused(PlainAdapter):
        def fits(self, blocks, address):
            if not taken:
                # Nothing of this process runs, as in a machine that sleeps.
                time.sleep(1)
                taken.append(at_work.inbox.claim("other", lease_s=60))
            return super().fits(blocks, address)

    manner = replace(QUICK, lease_s=0.5)
    async with working(tmp_path, manner=manner, speaks=Paused) as at_work:
        await at_work.desk.accept(asked())
        async with asyncio.timeout(10):
            while not taken:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)

    assert taken[0].attempts == 2
    assert at_work.chat.messages() == []


class Unreliable(Inbox):
    """An inbox whose database fails when it is told to, or is slow."""

    fails: frozenset[str] = frozenset()
    slow_s = 0.0

    def claim(self, *some, **named):
        task = super().claim(*some, **named)
        time.sleep(self.slow_s)
        return task

    def release(self, *some, **named):
        self._check("release")
        super().release(*some, **named)

    def renew(self, *some, **named):
        self._check("renew")
        return super().renew(*some, **named)

    def finish(self, *some, **named):
        self._check("finish")
        return super().finish(*some, **named)

    def _check(self, what):
        if what in self.fails:
            raise JournalError("the disk is full")


def make_unreliable(at_work, **failures):
    at_work.inbox.__class__ = Unreliable
    for name, value in failures.items():
        setattr(at_work.inbox, name, value)


async def test_a_process_that_ends_gives_back_what_it_has_not_finished(tmp_path):
    settings = SLOW.replace("0.05", "1.0")
    async with working(tmp_path, settings=settings) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.5)

    assert next_claim(tmp_path).attempts == 1


async def test_a_process_that_ends_while_it_takes_a_question_gives_it_back(tmp_path):
    async with working(tmp_path) as at_work:
        make_unreliable(at_work, slow_s=0.5)
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.2)

    assert next_claim(tmp_path).attempts == 1


async def test_a_process_ends_also_where_nothing_can_be_given_back(tmp_path, caplog):
    settings = SLOW.replace("0.05", "1.0")
    async with working(tmp_path, settings=settings) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.5)
        make_unreliable(at_work, fails=frozenset({"release"}))
        at_work.running.cancel()
        await asyncio.gather(at_work.running, return_exceptions=True)

    assert at_work.running.cancelled()
    assert "its lease runs out" in caplog.text


async def test_an_answer_goes_on_where_its_lease_cannot_be_renewed_for_a_moment(tmp_path):
    async with working(tmp_path, settings=SLOW) as at_work:
        make_unreliable(at_work, fails=frozenset({"renew"}))
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.3)
        at_work.inbox.fails = frozenset()
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert message.is_complete


async def test_an_outcome_that_cannot_be_kept_for_a_moment_is_not_shown_again(tmp_path):
    manner = replace(QUICK, lease_s=0.3)
    async with working(tmp_path, manner=manner) as at_work:
        make_unreliable(at_work, fails=frozenset({"finish"}))
        await at_work.desk.accept(asked())
        async with asyncio.timeout(20):
            while not [one for one in at_work.chat.messages() if one.is_complete]:  # noqa: ASYNC110 - the desk does it
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.8)
        (before,) = at_work.chat.messages()
        at_work.inbox.fails = frozenset()
        await at_work.idle()
        (after,) = at_work.chat.messages()

    assert before.is_complete
    assert after == before


# --- the end --------------------------------------------------------------------------------


async def test_a_desk_that_closes_ends_what_it_is_at_and_takes_nothing_more(tmp_path):
    settings, manner = SLOW.replace("0.05", "0.2"), replace(QUICK, workers=1)
    async with working(tmp_path, settings=settings, manner=manner) as at_work:
        await at_work.desk.accept(asked())
        await at_work.desk.accept(asked("2", venue=OTHER))
        await asyncio.sleep(0.3)
        await at_work.desk.close(drain_s=20)
        async with asyncio.timeout(5):
            await at_work.running

    (message,) = at_work.chat.messages()
    assert message.is_complete
    assert next_claim(tmp_path).asked.key == "2"


async def test_a_desk_that_closes_gives_back_what_takes_too_long(tmp_path):
    settings = SLOW.replace("0.05", "5.0")
    async with working(tmp_path, settings=settings) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.3)
        await at_work.desk.close(drain_s=0.1)
        async with asyncio.timeout(5):
            await at_work.running

    assert next_claim(tmp_path).attempts == 1


async def test_a_desk_that_was_closed_before_it_ran_ends_at_once(tmp_path):
    async with working(tmp_path) as at_work:
        desk = Desk(inbox=at_work.inbox, answering=None, adapters={"plain": at_work.adapter})
        await desk.close(drain_s=1)
        async with asyncio.timeout(5):
            await desk.run()

    assert desk.given_up == 0
