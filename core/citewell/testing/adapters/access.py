"""Nobody reads through the bot what they may not read themselves."""

from __future__ import annotations

from citewell.testing.adapters.library import CANARY, DAYS, GROUP, NOTE, OTHER_GROUP, SALARY
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined


class Access:
    """In a channel only what each of its members may read; for one person what they may."""

    @scenario("groups")
    async def test_members_of_a_group_read_more(self, stage: Stage) -> None:
        """In a channel of members of a group, what the group may read is answered."""
        person, channel = await stage.scene(GROUP)

        said = await stage.chat.say(person, SALARY, channel=channel)

        await stage.says(said, CANARY)

    @scenario()
    async def test_who_is_in_no_group_reads_what_everyone_may(self, stage: Stage) -> None:
        """Who is in no group gets nothing that is for a group."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, SALARY, channel=channel)

        assert CANARY not in joined(await stage.reply(said))

    @scenario("groups")
    async def test_a_mixed_channel_reads_what_all_may(self, stage: Stage) -> None:
        """One member who may read less decides what a channel is answered."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)

        said = await stage.chat.say(person, SALARY, channel=channel)

        assert CANARY not in joined(await stage.reply(said)), (
            "readers() must return every distinct reader of the channel"
        )

    @scenario("groups")
    async def test_a_mixed_channel_is_answered_what_all_may_read(self, stage: Stage) -> None:
        """What everyone may read is still answered in a mixed channel."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, "28 days")

    @scenario("groups")
    async def test_other_groups_give_nothing(self, stage: Stage) -> None:
        """A group that the settings do not name lets nobody read more."""
        person, channel = await stage.scene(OTHER_GROUP)

        said = await stage.chat.say(person, SALARY, channel=channel)

        assert CANARY not in joined(await stage.reply(said))

    @scenario("groups", "direct")
    async def test_a_direct_conversation_reads_what_the_person_may(self, stage: Stage) -> None:
        """In the direct conversation it is the person alone who reads."""
        person = stage.person(GROUP)

        said = await stage.chat.say(person, SALARY, mention=False)

        await stage.says(said, CANARY)

    @scenario("direct")
    async def test_a_direct_conversation_gives_nobody_more(self, stage: Stage) -> None:
        """Who is in no group gets nothing more in the direct conversation."""
        person = stage.person()

        said = await stage.chat.say(person, SALARY, mention=False)

        assert CANARY not in joined(await stage.reply(said))

    @scenario("groups", "command", "private")
    async def test_a_private_answer_reads_what_the_person_may(self, stage: Stage) -> None:
        """A private answer in a mixed channel has what its one reader may read."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)

        said = await stage.chat.command(person, SALARY, channel=channel)

        await stage.says(said, CANARY)
        assert not stage.seen(said, other), "another member of the channel sees it"

    @scenario("command", "private")
    async def test_what_one_asks_privately_no_other_leans_on(self, stage: Stage) -> None:
        """What one person asks and is told privately is not remembered for another one."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.command(person, DAYS, channel=channel)
        await stage.says(said, "28 days")

        second = await stage.chat.command(other, "And how much is that?", channel=channel)

        assert "28 days" not in joined(await stage.reply(second)), (
            "name who alone sees a private answer in Address.only_for"
        )

    @scenario("command", "private")
    async def test_a_private_answer_gives_nobody_more(self, stage: Stage) -> None:
        """Who is in no group gets nothing more by asking privately."""
        person, channel = await stage.scene()

        said = await stage.chat.command(person, SALARY, channel=channel)

        assert CANARY not in joined(await stage.reply(said))

    @scenario("groups")
    async def test_a_revocation_holds_from_the_next_question_on(self, stage: Stage) -> None:
        """Who leaves a group reads less at once."""
        person, channel = await stage.scene(GROUP)
        said = await stage.chat.say(person, SALARY, channel=channel)
        known = {one.id for one in await stage.says(said, CANARY)}

        stage.regroup(person)
        second = await stage.chat.say(person, SALARY, channel=channel)
        await stage.settled()

        later = [one for one in stage.seen(second) if one.id not in known]
        assert CANARY not in joined(later), "ask the service anew who reads, each time"

    @scenario("groups")
    async def test_a_new_member_of_a_group_reads_more_at_once(self, stage: Stage) -> None:
        """Who joins a group reads more from the next question on."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, SALARY, channel=channel)
        assert CANARY not in joined(await stage.reply(said))

        stage.regroup(person, GROUP)
        second = await stage.chat.say(person, SALARY, channel=channel)

        await stage.says(second, CANARY)

    @scenario("groups")
    async def test_a_new_member_of_a_channel_counts_at_once(self, stage: Stage) -> None:
        """Who joins a channel and may read less decides from the next question on."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person)
        said = await stage.chat.say(person, SALARY, channel=channel)
        known = {one.id for one in await stage.says(said, CANARY)}

        stage.readmit(channel, person, other)
        second = await stage.chat.say(person, f"{SALARY} Once more?", channel=channel)
        await stage.settled()

        later = [one for one in stage.seen(second) if one.id not in known]
        assert CANARY not in joined(later), "ask the service anew who is a member, each time"

    @scenario()
    async def test_a_channel_may_declare_what_it_reads(self, stage: Stage) -> None:
        """With reads in a channel, exactly these labels are read there, whoever is a member."""
        person, channel = await stage.scene(reads=["everyone", "people-team"])

        said = await stage.chat.say(person, SALARY, channel=channel)

        await stage.says(said, CANARY)

    @scenario("groups")
    async def test_a_channel_may_declare_that_it_reads_less(self, stage: Stage) -> None:
        """A channel that declares less than its members may read is answered less."""
        person, channel = await stage.scene(GROUP, reads=["everyone"])

        said = await stage.chat.say(person, SALARY, channel=channel)

        assert CANARY not in joined(await stage.reply(said))

    @scenario("command", "private")
    async def test_what_a_channel_declares_gives_no_private_reader_more(self, stage: Stage) -> None:
        """What a channel declares does not count for a private answer there."""
        person, channel = await stage.scene(reads=["everyone", "people-team"])

        said = await stage.chat.command(person, SALARY, channel=channel)

        assert CANARY not in joined(await stage.reply(said))

    @scenario("groups", "threads")
    async def test_a_thread_is_read_by_its_channel(self, stage: Stage) -> None:
        """In a thread all members of the channel are readers, also who never wrote there."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.says(said, "28 days")

        await stage.chat.say(person, SALARY, channel=channel, thread=said.thread, mention=False)
        await stage.settled()

        assert CANARY not in joined(stage.seen(said))

    @scenario("groups", "threads")
    async def test_what_fewer_read_is_not_remembered_for_more(self, stage: Stage) -> None:
        """What was answered to fewer readers is not leant on when more people read."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person)
        said = await stage.chat.say(person, SALARY, channel=channel)
        before = await stage.says(said, CANARY)

        stage.readmit(channel, person, other)
        await stage.chat.say(person, "How much is that again?", channel=channel, thread=said.thread)
        await stage.until(
            lambda: len(stage.seen(said)) > len(before) or None, lambda: "no second answer"
        )
        await stage.reply(said)

        later = [one for one in stage.seen(said) if one.id not in {old.id for old in before}]
        assert CANARY not in joined(later)

    # --- private answers and shared ones ---------------------------------------------------

    @scenario("groups", "buttons", "private")
    async def test_who_may_read_more_is_offered_it_privately(self, stage: Stage) -> None:
        """In a mixed channel, who may read more is offered an answer for themselves."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, SALARY, channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "private")

        await stage.until_told(person, said, CANARY)
        public = [one for one in stage.seen(said) if one.only_for is None]
        assert CANARY not in joined(public), "the private answer is public"
        assert CANARY not in joined(stage.seen(said, other)), "another member sees it"

    @scenario("groups", "buttons", "private")
    async def test_a_private_answer_gives_another_no_more(self, stage: Stage) -> None:
        """Who presses that button without being in the group gets nothing more."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, SALARY, channel=channel)
        await stage.reply(said)

        await stage.press(other, said, "private")
        await stage.settled()

        assert CANARY not in joined(stage.seen(said, other)), "the asker's labels were used"

    @scenario("groups", "buttons", "private", "command")
    async def test_sharing_shows_only_what_all_may_read(self, stage: Stage) -> None:
        """A private answer that is shared is asked anew for the whole channel."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.command(person, SALARY, channel=channel)
        await stage.says(said, CANARY)

        await stage.press(person, said, "share")
        await stage.settled()

        everything = [*stage.seen(said, other), *stage.chat.seen(other, channel=channel)]
        assert CANARY not in joined(everything), "what only the asker may read was shared"

    @scenario("buttons", "private", "command")
    async def test_a_private_answer_can_be_shared(self, stage: Stage) -> None:
        """A private answer that all may read stands before everyone once it is shared."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.command(person, DAYS, channel=channel)
        await stage.says(said, "28 days")

        await stage.press(person, said, "share")

        await stage.until(
            lambda: (
                "28 days"
                in joined([*stage.seen(said, other), *stage.chat.seen(other, channel=channel)])
            ),
            lambda: "nobody else sees the shared answer",
        )

    # --- quotes ---------------------------------------------------------------------------

    @scenario("groups", "buttons")
    async def test_quotes_are_refused_to_who_may_not_read_them(self, stage: Stage) -> None:
        """Who sees an answer but may not read its source any more gets no quotes of it."""
        person, channel = await stage.scene(GROUP)
        said = await stage.chat.say(person, SALARY, channel=channel)
        await stage.says(said, CANARY)

        stage.regroup(person)
        await stage.press(person, said, "quotes")
        await stage.settled()

        assert CANARY not in stage.told(person, said), (
            "ask host.quotes with the address of who presses"
        )

    @scenario("groups", "buttons")
    async def test_quotes_are_refused_to_another_member(self, stage: Stage) -> None:
        """Who joined the channel later and may read less gets no quotes of an old answer."""
        person, other = stage.person(GROUP), stage.person()
        channel = await stage.channel(person)
        said = await stage.chat.say(person, SALARY, channel=channel)
        await stage.says(said, CANARY)

        stage.readmit(channel, person, other)
        await stage.press(other, said, "quotes")
        await stage.settled()

        assert CANARY not in stage.told(other, said), (
            "ask host.quotes with the address of who presses"
        )

    @scenario("groups", "buttons")
    async def test_quotes_are_shown_to_who_may_read_them(self, stage: Stage) -> None:
        """Who may read a restricted source sees its quotes."""
        person, channel = await stage.scene(GROUP)
        said = await stage.chat.say(person, SALARY, channel=channel)
        await stage.says(said, CANARY)

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, CANARY)

    @scenario("edits", "groups")
    async def test_a_changed_question_reads_what_may_be_read_now(self, stage: Stage) -> None:
        """A question that is changed is answered for who reads now."""
        person, channel = await stage.scene(GROUP)
        said = await stage.chat.say(person, NOTE, channel=channel)
        await stage.reply(said)

        stage.regroup(person)
        await stage.chat.change(said, SALARY)
        await stage.settled()

        assert CANARY not in joined(stage.seen(said))
