"""What is a question, and what is none."""

from __future__ import annotations

import asyncio

import pytest

from citewell.testing.adapters.library import DAYS, NOTE
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined
from citewell.testing.adapters.texts import NAUGHTY

_DAYS_SAID = "28 days"
_NOTE_SAID = "fourth day"


class Asking:
    """Every way to ask is heard, and nothing else."""

    @scenario()
    async def test_a_mention_in_a_channel_is_answered(self, stage: Stage) -> None:
        """Who mentions the bot in a channel gets an answer."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, _DAYS_SAID)

    @scenario()
    async def test_the_mention_is_no_part_of_the_question(self, stage: Stage) -> None:
        """The core is asked what was asked, without the mention of the bot."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        (asked,) = stage.questions(person)
        assert asked.text == DAYS, f"the question is {asked.text!r}; leave the mention out"

    @scenario("threads")
    async def test_a_follow_up_in_the_thread_needs_no_mention(self, stage: Stage) -> None:
        """What is said in a thread that the bot takes part in is a question, unmentioned."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.say(person, NOTE, channel=channel, thread=said.thread, mention=False)

        await stage.says(said, _NOTE_SAID)

    @scenario("threads")
    async def test_a_follow_up_with_a_mention_is_answered_once(self, stage: Stage) -> None:
        """A mention in a thread that the bot takes part in is one question, not two."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.say(person, NOTE, channel=channel, thread=said.thread)
        await stage.says(said, _NOTE_SAID)
        await stage.settled()

        assert len(stage.seen(said)) == 2, "the follow-up was answered twice"

    @scenario("threads")
    async def test_somebody_else_may_follow_up(self, stage: Stage) -> None:
        """A follow-up of another person in the thread is answered too."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.say(other, NOTE, channel=channel, thread=said.thread, mention=False)

        await stage.says(said, _NOTE_SAID, other)

    @scenario("threads")
    async def test_a_thread_without_the_bot_is_left_alone(self, stage: Stage) -> None:
        """In a thread that the bot takes no part in, what is said unmentioned is no question."""
        person, channel = await stage.scene()
        talk = await stage.chat.say(person, "Good morning.", channel=channel, mention=False)

        said = await stage.chat.say(
            person, DAYS, channel=channel, thread=talk.thread or talk.id, mention=False
        )

        await stage.nothing(said)

    @scenario("threads")
    async def test_a_mention_in_a_thread_is_answered_there(self, stage: Stage) -> None:
        """Who mentions the bot in a thread of others gets the answer in that thread."""
        person, channel = await stage.scene()
        talk = await stage.chat.say(person, "Good morning.", channel=channel, mention=False)

        said = await stage.chat.say(person, DAYS, channel=channel, thread=talk.thread or talk.id)

        await stage.says(said, _DAYS_SAID)

    @scenario("direct")
    async def test_a_direct_conversation_needs_no_mention(self, stage: Stage) -> None:
        """Everything that is said to the bot alone is a question."""
        person = stage.person()

        said = await stage.chat.say(person, DAYS, mention=False)

        await stage.says(said, _DAYS_SAID)

    @scenario("direct")
    async def test_a_direct_conversation_goes_on(self, stage: Stage) -> None:
        """A second question in the direct conversation is answered as the first one was."""
        person = stage.person()
        said = await stage.chat.say(person, DAYS, mention=False)
        await stage.reply(said)

        second = await stage.chat.say(person, NOTE, thread=said.thread, mention=False)

        await stage.says(second, _NOTE_SAID)

    @scenario("direct")
    async def test_a_direct_conversation_is_read_by_nobody_else(self, stage: Stage) -> None:
        """What is answered to one person directly is nowhere for another."""
        person, other = stage.person(), stage.person()

        said = await stage.chat.say(person, DAYS, mention=False)
        await stage.reply(said)

        assert not stage.chat.seen(other), "somebody else sees it in their own conversation"

    @scenario("command", "private")
    async def test_the_command_is_answered_privately(self, stage: Stage) -> None:
        """The command asks so that only who used it sees the answer."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)

        said = await stage.chat.command(person, DAYS, channel=channel)

        seen = await stage.says(said, _DAYS_SAID)
        assert all(one.only_for == person for one in seen), "post it for the asker alone"
        assert not stage.seen(said, other), "another member of the channel sees it"

    @scenario("command", "private")
    async def test_the_command_is_told_as_private(self, stage: Stage) -> None:
        """What is asked with the command has an address for the asker alone."""
        person, channel = await stage.scene()

        said = await stage.chat.command(person, DAYS, channel=channel)
        await stage.reply(said)

        (asked,) = stage.questions(person)
        assert asked.address.only_for == person, "set Address.only_for"

    @scenario("command", "direct")
    async def test_the_command_works_in_the_direct_conversation(self, stage: Stage) -> None:
        """The command asks in the direct conversation as well."""
        person = stage.person()

        said = await stage.chat.command(person, DAYS)

        await stage.says(said, _DAYS_SAID)

    @scenario("ask-about")
    async def test_what_somebody_else_wrote_can_be_asked_about(self, stage: Stage) -> None:
        """Whoever chooses "Ask about this" of a message gets an answer to what it says."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        message = await stage.chat.say(other, DAYS, channel=channel, mention=False)

        said = await stage.chat.ask_about(person, message)
        if stage.chat.form(person) is not None:
            await stage.chat.fill_in(person, DAYS)

        await stage.says(said, _DAYS_SAID)
        (asked,) = stage.questions(person)
        assert DAYS in asked.text + asked.about, "hand over what the message says"

    @scenario()
    async def test_two_people_are_answered_at_once(self, stage: Stage) -> None:
        """Two people who ask in two channels at the same time each get their own answer."""
        first, second = await stage.scene(), await stage.scene()

        asked = await asyncio.gather(
            stage.chat.say(first[0], DAYS, channel=first[1]),
            stage.chat.say(second[0], NOTE, channel=second[1]),
        )

        await stage.says(asked[0], _DAYS_SAID)
        await stage.says(asked[1], _NOTE_SAID)
        assert _NOTE_SAID not in joined(stage.seen(asked[0])), "the answers were mixed up"

    @scenario()
    async def test_two_people_in_one_channel_get_two_answers(self, stage: Stage) -> None:
        """Two people who ask in the same channel at the same time each get an answer."""
        first, second = stage.person(), stage.person()
        channel = await stage.channel(first, second)

        asked = await asyncio.gather(
            stage.chat.say(first, DAYS, channel=channel),
            stage.chat.say(second, NOTE, channel=channel),
        )

        await stage.says(asked[0], _DAYS_SAID)
        await stage.says(asked[1], _NOTE_SAID)

    @scenario()
    async def test_ten_people_are_all_answered(self, stage: Stage) -> None:
        """Of ten questions at once each gets one answer."""
        scenes = [await stage.scene() for _ in range(10)]

        asked = [await stage.chat.say(person, DAYS, channel=place) for person, place in scenes]

        for said in asked:
            assert len(await stage.says(said, _DAYS_SAID)) == 1, "it was answered more than once"

    @scenario("threads")
    async def test_a_conversation_is_answered_in_order(self, stage: Stage) -> None:
        """Questions of one thread are answered in the order in which they were asked."""
        person, channel = await stage.scene(profile="slow")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.growing(said)

        await stage.chat.say(person, NOTE, channel=channel, thread=said.thread)
        await stage.until(
            lambda: len(stage.seen(said)) > 1, lambda: "the second question has no answer"
        )

        assert not stage.seen(said)[0].is_growing, "the second began before the first had ended"

    @scenario()
    async def test_talk_without_a_mention_is_ignored(self, stage: Stage) -> None:
        """What people say to each other in a channel is no question."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel, mention=False)

        await stage.nothing(said)

    @scenario()
    async def test_talk_is_not_kept(self, stage: Stage) -> None:
        """What people say to each other never reaches the core as a question."""
        person, channel = await stage.scene()

        await stage.chat.say(person, "My secret is 4711.", channel=channel, mention=False)
        await stage.settled()

        assert not stage.questions(person), "the adapter told the core what was not said to it"

    @scenario("threads")
    async def test_the_bot_does_not_answer_itself(self, stage: Stage) -> None:
        """What the bot says in a thread is no follow-up, though the service tells of it."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.one_reply(said)
        await stage.settled()

        assert len(stage.questions(person)) == 1
        assert len(stage.seen(said)) == 1, "the bot answered what it had said itself"

    @scenario()
    async def test_an_empty_mention_gets_an_outcome(self, stage: Stage) -> None:
        """A mention with no words is answered with something, or with nothing; nothing breaks."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, "", channel=channel)
        await stage.settled()

        assert all(one.text and not one.is_growing for one in stage.seen(said)), (
            "an empty message was left, or one that still grows"
        )

    @scenario()
    async def test_a_very_long_question_is_answered(self, stage: Stage) -> None:
        """A question as long as people can write is answered."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, f"{DAYS} {'really ' * 200}", channel=channel)

        await stage.says(said, _DAYS_SAID)

    @pytest.mark.parametrize("name", NAUGHTY)
    @scenario()
    async def test_odd_characters_in_a_question_are_text(self, stage: Stage, name: str) -> None:
        """Whatever characters a question has, it is answered."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, f"{DAYS} {NAUGHTY[name]}", channel=channel)

        seen = await stage.reply(said)
        assert not any(one.pings for one in seen), f"the answer pings {seen[0].pings}"
        (asked,) = stage.questions(person)
        assert asked.text.startswith(DAYS), f"the question became {asked.text!r}"

    @scenario()
    async def test_a_question_of_several_lines_stays_one(self, stage: Stage) -> None:
        """Line breaks in a question reach the core."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, f"Dear bot,\n\n{DAYS}\nThanks", channel=channel)
        await stage.reply(said)

        (asked,) = stage.questions(person)
        assert asked.text.count("\n") == 3, f"the question became {asked.text!r}"

    @scenario("files")
    async def test_files_come_with_their_question(self, stage: Stage) -> None:
        """The core is told of the files of a question, and can have their content."""
        person, channel = await stage.scene()

        said = await stage.chat.say(
            person, DAYS, channel=channel, files={"notes.txt": b"The notes say 4711."}
        )
        await stage.reply(said)

        (asked,) = stage.questions(person)
        assert [one.name for one in asked.attachments] == ["notes.txt"], "set Asked.attachments"

    @scenario("files")
    async def test_a_file_that_cannot_be_read_is_named(self, stage: Stage) -> None:
        """The answer says which file was not read."""
        person, channel = await stage.scene()

        said = await stage.chat.say(
            person, DAYS, channel=channel, files={"holiday.xyz": b"\x00\x01\x02"}
        )

        await stage.says(said, "holiday.xyz")
