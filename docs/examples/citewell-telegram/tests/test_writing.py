"""How blocks become a message."""

from __future__ import annotations

import pytest

from citewell.blocks import Action, Actions, Code, Heading, Mark, Span, Style, Text
from citewell_telegram.writing import Written, inert


def test_parts_are_set_apart_by_entities_as_telegram_counts() -> None:
    blocks = [Text((Span("\U0001f98a fox "), Span("red", Style.STRONG), Mark(1)))]

    written = Written(blocks)

    assert written.text == "\U0001f98a fox red[1]"
    (bold,) = written.entities
    assert (bold.type, bold.offset, bold.length) == ("bold", 7, 3)


def test_code_stays_as_it_is() -> None:
    written = Written([Heading((Span("Run"),), 2), Code("x.run(@y)  # https://z.example")])

    assert written.text == "Run\n\nx.run(@y)  # https://z.example"
    assert [one.type for one in written.entities] == ["bold", "pre"]


@pytest.mark.parametrize(
    "text", ["@everyone", "https://evil.example/x", "evil.com", "boss@evil.com", "/stop", "#tag"]
)
def test_what_telegram_would_make_something_of_is_broken_invisibly(text: str) -> None:
    broken = inert(text)

    assert broken != text
    assert broken.replace("\u2060", "") == text


@pytest.mark.parametrize("text", ["28 days", "3.5 and 1,200", "a < b && c", "End. Begin", "don't"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_only_known_actions_have_buttons() -> None:
    actions = (Action("quotes", "Quotes", "7m2kq4x9ab"), Action("share", "Share", "7m2kq4x9ab"))

    keyboard = Written([Actions(actions)]).keyboard

    assert keyboard is not None
    assert [[key.callback_data for key in row] for row in keyboard.inline_keyboard] == [
        ["quotes:7m2kq4x9ab"]
    ]


def test_a_message_is_never_longer_than_telegram_takes() -> None:
    assert Written([Text((Span("x" * 3900),))]).fits
    assert not Written([Text((Span("\U0001f98a" * 2100),))]).fits
