"""What documents and models say stays text: it pings nobody, links nowhere and loads nothing."""

from __future__ import annotations

import pytest

from citewell.testing.adapters.library import DAYS, LINKS, notice_question
from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage, joined
from citewell.testing.adapters.texts import HOSTILE
from citewell.types.rehearsal import Seen

_ASKED = "What is there to read?"


class Safety:
    """Whoever writes documents, or writes through a model, can do nothing but be read."""

    @pytest.mark.parametrize("name", HOSTILE)
    @scenario()
    async def test_a_document_does_nothing(self, stage: Stage, name: str) -> None:
        """What a document says pings nobody, links nowhere and loads nothing when it is quoted."""
        person, channel = await stage.scene()

        said = await stage.chat.say(person, notice_question(name), channel=channel)

        seen = await stage.reply(said)
        _is_harmless(seen, person)
        assert "office" in joined(seen) or "do not say" in joined(seen), (
            f"there is no answer: {joined(seen)!r}"
        )

    @pytest.mark.parametrize("name", HOSTILE)
    @scenario()
    async def test_a_model_does_nothing(self, stage: Stage, name: str) -> None:
        """What a model says by itself pings nobody, links nowhere and loads nothing."""
        person, channel = await stage.scene(profile=f"says-{name}")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        seen = await stage.reply(said)
        _is_harmless(seen, person)
        assert "Please read this" in joined(seen), f"nothing was said: {joined(seen)!r}"

    @scenario()
    async def test_a_hostile_model_does_nothing(self, stage: Stage) -> None:
        """A model that tries everything pings nobody, links nowhere and loads nothing."""
        person, channel = await stage.scene(profile="hostile")

        said = await stage.chat.say(person, DAYS, channel=channel)

        _is_harmless(await stage.reply(said), person)

    @scenario("direct")
    async def test_a_hostile_model_does_nothing_directly(self, stage: Stage) -> None:
        """A model that tries everything achieves nothing in a direct conversation."""
        person = stage.person()
        direct = await stage.chat.say(person, DAYS, mention=False)
        await stage.reply(direct)
        await stage.configured(direct.channel, profile="hostile")

        said = await stage.chat.say(person, DAYS, mention=False)

        await stage.settled()
        _is_harmless(await stage.reply(said), person)

    @scenario("command", "private")
    async def test_a_hostile_model_does_nothing_privately(self, stage: Stage) -> None:
        """A model that tries everything achieves nothing in a private answer."""
        person, channel = await stage.scene(profile="hostile")

        said = await stage.chat.command(person, DAYS, channel=channel)

        _is_harmless(await stage.reply(said), person)

    @scenario()
    async def test_a_growing_answer_does_nothing(self, stage: Stage) -> None:
        """Nor does anything happen while such an answer grows."""
        person, channel = await stage.scene(profile="hostile-slowly")

        said = await stage.chat.say(person, _ASKED, channel=channel)
        seen: list[Seen] = []

        def complete() -> bool | None:
            seen.extend(stage.seen(said))
            return (bool(seen) and not seen[-1].is_growing) or None

        await stage.until(complete, lambda: "no complete reply")
        _is_harmless(seen, person)

    @scenario("buttons")
    async def test_quotes_do_nothing(self, stage: Stage) -> None:
        """Quotes that are shown in their surroundings ping nobody and link only to sources."""
        person, channel = await stage.scene()
        said = await stage.chat.say(person, notice_question("everyone"), channel=channel)
        await stage.reply(said)

        await stage.press(person, said, "quotes")
        await stage.until_told(person, said, "everyone office")

        _is_harmless(stage.seen(said), person)

    @scenario("ask-about", "private")
    async def test_a_message_that_is_asked_about_does_nothing(self, stage: Stage) -> None:
        """A message that is asked about pings nobody when it is repeated."""
        person, other = stage.person(), stage.person()
        channel = await stage.channel(person, other)
        message = await stage.chat.say(
            other, f"@everyone <!channel> {DAYS}", channel=channel, mention=False
        )

        said = await stage.chat.ask_about(person, message)
        if stage.chat.form(person) is not None:
            await stage.chat.fill_in(person, DAYS)

        _is_harmless(await stage.reply(said), person)

    @scenario()
    async def test_a_question_does_nothing(self, stage: Stage) -> None:
        """A question that pings is not repeated as a ping."""
        person, channel = await stage.scene()

        said = await stage.chat.say(
            person, f"{DAYS} @everyone https://evil.example/q <!here>", channel=channel
        )

        _is_harmless(await stage.reply(said), person)


def _is_harmless(seen: list[Seen], asker: str) -> None:
    """Assert that messages ping nobody but the asker, link only to sources and load nothing."""
    pings = {ping for one in seen for ping in one.pings if ping.rpartition(":")[2] != asker}
    links = {link for one in seen for link in one.links if not link.startswith(LINKS)}
    loads = {load for one in seen for load in (*one.images, *one.previews)}
    assert not pings, f"it pings {sorted(pings)}; neutralise what is no mention of ours"
    assert not links, f"it links {sorted(links)}; link nothing but sources"
    assert not loads, f"it loads {sorted(loads)}; turn previews and images off"
