"""What the journal holds of what happened, and what it forgets."""

from __future__ import annotations

from citewell.testing.adapters.library import DAYS, NOTE
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage
from citewell.types.chat import Asked


class Remembering:
    """The journal knows who asked what and where, until it is told to forget."""

    @scenario()
    async def test_an_answer_is_kept(self, stage: Stage) -> None:
        """What was answered is in the journal, with who asked."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        (kept,) = stage.answers(person)
        assert kept.question == DAYS
        assert kept.outcome == "answered"

    @scenario()
    async def test_a_refusal_is_kept(self, stage: Stage) -> None:
        """What was refused is in the journal."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, "Quokka zeppelin?", channel=channel)
        await stage.reply(said)

        assert [one.outcome for one in stage.answers(person)] == ["refused"]

    @scenario()
    async def test_a_question_is_told_with_its_place(self, stage: Stage) -> None:
        """The adapter tells in which section, channel and by whom something was asked."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        (asked,) = stage.questions(person)
        assert asked.venue.platform == stage.bot.name, "Venue.platform is Context.name"
        assert asked.venue.channel == channel, "Venue.channel is the id that settings name"
        assert asked.address.venue.channel == channel

    @scenario()
    async def test_a_question_is_told_with_its_time(self, stage: Stage) -> None:
        """The adapter tells when something was asked, in seconds since 1970."""
        person, channel = await stage.scene()

        first = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(first)
        second = await stage.chat.say(person, NOTE, channel=channel)
        await stage.reply(second)

        times = [one.at for one in stage.questions(person)]
        assert times == sorted(times), f"later questions have earlier times: {times}"
        assert all(1.5e9 < one < 1e10 for one in times), f"Asked.at is in seconds: {times}"

    @scenario("threads")
    async def test_a_thread_is_one_conversation(self, stage: Stage) -> None:
        """A question and what follows in its thread are told as one conversation."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.say(person, NOTE, channel=channel, thread=said.thread, mention=False)
        await stage.says(said, "fourth day")

        names = {one.venue.conversation for one in stage.questions(person)}
        assert len(names) == 1, f"one thread is told as {sorted(names)}"

    @scenario()
    async def test_two_channels_are_two_conversations(self, stage: Stage) -> None:
        """Questions of two channels are told as two conversations."""
        person = stage.person()
        for _ in range(2):
            channel = await stage.channel(person)
            said = await stage.chat.say(person, DAYS, channel=channel)
            await stage.reply(said)

        assert len({one.venue.conversation for one in stage.questions(person)}) == 2

    @scenario("threads")
    async def test_the_bot_knows_where_it_takes_part(self, stage: Stage) -> None:
        """The core finds the thread of a question by how the adapter names it."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        (asked,) = stage.questions(person)
        assert stage.bot.host.takes_part(asked.venue)

    @scenario()
    async def test_everything_told_survives_the_journal(self, stage: Stage) -> None:
        """Every event that the adapter told of is plain data."""
        import msgspec

        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        for event in stage.questions(person):
            kept = msgspec.json.decode(msgspec.json.encode(event), type=Asked)
            assert kept == event

    @scenario()
    async def test_who_is_forgotten_is_forgotten(self, stage: Stage) -> None:
        """After somebody was forgotten the journal holds none of their words."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, f"{DAYS} My number is 4711.", channel=channel)
        await stage.reply(said)
        name = stage.answers(person)[0].asker
        assert name is not None

        stage.bot.forgetting.forget(name)

        assert not stage.answers(person)
        assert not [one for one in stage.bot.journal.recent(50) if "4711" in one.question]

    @scenario("buttons", "forms")
    async def test_a_forgotten_reason_is_gone(self, stage: Stage) -> None:
        """After somebody was forgotten the reason of their vote is gone, and the vote stays."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        await stage.press(person, said, "unhelpful")
        await stage.chat.fill_in(person, "Because of 4711.")
        await stage.until_voted(person, (False, "Because of 4711."))
        kept = stage.answers(person)[0]
        assert kept.asker is not None

        stage.bot.forgetting.forget(kept.asker)

        (vote,) = stage.bot.feedback.of_answer(kept.id)
        assert (vote.is_helpful, vote.reason) == (False, "")

    @scenario()
    async def test_who_was_forgotten_may_ask_again(self, stage: Stage) -> None:
        """Who was forgotten is answered as anybody else."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        stage.bot.forgetting.forget(stage.answers(person)[0].asker or "")

        second = await stage.chat.say(person, NOTE, channel=channel)

        await stage.says(second, "fourth day")

    @scenario()
    async def test_whether_it_is_connected_is_told(self, stage: Stage) -> None:
        """The adapter says whether it is connected, for those who watch the bot."""
        await stage.until(
            lambda: stage.bot.is_connected or None,
            lambda: "is_connected is true while events come in",
        )

    @scenario("buttons", alone=True)
    async def test_a_source_that_changed_is_said_to_have(self, stage: Stage) -> None:
        """Where a quotation was, a source that changed since the answer is told with its mark."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        leave = stage.bot.path.parent / "docs" / "leave.md"
        leave.write_text("# Leave\n\nEvery employee has 31 days of leave.\n", encoding="utf-8")
        await stage.bot.reread()
        await stage.press(person, said, "quotes")

        told = await stage.until_told(person, said, "changed since the answer was given")
        assert "[1]" in told, "show Quoted.number beside Quoted.lost"
        assert "28 days" not in told

    @scenario("buttons", alone=True)
    async def test_a_source_that_is_gone_is_said_to_be(self, stage: Stage) -> None:
        """A source that was deleted since the answer is told with its mark, and quoted no more."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        (stage.bot.path.parent / "docs" / "leave.md").unlink()
        await stage.bot.reread()
        await stage.press(person, said, "quotes")

        told = await stage.until_told(person, said, "gone since the answer was given")
        assert "28 days" not in told
