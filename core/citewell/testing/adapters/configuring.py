"""What the settings of a service and of a channel say holds there, from the next question on."""

from __future__ import annotations

from citewell.testing.adapters.library import DAYS, NOTE
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined

_DAYS_SAID = "28 days"
_NOTE_SAID = "fourth day"


class Configuring:
    """A channel may be silent, have its own profile, and say whether threads go on."""

    @scenario("threads")
    async def test_a_channel_may_not_follow_up(self, stage: Stage) -> None:
        """With follow_up = false in a channel, what is said unmentioned in threads is ignored."""
        person, channel = await stage.scene(follow_up=False)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.say(person, NOTE, channel=channel, thread=said.thread, mention=False)
        await stage.settled()

        assert _NOTE_SAID not in joined(stage.seen(said)), "ask host.config.follows_up(channel)"

    @scenario("threads")
    async def test_a_service_may_not_follow_up(self, stage: Stage) -> None:
        """With follow_up = false, a channel follows up only where its own setting says so."""
        await stage.bot.configure(follow_up=False)
        person, channel = await stage.scene()
        willing = await stage.channel(person, follow_up=True)
        asked = [await stage.chat.say(person, DAYS, channel=place) for place in (channel, willing)]
        for said in asked:
            await stage.reply(said)

        for said in asked:
            await stage.chat.say(
                person, NOTE, channel=said.channel, thread=said.thread, mention=False
            )

        await stage.says(asked[1], _NOTE_SAID)
        await stage.settled()
        await stage.bot.configure(follow_up=True)
        assert _NOTE_SAID not in joined(stage.seen(asked[0])), "ask host.config.follows_up(channel)"

    @scenario("threads")
    async def test_a_mention_is_answered_where_nothing_follows_up(self, stage: Stage) -> None:
        """With follow_up = false a mention in the thread is still a question."""
        person, channel = await stage.scene(follow_up=False)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.chat.say(person, NOTE, channel=channel, thread=said.thread)

        await stage.says(said, _NOTE_SAID)

    @scenario()
    async def test_a_silent_channel_is_not_answered(self, stage: Stage) -> None:
        """With answers = false in a channel, nothing is answered there."""
        person, channel = await stage.scene(answers=False)

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.nothing(said)
        assert not stage.questions(person), "ask host.config.channel(channel).answers"

    @scenario("command")
    async def test_the_command_has_an_outcome_in_a_silent_channel(self, stage: Stage) -> None:
        """With answers = false the command reaches no model there."""
        person, channel = await stage.scene(answers=False)

        await stage.chat.command(person, DAYS, channel=channel)
        await stage.settled()

        assert not stage.questions(person), "ask host.config.channel(channel).answers"

    @scenario()
    async def test_a_channel_has_its_profile(self, stage: Stage) -> None:
        """The profile that a channel names answers there."""
        person, channel = await stage.scene(profile="shape-quote")

        said = await stage.chat.say(person, DAYS, channel=channel)

        await stage.says(said, "Quoted1")

    @scenario()
    async def test_a_service_has_its_profile(self, stage: Stage) -> None:
        """The profile that the service names answers, but where a channel names another."""
        await stage.bot.configure(profile="shape-quote")
        person, channel = await stage.scene()
        other, own = await stage.scene(profile="default")

        first = await stage.chat.say(person, DAYS, channel=channel)
        second = await stage.chat.say(other, DAYS, channel=own)

        assert "Quoted1" in joined(await stage.reply(first))
        await stage.says(second, _DAYS_SAID)
        await stage.bot.configure(profile=None)

    @scenario()
    async def test_settings_hold_from_the_next_question_on(self, stage: Stage) -> None:
        """A channel that is silenced while the bot runs is silent at once."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)
        await stage.configured(channel, answers=False)
        second = await stage.chat.say(person, NOTE, channel=channel)
        await stage.settled()

        assert _NOTE_SAID not in joined(stage.seen(second)), "read host.config anew each time"
