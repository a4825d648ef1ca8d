"""Deliveries that come twice, late, or in another order, and questions that change."""

from __future__ import annotations

import pytest

from citewell.testing.adapters.library import DAYS, NOTE
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined
from citewell.types.chat import Deleted, Edited

_DAYS_SAID = "28 days"
_NOTE_SAID = "fourth day"


class Repeats:
    """Whatever comes how often and in which order: one outcome for each question."""

    @pytest.mark.parametrize("times", [1, 5])
    @scenario()
    async def test_a_repetition_changes_nothing(self, stage: Stage, times: int) -> None:
        """A question that is delivered again at once is answered once."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)
        for _ in range(times):
            await stage.chat.repeat(said)

        await stage.one_reply(said)

    @scenario()
    async def test_a_repetition_after_the_answer_changes_nothing(self, stage: Stage) -> None:
        """A question that is delivered again after its answer is not answered again."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.one_reply(said)

        await stage.chat.repeat(said)

        after = await stage.one_reply(said)
        assert (after.id, after.text) == (before.id, before.text)

    @scenario()
    async def test_a_repetition_has_the_same_key(self, stage: Stage) -> None:
        """The adapter names both deliveries of a question the same."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.chat.repeat(said)
        await stage.one_reply(said)

        keys = {one.key for one in stage.questions(person)}
        assert len(keys) == 1, f"one question has the keys {sorted(keys)}"

    @scenario()
    async def test_a_repetition_while_it_is_answered_changes_nothing(self, stage: Stage) -> None:
        """A question that is delivered again while it is answered has one answer."""
        person, channel = await stage.scene(profile="slow")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        await stage.chat.repeat(said)

        await stage.one_reply(said)

    @scenario()
    async def test_a_repetition_after_a_restart_changes_nothing(self, stage: Stage) -> None:
        """A question that is delivered again to the next process is not answered again."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.one_reply(said)

        await stage.restart()
        await stage.chat.repeat(said)

        assert (await stage.one_reply(said)).id == before.id

    @scenario("direct")
    async def test_a_repetition_in_a_direct_conversation_changes_nothing(
        self, stage: Stage
    ) -> None:
        """A question that is delivered again in a direct conversation is answered once."""
        person = stage.person()

        said = await stage.chat.say(person, DAYS, mention=False)
        await stage.chat.repeat(said)

        await stage.one_reply(said)

    @scenario()
    async def test_the_same_words_twice_are_two_questions(self, stage: Stage) -> None:
        """Who asks the same again on purpose gets a second answer."""
        person, channel = await stage.scene()

        first = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(first)
        second = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(second)
        await stage.settled()

        assert len({one.key for one in stage.questions(person)}) == 2

    # --- changes --------------------------------------------------------------------------

    @scenario("edits")
    async def test_a_changed_question_changes_its_answer(self, stage: Stage) -> None:
        """A question that is changed after its answer has the new answer in the same message."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.one_reply(said)

        await stage.chat.change(said, NOTE)
        await stage.says(said, _NOTE_SAID)

        after = await stage.one_reply(said)
        assert after.id == before.id, "show() posted a second message"
        assert _DAYS_SAID not in after.text, "the old answer is still there"

    @scenario("edits", "direct")
    async def test_a_direct_question_can_be_changed(self, stage: Stage) -> None:
        """A question of a direct conversation that is changed has a new answer."""
        person = stage.person()
        said = await stage.chat.say(person, DAYS, mention=False)
        await stage.reply(said)

        await stage.chat.change(said, NOTE)

        await stage.says(said, _NOTE_SAID)

    @scenario("edits", "threads")
    async def test_a_follow_up_can_be_changed(self, stage: Stage) -> None:
        """A question that was asked without a mention in a thread can be changed."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        second = await stage.chat.say(
            person, "Quokka zeppelin?", channel=channel, thread=said.thread, mention=False
        )
        await stage.until(lambda: len(stage.seen(said)) == 2, lambda: "no answer to the second")
        await stage.reply(said)

        await stage.chat.change(second, NOTE)

        await stage.says(said, _NOTE_SAID)
        assert len(stage.seen(said)) == 2

    @scenario("edits")
    async def test_a_question_can_be_changed_twice(self, stage: Stage) -> None:
        """The last change is the one that is answered."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.change(said, "Quokka zeppelin?")
        await stage.chat.change(said, NOTE)
        await stage.says(said, _NOTE_SAID)

        await stage.one_reply(said)

    @scenario("edits")
    async def test_a_question_can_be_changed_back(self, stage: Stage) -> None:
        """A question that says again what it said first has its first answer again."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.change(said, NOTE)
        await stage.says(said, _NOTE_SAID)
        await stage.chat.change(said, DAYS)

        await stage.says(said, _DAYS_SAID)
        await stage.one_reply(said)

    @scenario("edits")
    async def test_a_change_while_it_is_answered_is_answered(self, stage: Stage) -> None:
        """A question that is changed while it is answered has one reply, to what it says now."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        await stage.chat.change(said, NOTE)
        await stage.heard(Edited, 1)

        await stage.one_reply(said)
        assert stage.answers(person)[0].question == NOTE, "the old question was answered"

    @scenario("edits")
    async def test_a_change_of_blank_space_leaves_one_reply(self, stage: Stage) -> None:
        """A question to which only blanks are added keeps its one reply."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.one_reply(said)

        await stage.chat.change(said, f"{DAYS} ")
        await stage.settled()

        after = await stage.one_reply(said)
        assert after.id == before.id
        assert _DAYS_SAID in after.text

    @scenario("edits")
    async def test_a_change_and_a_repetition_leave_the_change(self, stage: Stage) -> None:
        """A late repetition of the first words does not undo a change."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.change(said, NOTE)
        await stage.says(said, _NOTE_SAID)
        await stage.chat.repeat(said)
        await stage.settled()

        assert _NOTE_SAID in (await stage.one_reply(said)).text

    @scenario("edits")
    async def test_a_change_before_its_question_holds(self, stage: Stage) -> None:
        """A change that arrives before its question is what is answered."""
        person, channel = await stage.scene()
        known = len([one for one in stage.bot.heard if isinstance(one, Edited)])
        with stage.held():
            said = await stage.chat.say(person, DAYS, channel=channel)
            await stage.is_heard(person)
            await stage.chat.change(said, NOTE)
            await stage.heard(Edited, known + 1)
            await stage.bot.host.release(backwards=True)

        seen = await stage.says(said, _NOTE_SAID)
        await stage.settled()
        assert _DAYS_SAID not in joined(seen)

    @scenario("edits")
    async def test_a_change_of_talk_is_no_question(self, stage: Stage) -> None:
        """Talk that was no question is none when it is changed."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, "Good morning.", channel=channel, mention=False)

        await stage.chat.change(said, DAYS)

        await stage.nothing(said)

    # --- taken back -----------------------------------------------------------------------

    @scenario("deletes")
    async def test_an_answer_goes_with_its_question(self, stage: Stage) -> None:
        """A question that is deleted after its answer takes the answer with it."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.take_back(said)

        await stage.until(
            lambda: _DAYS_SAID not in joined(stage.seen(said)),
            lambda: "the answer is still there; withdraw() takes it back",
        )

    @scenario("deletes")
    async def test_an_answer_stops_when_its_question_goes(self, stage: Stage) -> None:
        """A question that is deleted while it is answered leaves nothing of its answer."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        await stage.chat.take_back(said)

        await stage.until(
            lambda: not stage.bot.inbox.waiting() and _DAYS_SAID not in joined(stage.seen(said)),
            lambda: "the answer is still there, or goes on",
        )

    @scenario("deletes")
    async def test_nothing_grows_when_a_question_went(self, stage: Stage) -> None:
        """After a question was deleted nothing is left that looks unfinished."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        await stage.chat.take_back(said)
        known = len([one for one in stage.bot.heard if isinstance(one, Deleted)])
        await stage.heard(Deleted, max(known, 1))
        await stage.settled()

        assert not any(one.is_growing for one in stage.seen(said)), "close it in withdraw()"

    @scenario("deletes")
    async def test_a_deletion_before_its_question_holds(self, stage: Stage) -> None:
        """A deletion that arrives before its question leaves it unanswered."""
        person, channel = await stage.scene()
        known = len([one for one in stage.bot.heard if isinstance(one, Deleted)])
        with stage.held():
            said = await stage.chat.say(person, DAYS, channel=channel)
            await stage.is_heard(person)
            await stage.chat.take_back(said)
            await stage.heard(Deleted, known + 1)
            await stage.bot.host.release(backwards=True)

        await stage.settled()
        assert _DAYS_SAID not in joined(stage.seen(said)), "it was answered all the same"

    @scenario("deletes")
    async def test_a_repetition_after_a_deletion_changes_nothing(self, stage: Stage) -> None:
        """A late repetition of a question that was deleted is not answered."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        await stage.chat.take_back(said)
        await stage.settled()

        await stage.chat.repeat(said)
        await stage.settled()

        assert _DAYS_SAID not in joined(stage.seen(said)), "it was answered again"

    @scenario("deletes", "edits")
    async def test_a_change_after_a_deletion_changes_nothing(self, stage: Stage) -> None:
        """A change that arrives after its question was deleted is not answered."""
        person, channel = await stage.scene()
        known = len([one for one in stage.bot.heard if isinstance(one, Deleted)])
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        with stage.held():
            await stage.chat.change(said, NOTE)
            await stage.chat.take_back(said)
            await stage.heard(Deleted, known + 1)
            await stage.bot.host.release(backwards=True)

        await stage.settled()
        assert _NOTE_SAID not in joined(stage.seen(said)), "it was answered again"

    @scenario("deletes")
    async def test_the_question_of_another_stays(self, stage: Stage) -> None:
        """A question that is deleted takes no other answer with it."""
        person, channel = await stage.scene()
        first = await stage.chat.say(person, DAYS, channel=channel)
        second = await stage.chat.say(person, NOTE, channel=channel)
        await stage.says(first, _DAYS_SAID)
        await stage.says(second, _NOTE_SAID)

        await stage.chat.take_back(first)
        await stage.settled()

        assert _NOTE_SAID in joined(stage.seen(second)), "the other answer is gone as well"

    @scenario("edits")
    async def test_a_change_is_told_of_its_question(self, stage: Stage) -> None:
        """The adapter names a changed question as it named it when it was asked."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.change(said, NOTE)
        await stage.says(said, _NOTE_SAID)

        (asked,) = stage.questions(person)
        edited = [one for one in stage.bot.heard if isinstance(one, Edited) and one.user == person]
        assert {one.of for one in edited} == {asked.key}
        assert {one.venue.channel for one in edited} == {asked.venue.channel}
