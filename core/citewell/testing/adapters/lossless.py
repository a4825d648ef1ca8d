"""Nothing of an answer is lost, however long and whatever its form."""

from __future__ import annotations

import re

import pytest

from citewell.testing.adapters.scenario import scenario
from citewell.testing.adapters.stage import Stage
from citewell.testing.adapters.texts import LOCKER_COUNT, LOCKERS, SHAPES
from citewell.types.rehearsal import Seen

_WORD = re.compile(r"\w+")
_MARK = re.compile(r"\[1\]")
_EMOJI = ("🎉", "👨", "👩", "👧", "🇳🇴", "👍")
_ASKED = "Please say it."


class Lossless:
    """Every character, mark, source and button survives, over as many messages as it takes."""

    @pytest.mark.parametrize("name", SHAPES)
    @scenario()
    async def test_every_word_survives(self, stage: Stage, name: str) -> None:
        """Every word of an answer is shown, in order."""
        person, channel = await stage.scene(profile=name)

        said = await stage.chat.say(person, _ASKED, channel=channel)

        lost = _lost(_words(SHAPES[name]), await stage.reply(said))
        assert not lost, f"{len(lost)} words were lost or moved, like {lost[:3]}"

    @pytest.mark.parametrize("name", SHAPES)
    @scenario("direct")
    async def test_every_word_survives_directly(self, stage: Stage, name: str) -> None:
        """Every word of an answer is shown in the direct conversation, in order."""
        person = stage.person()
        direct = await stage.chat.say(person, "Quokka zeppelin?", mention=False)
        await stage.reply(direct)
        await stage.configured(direct.channel, profile=name)

        said = await stage.chat.say(person, _ASKED, mention=False)
        await stage.settled()

        lost = _lost(_words(SHAPES[name]), await stage.reply(said))
        assert not lost, f"{len(lost)} words were lost or moved, like {lost[:3]}"

    @scenario("command", "private")
    async def test_a_long_private_answer_survives(self, stage: Stage) -> None:
        """Every word of 30,000 characters is shown to the one person who sees them."""
        person, channel = await stage.scene(profile="shape-long")

        said = await stage.chat.command(person, _ASKED, channel=channel)

        lost = _lost(_words(SHAPES["shape-long"]), await stage.reply(said))
        assert not lost, f"{len(lost)} words were lost or moved, like {lost[:3]}"

    @scenario()
    async def test_every_line_of_code_survives(self, stage: Stage) -> None:
        """Every line of code is shown as it is, with its operators."""
        person, channel = await stage.scene(profile="shape-fence")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        text = _text(await stage.reply(said))
        lines = SHAPES["shape-fence"].partition("```python\n")[2].partition("\n```")[0].split("\n")
        lost = [line for line in lines if line not in text]
        assert not lost, f"{len(lost)} lines of code were lost or changed, like {lost[0]!r}"

    @scenario()
    async def test_every_row_of_a_table_survives(self, stage: Stage) -> None:
        """The cells of each row of a table stand together."""
        person, channel = await stage.scene(profile="shape-table")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        text = _text(await stage.reply(said))
        for row in range(40):
            found = re.search(rf"row{row}\b.{{0,300}}?remark{row}\b", text, re.DOTALL)
            assert found, f"row {row} is torn apart"
            assert f"value{row}" in found[0], f"row {row} has lost a cell"

    @scenario()
    async def test_emoji_survive(self, stage: Stage) -> None:
        """Emoji are shown, those of several characters too."""
        person, channel = await stage.scene(profile="shape-emoji")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        text = _text(await stage.reply(said))
        assert [one for one in _EMOJI if one not in text] == []

    @scenario()
    async def test_punctuation_survives(self, stage: Stage) -> None:
        """Characters that are markup of a platform are shown as characters."""
        person, channel = await stage.scene(profile="shape-punctuation")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        text = _text(await stage.reply(said))
        lost = [one for one in "*_~|#>" if one not in text]
        assert not lost, f"{lost} vanished; escape what is markup of the platform: {text!r}"

    @scenario()
    async def test_angle_brackets_survive(self, stage: Stage) -> None:
        """Signs that are markup of HTML are shown as what they are."""
        person, channel = await stage.scene(profile="shape-html-characters")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        text = _text(await stage.reply(said))
        assert "a1 < b2 && c3 > d4" in text, f"it became {text!r}"

    @scenario()
    async def test_right_to_left_text_survives(self, stage: Stage) -> None:
        """Right-to-left text keeps its characters in their order."""
        person, channel = await stage.scene(profile="shape-right-to-left")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        assert "הוא שלום עולם" in _text(await stage.reply(said))

    @scenario()
    async def test_sixty_citations_survive(self, stage: Stage) -> None:
        """Each of sixty statements keeps its mark."""
        person, channel = await stage.scene(profile="lockers")

        said = await stage.chat.say(person, "Whose are the lockers?", channel=channel)

        text = _text(await stage.reply(said))
        marks = len(_MARK.findall(text))
        assert marks >= LOCKER_COUNT, f"{marks} marks of {LOCKER_COUNT} are shown"

    @scenario()
    async def test_sixty_statements_survive(self, stage: Stage) -> None:
        """Each of sixty cited statements is shown, in order."""
        person, channel = await stage.scene(profile="lockers")

        said = await stage.chat.say(person, "Whose are the lockers?", channel=channel)

        lost = _lost(_words(LOCKERS), await stage.reply(said))
        assert not lost, f"{len(lost)} words were lost or moved, like {lost[:3]}"

    @scenario()
    async def test_the_source_of_sixty_citations_survives(self, stage: Stage) -> None:
        """Below sixty citations their source is listed, and linked where it can be."""
        person, channel = await stage.scene(profile="lockers")

        said = await stage.chat.say(person, "Whose are the lockers?", channel=channel)

        seen = await stage.reply(said)
        assert any("lockers.txt" in link for one in seen for link in one.links), (
            "sources are never what is cut"
        )

    @scenario("buttons")
    async def test_the_buttons_of_a_long_answer_survive(self, stage: Stage) -> None:
        """Below an answer of many messages the buttons are there."""
        person, channel = await stage.scene(profile="shape-long")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        seen = await stage.reply(said)
        assert any(one.button("helpful") for one in seen), "buttons are never what is cut"

    @scenario()
    async def test_a_long_answer_is_not_repeated(self, stage: Stage) -> None:
        """No part of an answer of many messages is shown twice."""
        person, channel = await stage.scene(profile="shape-long")

        said = await stage.chat.say(person, _ASKED, channel=channel)

        text = _text(await stage.reply(said))
        counts = [text.count(f"Paragraph{number} ") for number in (7, 100, 229)]
        assert counts == [1, 1, 1], "a part is there twice, or not at all"

    @scenario("edits")
    async def test_a_long_answer_can_become_short(self, stage: Stage) -> None:
        """A question that is changed from a long answer to a short one leaves no rest."""
        person, channel = await stage.scene(profile="lockers")
        said = await stage.chat.say(person, "Whose are the lockers?", channel=channel)
        await stage.reply(said)

        await stage.chat.change(said, "Quokka zeppelin?")
        await stage.until(
            lambda: f"engineer{100 + LOCKER_COUNT}" not in _text(stage.seen(said)),
            lambda: "messages of the long answer are still there",
        )

        assert len(await stage.reply(said)) == 1, "messages that are too much stay empty"


def _text(seen: list[Seen]) -> str:
    # A part of a word may end one message and begin the next.
    return "".join(one.text for one in seen)


def _words(text: str) -> list[str]:
    """Return the words that are shown; the language of code is none of them."""
    return _WORD.findall(text.replace("```python", ""))


def _lost(words: list[str], seen: list[Seen]) -> list[str]:
    """Return the words that do not stand there in this order, wherever the lines end."""
    text, at = "".join(_text(seen).split()), 0
    lost: list[str] = []
    for word in words:
        found = text.find(word, at)
        if found < 0:
            lost.append(word[:40])
        else:
            at = found + len(word)
    return lost
