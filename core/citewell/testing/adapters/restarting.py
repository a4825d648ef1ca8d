"""Processes that end, connections that break and calls that fail: never silent, never twice."""

from __future__ import annotations

import asyncio

import pytest

from citewell.testing.adapters.library import DAYS, NOTE
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined
from citewell.types.chat import Asked

_DAYS_SAID = "28 days"
_NOTE_SAID = "fourth day"


class Restarting:
    """Each question has one outcome, whenever the process ends."""

    @scenario()
    async def test_what_was_asked_while_nobody_listened_is_answered(self, stage: Stage) -> None:
        """A question that was asked while the bot was down is answered after its start."""
        person, channel = await stage.scene()
        await stage.settled()
        await stage.bot.stop()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.start()

        await stage.says(said, _DAYS_SAID)

    @scenario()
    async def test_what_was_asked_while_nobody_listened_is_answered_once(
        self, stage: Stage
    ) -> None:
        """A question that comes by both ways after a start is answered once."""
        person, channel = await stage.scene()
        await stage.settled()
        await stage.bot.stop()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.start()
        await stage.says(said, _DAYS_SAID)
        await stage.chat.repeat(said)

        await stage.one_reply(said)

    @scenario("direct")
    async def test_a_direct_question_of_before_the_start_is_answered(self, stage: Stage) -> None:
        """A direct question that was asked while the bot was down is answered."""
        person = stage.person()
        first = await stage.chat.say(person, NOTE, mention=False)
        await stage.reply(first)
        await stage.bot.stop()

        said = await stage.chat.say(person, DAYS, mention=False)
        await stage.start()

        await stage.says(said, _DAYS_SAID)

    @scenario()
    async def test_talk_of_before_the_start_is_ignored(self, stage: Stage) -> None:
        """What was said unmentioned while the bot was down is no question."""
        person, channel = await stage.scene()
        await stage.settled()
        await stage.bot.stop()

        said = await stage.chat.say(person, DAYS, channel=channel, mention=False)
        known = await stage.chat.say(person, NOTE, channel=channel)
        await stage.start()
        await stage.says(known, _NOTE_SAID)

        assert not [one for one in stage.seen(said) if _DAYS_SAID in one.text]

    @scenario()
    async def test_a_restart_repeats_nothing(self, stage: Stage) -> None:
        """What was answered is not answered again by the next process."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.one_reply(said)

        await stage.restart()

        after = await stage.one_reply(said)
        assert (after.id, after.text) == (before.id, before.text)

    @scenario()
    async def test_a_kill_before_the_answer_loses_nothing(self, stage: Stage) -> None:
        """A question that was taken in before the process ended is answered by the next one."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.heard(Asked, 1)

        await stage.restart()

        await stage.says(said, _DAYS_SAID)
        assert len(stage.seen(said)) == 1

    @scenario()
    async def test_a_kill_amid_the_answer_leaves_one_reply(self, stage: Stage) -> None:
        """An answer that was half shown when the process ended is completed in its message."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.growing(said)

        await stage.restart()

        after = await stage.one_reply(said)
        assert after.id == before.id, "find_reply() returns the reply of before"
        assert "31 March" in after.text

    @pytest.mark.parametrize("moment_s", [0.0, 0.05, 0.2, 0.5, 0.9])
    @scenario()
    async def test_a_kill_at_any_moment_leaves_one_reply(
        self, stage: Stage, moment_s: float
    ) -> None:
        """Whenever the process ends, there is one complete reply in the end."""
        person, channel = await stage.scene(profile="slow")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.is_heard(person)

        await asyncio.sleep(moment_s)
        await stage.restart()

        assert "31 March" in (await stage.one_reply(said)).text

    @scenario()
    async def test_two_kills_leave_one_reply(self, stage: Stage) -> None:
        """An answer that is broken off twice is completed in one message."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)

        for _ in range(2):
            await stage.growing(said)
            await stage.restart()

        assert "31 March" in (await stage.one_reply(said)).text

    @scenario("command", "private")
    async def test_a_private_answer_survives_a_restart(self, stage: Stage) -> None:
        """A private answer that was broken off is shown after the restart, or says it repeats."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.command(person, DAYS, channel=channel)
        await stage.is_heard(person)

        await stage.restart()

        seen = await stage.says(said, "31 March")
        assert all(one.only_for == person for one in seen)

    @scenario()
    async def test_a_drain_lets_answers_end(self, stage: Stage) -> None:
        """Whoever ends the bot properly lets the running answer come to its end."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        await stage.bot.drain()

        left = stage.seen(said)
        await stage.start()
        assert [one.is_growing for one in left] == [False], "close the reply when it is complete"
        assert "31 March" in joined(left)

    @scenario()
    async def test_what_comes_after_a_drain_is_answered_next_time(self, stage: Stage) -> None:
        """A question that was asked when the bot had ended properly is answered after its start."""
        person, channel = await stage.scene()
        await stage.settled()
        await stage.bot.drain()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.start()

        await stage.says(said, _DAYS_SAID)

    @scenario("deletes")
    async def test_a_deletion_while_nobody_listened_holds(self, stage: Stage) -> None:
        """A question that was asked and deleted while the bot was down is not answered."""
        person, channel = await stage.scene()
        await stage.settled()
        await stage.bot.stop()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.chat.take_back(said)
        marker = await stage.chat.say(person, NOTE, channel=channel)
        await stage.start()
        await stage.says(marker, _NOTE_SAID)
        await stage.settled()

        assert not [one for one in stage.seen(said) if _DAYS_SAID in one.text]

    @scenario("edits")
    async def test_a_change_while_nobody_listened_holds(self, stage: Stage) -> None:
        """Of a question that was changed while the bot was down the change is answered."""
        person, channel = await stage.scene()
        await stage.settled()
        await stage.bot.stop()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.chat.change(said, NOTE)
        await stage.start()

        await stage.says(said, _NOTE_SAID)

    # --- connections ----------------------------------------------------------------------

    @scenario()
    async def test_a_broken_connection_is_made_again(self, stage: Stage) -> None:
        """After a connection broke, the next question is answered."""
        person, channel = await stage.scene()
        stage.chat.cut()
        await stage.chat.until_connected()

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, _DAYS_SAID)

    @scenario()
    async def test_what_is_asked_while_it_is_broken_is_answered(self, stage: Stage) -> None:
        """A question that is asked right after a connection broke is answered once."""
        person, channel = await stage.scene()
        stage.chat.cut()

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, _DAYS_SAID)
        await stage.one_reply(said)

    @scenario()
    async def test_a_connection_may_break_amid_an_answer(self, stage: Stage) -> None:
        """An answer that grows while a connection breaks is completed in its message."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        stage.chat.cut()

        assert "31 March" in (await stage.one_reply(said)).text

    @scenario()
    async def test_a_connection_may_break_again_and_again(self, stage: Stage) -> None:
        """After three breaks one after the other the bot answers as before."""
        person, channel = await stage.scene()
        for _ in range(3):
            stage.chat.cut()
            await stage.chat.until_connected()

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.one_reply(said)

    # --- calls that fail ------------------------------------------------------------------

    @scenario()
    async def test_too_many_requests_are_waited_for(self, stage: Stage) -> None:
        """A call that comes too soon is made again after the time that the service names."""
        person, channel = await stage.scene()
        stage.chat.fail(1, status=429, retry_after_s=0.2)

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, _DAYS_SAID)
        await stage.one_reply(said)

    @scenario()
    async def test_too_many_requests_for_long_are_outlasted(self, stage: Stage) -> None:
        """Where calls come too soon again and again, there is an outcome in the end."""
        person, channel = await stage.scene()
        stage.chat.fail(4, status=429, retry_after_s=0.1)

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, _DAYS_SAID)

    @pytest.mark.parametrize("status", [500, 503])
    @scenario()
    async def test_a_failing_service_is_asked_again(self, stage: Stage, status: int) -> None:
        """A call that fails for a while is made again."""
        person, channel = await stage.scene()
        stage.chat.fail(2, status=status)

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, _DAYS_SAID)
        await stage.one_reply(said)

    @scenario()
    async def test_a_failure_amid_an_answer_is_outlasted(self, stage: Stage) -> None:
        """A call that fails while an answer grows leaves one complete reply."""
        person, channel = await stage.scene(profile="slower")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        stage.chat.fail(2, status=500)

        assert "31 March" in joined(await stage.says(said, "31 March"))
        await stage.one_reply(said)

    @scenario(alone=True)
    async def test_what_is_refused_for_good_hangs_nothing(self, stage: Stage) -> None:
        """A question whose answer the service refuses for good keeps no other waiting."""
        person, channel = await stage.scene()
        stage.chat.fail(2, status=403)
        await stage.chat.say(person, DAYS, channel=channel)
        await stage.is_heard(person)
        await stage.until(
            lambda: not stage.bot.inbox.waiting() or None, lambda: "the question waits for ever"
        )

        # What was refused may have taken fewer calls than were to fail.
        answers = [await self._answer_in_turn(stage) for _ in range(3)]
        assert _DAYS_SAID in answers[-1], "the adapter does not recover"

    @staticmethod
    async def _answer_in_turn(stage: Stage) -> str:
        other, place = await stage.scene()
        said = await stage.chat.say(other, DAYS, channel=place)
        await stage.is_heard(other)
        await stage.until(
            lambda: not stage.bot.inbox.waiting() or None, lambda: "a question waits for ever"
        )
        return joined(stage.seen(said))

    @scenario("edits")
    async def test_a_failing_change_is_made_again(self, stage: Stage) -> None:
        """An answer whose change fails for a while is changed in the end."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        stage.chat.fail(2, status=500)

        await stage.chat.change(said, NOTE)

        await stage.says(said, _NOTE_SAID)
        await stage.one_reply(said)
