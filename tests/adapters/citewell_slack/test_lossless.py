"""However long an answer is, all of it arrives: letters, marks, sources and buttons."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers import citation
from citewell.blocks import (
    Action,
    Actions,
    Code,
    Heading,
    Mark,
    Notice,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)
from citewell.chat import Address, Venue
from citewell.delivery.splitting import split
from citewell_slack.encoding import Encoder
from citewell_slack.testing import rendered
from citewell_slack.testing.blocks import check_blocks
from citewell_slack.testing.limits import Limits

ENCODER = Encoder(has_person=lambda: True)
NAMES = ("quotes", "helpful", "unhelpful", "person", "private", "share")
BUTTONS = Actions(tuple(Action(name, name, "a1") for name in NAMES))


@dataclass
class Shown:
    blocks: list = field(default_factory=list)
    text: str = ""


def bare(text):
    return "".join(filter(str.isalnum, text))


def words_of(block):
    match block:
        case Text(inlines) | Heading(inlines):
            return inlines_of(inlines)
        case Code(text) | Notice(text):
            return text
        case Table(header, rows):
            return "".join(inlines_of(cell) for row in (header, *rows) for cell in row)
        case SourceList(sources):
            return "".join(one.citations[0].quote for one in sources)
    return ""


def inlines_of(inlines):
    return "".join(str(one.number) if isinstance(one, Mark) else one.text for one in inlines)


def shown_of(messages):
    """Return what a person sees of messages, each of which Slack takes."""
    text, buttons = "", []
    for message in messages:
        encoded = ENCODER.encode(message)
        Limits().check_blocks(check_blocks(encoded))
        seen = rendered(Shown(encoded))
        text += seen.text
        buttons += [one.value for one in seen.buttons]
    return text, buttons


_SPANS = st.lists(
    st.one_of(
        st.builds(Span, st.text(max_size=5000), st.sampled_from(Style)),
        st.builds(Mark, st.integers(1, 60)),
    ),
    max_size=5,
).map(tuple)
_BLOCKS = st.one_of(
    st.builds(Text, _SPANS, st.sampled_from(["", "-", "1.", ">"]), st.integers(0, 3)),
    st.builds(Heading, _SPANS, st.integers(1, 6)),
    st.builds(Code, st.text(max_size=15_000), st.just("py")),
    st.builds(Notice, st.text(max_size=9000)),
)


@settings(max_examples=60, suppress_health_check=[*HealthCheck], deadline=None)
@given(st.lists(_BLOCKS, max_size=10))
def test_every_letter_survives_the_cut(blocks):
    messages = split([*blocks, BUTTONS], ENCODER.fits)
    text, buttons = shown_of(messages)

    # The code keeps its language in each of its parts.
    shown = bare(text.replace("```py", ""))
    rest = iter(shown)
    assert all(letter in rest for block in blocks for letter in bare(words_of(block)))
    assert sorted(buttons) == sorted(f"{name}:a1" for name in NAMES)


@pytest.mark.parametrize("way", ["streamed", "posted"])
async def test_a_very_long_answer_arrives_whole(adapter, double, alice, general, way):
    asked = alice.say(general, "everything?")
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=asked.ts)
    address = Address(venue=venue, data={"user": alice.id, "ts": asked.ts})
    words = [f"word{number} مرحبا 👩‍👩‍👧‍👦" for number in range(1500)]
    cell = (Span("x" * 30),)
    blocks = [
        *(
            Text((Span(" ".join(words[at : at + 100])), Mark(at // 100 + 1)))
            for at in range(0, len(words), 100)
        ),
        Code("\n".join(f"line {number}" for number in range(2000)), "sh"),
        Table((cell, cell), ((cell, cell),) * 300),
        SourceList(
            tuple(
                Source(number, (citation(number, f"quote {number} " * 20),))
                for number in range(1, 61)
            )
        ),
        Notice("60 of 60 statements supported"),
        BUTTONS,
    ]

    def messages(count):
        return split(blocks[:count], lambda part: adapter.fits(part, address))

    reply = await adapter.open_reply(address, "k1")
    if way == "streamed":
        for count in range(1, len(blocks), 2):
            await reply.show(messages(count), complete=False)
    await reply.show(messages(len(blocks)), complete=True)

    posted = double.posted(general)
    text = "\n".join(rendered(one).text for one in posted)
    assert not any(one.is_streaming for one in posted)
    assert all(text.count(f"word{number} ") == 1 for number in range(1500))
    assert all(f"line {number}\n" in text for number in range(2000))
    assert text.count("x" * 30) >= 600
    assert all(text.count(f"[{number}] Leave") == 1 for number in range(1, 61))
    assert all(text.count(f"quote {number} " * 20) == 1 for number in range(1, 61))
    buttons = [button.value for one in posted for button in rendered(one).buttons]
    # There is nobody to ask.
    assert sorted(buttons) == sorted(f"{name}:a1" for name in NAMES if name != "person")
    assert [one.ts for one in posted] == [*reply.posted]
