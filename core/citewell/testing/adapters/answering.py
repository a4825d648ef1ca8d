"""How an answer is shown."""

from __future__ import annotations

from citewell.testing.adapters.library import CANARY, DAYS, LINKS, NOTE, QUOTE, UNKNOWN
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined

_MOST_CHANGES = 200


class Answering:
    """One reply, with its sources, also while it grows and where it fails."""

    @scenario()
    async def test_a_question_has_one_reply(self, stage: Stage) -> None:
        """A question is answered with exactly one message."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        assert QUOTE.rstrip(".") in (await stage.one_reply(said)).text

    @scenario("threads")
    async def test_the_answer_stands_in_the_thread(self, stage: Stage) -> None:
        """What is asked in a channel is answered in the thread of the question, not beside it."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        assert said.thread, "say() returns the thread in which the answer is looked for"
        assert not stage.chat.seen(person, channel=channel), "the answer stands in the channel"

    @scenario("threads")
    async def test_each_question_has_its_own_thread(self, stage: Stage) -> None:
        """Two questions in a channel are answered in two threads."""
        person, channel = await stage.scene()

        first = await stage.chat.say(person, DAYS, channel=channel)
        second = await stage.chat.say(person, NOTE, channel=channel)
        await stage.reply(first)
        await stage.reply(second)

        assert first.thread != second.thread
        assert len(stage.seen(first)) == len(stage.seen(second)) == 1

    @scenario()
    async def test_a_mark_stands_behind_its_statement(self, stage: Stage) -> None:
        """The mark [1] is shown where the statement ends."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        text = (await stage.one_reply(said)).text
        behind = text.partition("leave a year")[2]
        assert behind.lstrip(". \u00a0").startswith("[1]"), f"no [1] behind the statement: {text!r}"

    @scenario()
    async def test_a_source_has_its_title(self, stage: Stage) -> None:
        """The source list names the document of each mark."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        sources = joined(await stage.reply(said)).partition("leave a year")[2]
        assert "Leave" in sources, "show the title of each source"

    @scenario()
    async def test_a_source_has_its_place(self, stage: Stage) -> None:
        """The source list says where in the document the quote stands."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, NOTE, channel=channel)

        text = joined(await stage.reply(said))
        is_there = "line 7" in text or "Sick leave" in text or "7" in text.partition("[1]")[2]
        assert is_there, f"show the line or heading of each source: {text!r}"

    @scenario()
    async def test_a_source_is_linked(self, stage: Stage) -> None:
        """A source that has an address can be opened."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        links = [link for one in await stage.reply(said) for link in one.links]
        assert any(link.startswith(f"{LINKS}leave.md") for link in links), (
            f"link the address of each source; there are: {links}"
        )

    @scenario()
    async def test_nothing_but_sources_is_linked(self, stage: Stage) -> None:
        """Every address that can be opened is that of a source."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        links = [link for one in await stage.reply(said) for link in one.links]
        assert all(link.startswith(LINKS) for link in links), f"other links: {links}"

    @scenario()
    async def test_how_much_is_supported_is_told(self, stage: Stage) -> None:
        """The line below an answer tells how many of its statements are supported."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        assert "1 of 1 statement supported" in joined(await stage.reply(said)), "show every Notice"

    @scenario()
    async def test_a_refusal_says_where_to_look(self, stage: Stage) -> None:
        """What the documents do not say is refused, with the nearest sources."""
        person, channel = await stage.scene(profile="refusing")

        said = await stage.chat.say(person, UNKNOWN, channel=channel)

        text = joined(await stage.reply(said))
        assert "do not say" in text or "not say" in text, f"no refusal: {text!r}"
        assert "Leave" in text, f"show every NearestList: {text!r}"

    @scenario()
    async def test_what_nothing_is_known_of_is_refused(self, stage: Stage) -> None:
        """A question without any passage gets a refusal, not silence."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, "Quokka zeppelin?", channel=channel)

        assert (await stage.one_reply(said)).text.strip(), "an empty message was posted"

    @scenario()
    async def test_a_fallback_answers(self, stage: Stage) -> None:
        """Where the first model fails, the next one answers in the same reply."""
        person, channel = await stage.scene(profile="falling-back")

        said = await stage.chat.say(person, DAYS, channel=channel)

        assert "28 days" in (await stage.one_reply(said)).text

    @scenario()
    async def test_a_failure_is_told(self, stage: Stage) -> None:
        """Where no model answers, the reply says so."""
        person, channel = await stage.scene(profile="failing")

        said = await stage.chat.say(person, DAYS, channel=channel)

        text = (await stage.one_reply(said)).text
        assert "no model could answer" in text, f"show every Notice: {text!r}"

    @scenario()
    async def test_a_failure_has_a_reference(self, stage: Stage) -> None:
        """A reply that says that it failed gives a reference to ask about."""
        person, channel = await stage.scene(profile="failing")

        said = await stage.chat.say(person, DAYS, channel=channel)

        text = (await stage.one_reply(said)).text
        assert "reference" in text.lower(), f"no reference: {text!r}"

    @scenario()
    async def test_a_failure_shows_no_insides(self, stage: Stage) -> None:
        """A reply that says that it failed names no module, path or exception."""
        person, channel = await stage.scene(profile="failing")

        said = await stage.chat.say(person, DAYS, channel=channel)

        text = (await stage.one_reply(said)).text
        assert "Traceback" not in text, f"insides are shown: {text!r}"
        assert "Error" not in text, f"insides are shown: {text!r}"

    @scenario()
    async def test_a_growing_answer_is_shown(self, stage: Stage) -> None:
        """An answer that takes long is shown while it grows, as unfinished."""
        person, channel = await stage.scene(profile="slower")

        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.growing(said)
        after = await stage.one_reply(said)

        assert len(before.text) < len(after.text), "nothing was shown before the end"

    @scenario()
    async def test_a_growing_answer_stays_one_message(self, stage: Stage) -> None:
        """The message that grew is the one that is complete."""
        person, channel = await stage.scene(profile="slower")

        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.growing(said)
        after = await stage.one_reply(said)

        assert before.id == after.id, "show() posted a second message instead of changing the first"

    @scenario()
    async def test_a_growing_answer_ends_complete(self, stage: Stage) -> None:
        """What grew ends with everything: both statements, and the sources."""
        person, channel = await stage.scene(profile="slow")

        said = await stage.chat.say(person, DAYS, channel=channel)

        text = (await stage.one_reply(said)).text
        assert "28 days" in text
        assert "31 March" in text
        assert "2 of 2 statements supported" in text

    @scenario()
    async def test_a_growing_answer_asserts_nothing_unchecked(self, stage: Stage) -> None:
        """While it grows, an answer shows only what stays."""
        person, channel = await stage.scene(profile="slower")

        said = await stage.chat.say(person, DAYS, channel=channel)
        before = await stage.growing(said)
        after = await stage.one_reply(said)

        words = [word for word in before.text.split() if word.isalpha()]
        gone = [word for word in words if word not in after.text]
        # The mark of what is unfinished may go, statements may not.
        assert len(gone) <= 3, f"shown and taken back: {gone}"

    @scenario()
    async def test_a_growing_answer_is_not_changed_too_often(self, stage: Stage) -> None:
        """The pace that the adapter names is kept."""
        person, channel = await stage.scene(profile="slower")

        said = await stage.chat.say(person, DAYS, channel=channel)

        assert (await stage.one_reply(said)).changes < _MOST_CHANGES, "raise pace_s"

    @scenario()
    async def test_an_answer_has_no_buttons_before_it_is_complete(self, stage: Stage) -> None:
        """Nothing can be judged or passed on before it is there."""
        person, channel = await stage.scene(profile="slower")

        said = await stage.chat.say(person, DAYS, channel=channel)

        assert not (await stage.growing(said)).buttons, "buttons stand below a growing answer"

    @scenario("buttons")
    async def test_an_answer_has_its_buttons(self, stage: Stage) -> None:
        """A complete answer has buttons for its quotes and for whether it helped."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        seen = await stage.reply(said)
        names = {button.name for one in seen for button in one.buttons}
        assert {"quotes", "helpful", "unhelpful"} <= names, f"there are: {sorted(names)}"

    @scenario("buttons")
    async def test_buttons_stand_below_once(self, stage: Stage) -> None:
        """Each button stands below an answer once, in its last message."""
        person, channel = await stage.scene(profile="lockers")

        said = await stage.chat.say(person, "Whose are the lockers?", channel=channel)

        seen = await stage.reply(said)
        names = [button.name for one in seen for button in one.buttons]
        assert len(names) == len(set(names)), f"buttons are there twice: {names}"
        assert seen[-1].button("quotes") is not None, "the buttons are not in the last message"

    @scenario("buttons")
    async def test_buttons_are_labelled(self, stage: Stage) -> None:
        """Each button has a label."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        seen = await stage.reply(said)
        assert all(button.label.strip() for one in seen for button in one.buttons)

    @scenario("buttons")
    async def test_a_failure_has_no_quotes(self, stage: Stage) -> None:
        """Where nothing was quoted there is no button for quotes."""
        person, channel = await stage.scene(profile="failing")

        said = await stage.chat.say(person, DAYS, channel=channel)

        seen = await stage.reply(said)
        assert not any(one.button("quotes") for one in seen), "show only the actions of `Actions`"

    @scenario()
    async def test_an_answer_without_sources_is_labelled(self, stage: Stage) -> None:
        """What a profile without a retriever says stands under its label."""
        person, channel = await stage.scene(profile="shape-quote")

        said = await stage.chat.say(person, DAYS, channel=channel)

        text = (await stage.one_reply(said)).text
        assert "answered without sources" in text, f"the label is missing: {text!r}"
        assert text.index("answered without sources") < text.index("Quoted1"), "it stands below"

    @scenario()
    async def test_an_answer_without_sources_has_no_links(self, stage: Stage) -> None:
        """What a profile without a retriever says links nowhere."""
        person, channel = await stage.scene(profile="shape-quote")

        said = await stage.chat.say(person, DAYS, channel=channel)

        assert not (await stage.one_reply(said)).links

    @scenario()
    async def test_an_answer_is_told_to_nobody(self, stage: Stage) -> None:
        """An answer notifies nobody beyond the thread that it stands in."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        pings = [ping for one in await stage.reply(said) for ping in one.pings]
        assert all(one.rpartition(":")[2] == person for one in pings), f"it pings {pings}"

    @scenario()
    async def test_an_answer_previews_nothing(self, stage: Stage) -> None:
        """The links of sources are not unfolded."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, DAYS, channel=channel)

        seen = await stage.reply(said)
        assert not any(one.previews or one.images for one in seen), "turn previews off"

    @scenario()
    async def test_what_was_said_before_is_remembered(self, stage: Stage) -> None:
        """A follow-up leans on what was asked before it in its conversation."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.reply(said)

        second = await stage.chat.say(
            person, "And how much of it?", channel=channel, thread=said.thread
        )

        seen = await stage.says(second, "28 days")
        assert CANARY not in joined(seen)
