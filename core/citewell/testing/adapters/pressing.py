"""Buttons and forms below answers, and what becomes of them in the journal."""

from __future__ import annotations

import re

from citewell.testing.adapters.library import DAYS, NOTE, QUOTE
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined
from citewell.types.chat import Voted
from citewell.types.rehearsal import Said

_PLACED = re.compile(r"Leave[^\w\n]+\w")
"""The title of the document, and more in its line."""


class Pressing:
    """Every button does what stands on it, for whoever presses it, also later."""

    # --- quotes ---------------------------------------------------------------------------

    @scenario("buttons")
    async def test_quotes_are_shown_as_they_stand_in_the_document(self, stage: Stage) -> None:
        """The button for quotes shows the characters of the document."""
        person, said = await _asked(stage)

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, QUOTE.rstrip("."))

    @scenario("buttons")
    async def test_quotes_have_their_source(self, stage: Stage) -> None:
        """Beside a quote stands the title of its document."""
        person, said = await _asked(stage)

        await stage.press(person, said, "quotes")

        told = await stage.until_told(person, said, QUOTE.rstrip("."))
        assert "Leave" in told, "show the title of each quote"

    @scenario("buttons")
    async def test_quotes_have_their_place(self, stage: Stage) -> None:
        """Beside a quote stands where in its document it is."""
        person, said = await _asked(stage)

        await stage.press(person, said, "quotes")

        told = await stage.until_told(person, said, QUOTE.rstrip("."))
        assert _PLACED.search(told), f"show the line or heading of each quote: {told!r}"

    @scenario("buttons")
    async def test_quotes_are_shown_in_their_surroundings(self, stage: Stage) -> None:
        """A quote stands between what is before and behind it."""
        person, said = await _asked(stage)

        await stage.press(person, said, "quotes")

        told = await stage.until_told(person, said, QUOTE.rstrip("."))
        assert "Unused days expire" in told, "show Quoted.before and Quoted.after"

    @scenario("buttons")
    async def test_quotes_are_shown_to_who_presses_alone(self, stage: Stage) -> None:
        """Nobody else sees the quotes that somebody looks at."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "quotes")
        await stage.until_told(person, said, QUOTE.rstrip("."))

        assert "Unused days" not in stage.told(other, said) + joined(stage.seen(said, other))

    @scenario("buttons")
    async def test_another_person_can_look_at_quotes(self, stage: Stage) -> None:
        """Whoever reads an answer can look at its quotes."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.press(other, said, "quotes")

        await stage.until_told(other, said, QUOTE.rstrip("."))

    @scenario("buttons", "direct")
    async def test_quotes_are_shown_directly(self, stage: Stage) -> None:
        """The button for quotes works in the direct conversation."""
        person = stage.person()
        said = await stage.chat.say(person, DAYS, mention=False)
        await stage.reply(said)

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, QUOTE.rstrip("."))

    @scenario("buttons", "command", "private")
    async def test_quotes_of_a_private_answer_are_shown(self, stage: Stage) -> None:
        """The button for quotes works below a private answer."""
        person, channel = await stage.scene()
        said = await stage.chat.command(person, DAYS, channel=channel)
        await stage.says(said, "28 days")

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, "Unused days expire")

    @scenario("buttons")
    async def test_sixty_quotes_can_be_looked_at(self, stage: Stage) -> None:
        """The quotes of an answer with many of them can be looked at."""
        person, channel = await stage.scene(profile="lockers")
        said = await stage.chat.say(person, "Whose are the lockers?", channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, "Locker 101 belongs to engineer101")

    @scenario("buttons")
    async def test_quotes_leave_the_answer_as_it_is(self, stage: Stage) -> None:
        """Looking at quotes changes nothing for others."""
        person, said = await _asked(stage)
        before = await stage.one_reply(said)

        await stage.press(person, said, "quotes")
        await stage.until_told(person, said, QUOTE.rstrip("."))

        public = [one for one in stage.seen(said) if one.only_for is None]
        assert [(one.id, one.text) for one in public] == [(before.id, before.text)]

    # --- votes ----------------------------------------------------------------------------

    @scenario("buttons")
    async def test_a_vote_is_kept(self, stage: Stage) -> None:
        """Who finds an answer helpful has that kept in the journal."""
        person, said = await _asked(stage)

        await stage.press(person, said, "helpful")

        assert await stage.votes(person, 1) == [(True, "")]

    @scenario("buttons")
    async def test_a_vote_against_is_kept(self, stage: Stage) -> None:
        """Who finds an answer not helpful has that kept, also without a reason."""
        person, said = await _asked(stage)

        await stage.press(person, said, "unhelpful")
        if stage.chat.form(person) is not None:
            await stage.chat.fill_in(person, "")

        assert await stage.votes(person, 1) == [(False, "")]

    @scenario("buttons", "forms")
    async def test_a_reason_is_kept(self, stage: Stage) -> None:
        """Who says why an answer is not helpful has the reason kept."""
        person, said = await _asked(stage)

        await stage.press(person, said, "unhelpful")
        await stage.chat.fill_in(person, "It is about another country.")

        await stage.until_voted(person, (False, "It is about another country."))

    @scenario("buttons", "forms")
    async def test_a_reason_of_odd_characters_is_kept(self, stage: Stage) -> None:
        """A reason is kept as it was written."""
        person, said = await _asked(stage)
        reason = "שלום 🎉 <b>&amp; @everyone"

        await stage.press(person, said, "unhelpful")
        await stage.chat.fill_in(person, reason)

        await stage.until_voted(person, (False, reason))

    @scenario("buttons", "forms")
    async def test_a_reason_is_read_by_nobody_there(self, stage: Stage) -> None:
        """A reason is not posted."""
        person, said = await _asked(stage)

        await stage.press(person, said, "unhelpful")
        await stage.chat.fill_in(person, "My secret reason.")
        await stage.until_voted(person, (False, "My secret reason."))

        public = [one for one in stage.seen(said) if one.only_for is None]
        assert "My secret reason." not in joined(public)

    @scenario("buttons")
    async def test_a_vote_can_be_changed(self, stage: Stage) -> None:
        """The last vote of a person counts, alone."""
        person, said = await _asked(stage)
        await stage.press(person, said, "unhelpful")
        if stage.chat.form(person) is not None:
            await stage.chat.fill_in(person, "")
        await stage.votes(person, 1)

        await stage.press(person, said, "helpful")

        await stage.until_voted(person, (True, ""))

    @scenario("buttons")
    async def test_a_vote_that_is_repeated_counts_once(self, stage: Stage) -> None:
        """Who presses a button twice has one vote."""
        person, said = await _asked(stage)

        await stage.press(person, said, "helpful")
        await stage.press(person, said, "helpful")
        await stage.settled()

        assert await stage.votes(person, 1) == [(True, "")]

    @scenario("buttons")
    async def test_each_person_has_a_vote(self, stage: Stage) -> None:
        """Two people who judge one answer have two votes."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "helpful")
        await stage.press(other, said, "unhelpful")
        if stage.chat.form(other) is not None:
            await stage.chat.fill_in(other, "")

        assert sorted(await stage.votes(person, 2)) == [(False, ""), (True, "")]

    @scenario("buttons")
    async def test_a_vote_names_the_answer(self, stage: Stage) -> None:
        """The adapter tells of which answer a vote is, and whose it is."""
        person, said = await _asked(stage)

        await stage.press(person, said, "helpful")
        await stage.votes(person, 1)

        def found() -> Voted | None:
            heard = (one for one in stage.bot.heard if isinstance(one, Voted))
            return next((one for one in heard if one.user == person), None)

        voted = await stage.until(found, lambda: f"{person} voted, and nothing was heard of it")
        assert voted.answer_id == stage.answers(person)[0].id

    @scenario("buttons")
    async def test_a_vote_changes_no_answer(self, stage: Stage) -> None:
        """An answer says the same after it was judged."""
        person, said = await _asked(stage)
        before = await stage.one_reply(said)

        await stage.press(person, said, "helpful")
        await stage.votes(person, 1)
        await stage.settled()

        public = [one for one in stage.seen(said) if one.only_for is None]
        assert [one.text for one in public] == [before.text]

    @scenario("buttons", "command", "private")
    async def test_a_private_answer_can_be_judged(self, stage: Stage) -> None:
        """A vote on a private answer is kept."""
        person, channel = await stage.scene()
        said = await stage.chat.command(person, DAYS, channel=channel)
        await stage.says(said, "28 days")

        await stage.press(person, said, "helpful")

        assert await stage.votes(person, 1) == [(True, "")]

    # --- a person instead -----------------------------------------------------------------

    @scenario("buttons")
    async def test_a_question_can_be_handed_off(self, stage: Stage) -> None:
        """Who asks a person instead has the question handed off, and hears so."""
        person, said = await _asked(stage)
        before = stage.told(person, said)

        await stage.press(person, said, "person")

        await stage.until(
            lambda: stage.told(person, said) != before or None,
            lambda: "who pressed the button hears nothing",
        )
        assert stage.handed_off(person) == 1

    @scenario("buttons")
    async def test_a_question_is_handed_off_once(self, stage: Stage) -> None:
        """A question that is handed off again is not told again, and who presses hears so."""
        person, said = await _asked(stage)
        await stage.press(person, said, "person")
        await stage.until(lambda: stage.handed_off(person) or None, lambda: "it was not handed off")

        await stage.press(person, said, "person")
        await stage.settled()

        assert stage.handed_off(person) == 1

    @scenario("buttons")
    async def test_a_refused_question_can_be_handed_off(self, stage: Stage) -> None:
        """Where the documents do not say it, a person can be asked."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, "Quokka zeppelin?", channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "person")

        await stage.until(lambda: stage.handed_off(person) or None, lambda: "it was not handed off")

    @scenario("buttons")
    async def test_a_failed_question_can_be_handed_off(self, stage: Stage) -> None:
        """Where no model answers, a person can be asked."""
        person, channel = await stage.scene(profile="failing")
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "person")

        await stage.until(lambda: stage.handed_off(person) or None, lambda: "it was not handed off")

    # --- later ----------------------------------------------------------------------------

    @scenario("buttons")
    async def test_quotes_are_shown_after_a_restart(self, stage: Stage) -> None:
        """The button for quotes of an old answer works in the next process."""
        person, said = await _asked(stage)
        await stage.restart()

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, QUOTE.rstrip("."))

    @scenario("buttons")
    async def test_a_vote_after_a_restart_is_kept(self, stage: Stage) -> None:
        """A vote on an old answer is kept by the next process."""
        person, said = await _asked(stage)
        await stage.restart()

        await stage.press(person, said, "helpful")

        assert await stage.votes(person, 1) == [(True, "")]

    @scenario("buttons")
    async def test_a_question_can_be_handed_off_after_a_restart(self, stage: Stage) -> None:
        """An old question can be handed off by the next process."""
        person, said = await _asked(stage)
        await stage.restart()

        await stage.press(person, said, "person")

        await stage.until(lambda: stage.handed_off(person) or None, lambda: "it was not handed off")

    @scenario("buttons", "edits")
    async def test_quotes_are_those_of_the_changed_question(self, stage: Stage) -> None:
        """After a question was changed the button shows the quotes of the new answer."""
        person, said = await _asked(stage)
        await stage.chat.change(said, NOTE)
        await stage.says(said, "fourth day")

        await stage.press(person, said, "quotes")

        await stage.until_told(person, said, "fourth day")

    @scenario("home")
    async def test_the_bot_has_a_page(self, stage: Stage) -> None:
        """The page of the bot says what is indexed and what somebody asked."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        def told() -> str | None:
            home = stage.chat.home(person) or ""
            return home if "handbook" in home and "paid leave" in home else None

        await stage.until(told, lambda: f"the page says {stage.chat.home(person)!r}")

    @scenario("home")
    async def test_the_page_shows_nothing_of_others(self, stage: Stage) -> None:
        """What somebody else asked is not on the page of the bot."""
        person, channel = await stage.scene()
        other = stage.person()
        said = await stage.chat.say(person, "Quokka zeppelin?", channel=channel)
        await stage.reply(said)

        await stage.until(
            lambda: "handbook" in (stage.chat.home(other) or "") or None,
            lambda: f"the page says {stage.chat.home(other)!r}",
        )
        assert "zeppelin" not in (stage.chat.home(other) or "")


async def _asked(stage: Stage) -> tuple[str, Said]:
    """Return somebody who has an answer, and the question."""
    person, channel = await stage.scene()
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.reply(said)
    return person, said
