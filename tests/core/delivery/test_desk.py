"""Each question that was accepted gets exactly one visible outcome."""

import asyncio

from msgspec.structs import replace

from citewell.delivery import wording
from citewell.types.chat import Deleted, Edited, Stopped, Venue, Voted
from desks import QUICK, SLOW, VENUE, asked, working


async def test_a_question_is_answered_once_however_often_it_comes(tmp_path):
    async with working(tmp_path) as at_work:
        came = [await at_work.desk.accept(asked()) for _ in range(5)]
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert came == [True, False, False, False, False]
    assert message.is_complete
    assert "28 days" in message.text
    assert "[1] Leave" in message.text
    assert at_work.journal.recent(1)[0].asker == "plain//U1"


async def test_a_follow_up_leans_on_what_was_said_in_its_conversation_alone(tmp_path):
    other = Venue(platform="plain", channel="general", thread="2")
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked("1", "How many days of paid leave does an employee have?"))
        await at_work.idle()
        (first,) = at_work.chat.messages()
        await at_work.desk.accept(asked("2", "And how much of it?"))
        await at_work.desk.accept(asked("3", "And how much of it?", venue=other))
        await at_work.idle()

    said = {one.thread: one.text for one in at_work.chat.messages() if one.id != first.id}
    assert "28 days" in said["1"]
    assert "28 days" not in said["2"]


async def test_what_was_said_to_other_readers_is_not_remembered(tmp_path):
    members = {}
    async with working(tmp_path, members=members) as at_work:
        await at_work.desk.accept(asked("1", "How many days of paid leave does an employee have?"))
        await at_work.idle()
        members["general"] = frozenset({frozenset({"people"})})
        await at_work.desk.accept(asked("2", "And how much of it?"))
        await at_work.idle()

    assert "28 days" not in at_work.chat.messages()[-1].text


async def test_a_changed_question_changes_its_answer(tmp_path):
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()
        (before,) = at_work.chat.messages()
        text = "When is a doctor's note due?"
        await at_work.desk.accept(
            Edited(key="2", venue=VENUE, user="U1", at=2.0, of="1", text=text)
        )
        await at_work.idle()
        (after,) = at_work.chat.messages()

    assert after.id == before.id
    assert "28 days" in before.text
    assert "fourth day" in after.text


async def test_a_question_that_is_changed_to_nothing_has_no_answer_any_more(tmp_path):
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()
        (before,) = at_work.chat.messages()
        await at_work.desk.accept(Edited(key="2", venue=VENUE, user="U1", at=2.0, of="1", text=" "))
        await at_work.idle()
        (after,) = at_work.chat.messages()

    assert after.id == before.id
    assert after.text == wording.EMPTY
    assert len(at_work.journal.recent(2)) == 1


async def test_an_answer_goes_with_its_question(tmp_path):
    async with working(tmp_path) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()
        await at_work.desk.accept(Deleted(key="2", venue=VENUE, user="U1", at=2.0, of="1"))
        await at_work.idle()

    assert at_work.chat.messages() == []
    assert len(at_work.chat.messages(deleted=True)) == 1


async def test_a_question_that_is_changed_while_it_is_answered_has_one_answer(tmp_path):
    async with working(tmp_path, settings=SLOW) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.3)
        for at in range(3):
            changed = Edited(
                key=f"e{at}", venue=VENUE, user="U1", at=2.0 + at, of="1", text=f"{at}?"
            )
            await at_work.desk.accept(changed)
            await asyncio.sleep(0.1)
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert message.is_complete


async def test_who_stops_an_answer_sees_that_it_stopped(tmp_path):
    settings, manner = SLOW.replace("0.05", "0.3"), replace(QUICK, lease_s=60)
    async with working(tmp_path, settings=settings, manner=manner) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.6)
        await at_work.desk.accept(Stopped(key="s", venue=VENUE, user="U1", at=2.0))
        await at_work.idle()

    (message,) = at_work.chat.messages()
    assert "Stopped, as you asked." in message.text
    assert message.is_complete


async def test_a_long_answer_comes_whole_in_several_messages(tmp_path):
    async with working(tmp_path, max_chars=120) as at_work:
        await at_work.desk.accept(
            asked(text="Tell me about leave, unused days, and a doctor's note.")
        )
        await at_work.idle()

    messages = at_work.chat.messages()
    assert len(messages) > 1
    assert len({message.key for message in messages}) == 1
    assert all(message.is_complete and len(message.text) <= 120 for message in messages)
    assert "[1] Leave" in "".join(message.text for message in messages)
    assert messages[-1].text.endswith("(Not helpful)")


async def test_only_what_every_reader_may_read_is_said_in_a_channel(tmp_path):
    people = frozenset({frozenset({"people"})})
    mixed = people | {frozenset()}
    venues = [Venue(platform="plain", channel=name) for name in ("people", "mixed")]
    members = {"people": people, "mixed": mixed}
    async with working(tmp_path, members=members) as at_work:
        for venue in venues:
            await at_work.desk.accept(
                asked(text="What is the salary of the leave officer?", venue=venue)
            )
        await at_work.idle()

    said = {message.channel: message.text for message in at_work.chat.messages()}
    assert "71,344" in said["people"]
    assert "71,344" not in said["mixed"]


async def test_a_change_after_the_answer_is_worked_off_at_once(tmp_path):
    manner = replace(QUICK, poll_s=60, lease_s=60)
    async with working(tmp_path, manner=manner) as at_work:
        await at_work.desk.accept(asked())
        await at_work.idle()
        await at_work.desk.accept(Deleted(key="2", venue=VENUE, user="U1", at=2.0, of="1"))
        async with asyncio.timeout(10):
            await at_work.idle()

    assert at_work.chat.messages() == []


async def test_questions_of_several_conversations_are_begun_with_at_once(tmp_path):
    manner = replace(QUICK, poll_s=60)
    venues = [Venue(platform="plain", channel="general", thread=str(one)) for one in range(6)]
    settings = SLOW.replace("0.05", "0.1")
    async with working(tmp_path, manner=manner, settings=settings) as at_work:
        for venue in venues:
            await at_work.desk.accept(asked(venue.thread, venue=venue))
        async with asyncio.timeout(5):
            await at_work.idle()

    assert len(at_work.chat.messages()) == 6


async def test_who_waits_sees_at_once_that_somebody_is_at_it(tmp_path):
    settings = SLOW.replace("0.05", "30")
    async with working(tmp_path, settings=settings) as at_work:
        await at_work.desk.accept(asked())
        await asyncio.sleep(0.9)
        statuses = list(at_work.adapter.statuses)

    assert statuses == ["Looking …"]


async def test_a_vote_has_nobody_look_for_questions(tmp_path):
    manner = replace(QUICK, poll_s=60, lease_s=60)
    async with working(tmp_path, manner=manner) as at_work:
        claims = []
        claim = at_work.inbox.claim
        await asyncio.sleep(1.5)
        at_work.inbox.claim = lambda *some, **named: claims.append(1) or claim(*some, **named)
        vote = Voted(key="v", venue=VENUE, user="U1", at=1.0, answer_id="a", helpful=True)
        await at_work.desk.accept(vote)
        await asyncio.sleep(0.1)
        after_vote = len(claims)
        await at_work.desk.accept(asked())
        await at_work.idle()

    assert after_vote == 0
    assert claims
