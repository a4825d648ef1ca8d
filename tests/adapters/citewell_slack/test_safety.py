"""Whatever happens on the way in or stands in an answer: one question each, and no harm."""

import pytest

from answers import citation
from citewell.blocks import (
    Action,
    Actions,
    Code,
    Heading,
    Notice,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)
from citewell.chat import Address, Asked, Venue
from citewell_slack.testing import notified, rendered

HOSTILE = (
    "<!channel> <!here|x> <!everyone> <!subteam^S1>",
    "<@U00000003> <#C1|x> @here",
    "<https://evil.example|a> https://evil.example www.evil.example mailto:a@evil.example",
    "[a](https://evil.example) ![b](https://evil.example/b.png)",
    "`<!channel>` ```\n<!channel>\n```",
    "&lt;!channel&gt; &amp;lt;!here&amp;gt;",
    "[1]: https://evil.example\n[1]",
)


def blocks_of(text):
    return [
        Heading((Span(text),), 1),
        Text((Span(text), Span(text, Style.STRONG), Span(text, Style.CODE))),
        Text((Span(text),), "-"),
        Text((Span(text),), ">"),
        Code(text, text),
        Notice(text),
        Table(((Span(text),),), (((Span(text, Style.EMPHASIS),),),)),
        SourceList((Source(1, (citation(1, text, title=text),)),)),
        Actions((Action("quotes", text, "a1"),)),
    ]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("way", ["posted", "streamed", "private"])
async def test_nothing_in_an_answer_pings_links_or_loads(
    adapter, double, alice, general, text, way
):
    asked = alice.say(general, "how many days?")
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=asked.ts)
    only_for = alice.id if way == "private" else None
    address = Address(venue=venue, only_for=only_for, data={"user": alice.id})
    reply = await adapter.open_reply(address, "k1")
    blocks = blocks_of(text)
    if way == "streamed":
        for count in range(1, 7):
            await reply.show([blocks[:count]], complete=False)
    await reply.show([blocks], complete=True)

    shown = double.workspace.shown_to(alice.id) if only_for else double.posted(general)
    assert shown
    for message in shown:
        for seen in (rendered(message), notified(message)):
            assert (seen.mentions, seen.images) == ([], [])
            assert {one.url for one in seen.links} <= {"https://example.org/leave.html"}
    assert all(message.content.unfurls is False for message in double.posted(general)) or (
        way == "streamed"
    )


async def test_whatever_happens_on_the_way_each_question_is_one(serving, double, alice, general):
    mishaps = double.deliveries.mishaps
    mishaps.duplicate, mishaps.late, mishaps.unheard = 0.3, 0.2, 0.2
    robot = double.add_person("robot", is_bot=True)
    general.members.append(robot.id)
    due = set()
    async with serving() as (_, host):
        for number in range(100):
            said = alice.say(general, f"{double.mention} number {number}?")
            due.add(said.ts)
            due.add(alice.say(alice.im, f"number {number}?").ts)
            alice.say(general, "lunch?")
            robot.say(general, f"{double.mention} number {number}?")
            if number % 5 == 0:
                alice.edit(said, f"{double.mention} changed {number}?")
            if number % 7 == 0:
                alice.delete(said)
        double.deliveries.release(shuffled=True)
        await double.deliveries.idle()
        await double.clock.advance(400)
        await double.deliveries.idle()

    keys = [one.key for one in host.of(Asked)]
    assert len(keys) == len(set(keys))
    assert set(keys) == due
