"""What the buttons under an answer do."""

import asyncio

import pytest

from answers import citation
from citewell import Place
from citewell.blocks import Action, Actions, Source, SourceList, Span, Text
from citewell.chat import Address, Asked, HandOff, Quoted, Venue, Voted
from citewell_slack import handing
from citewell_slack.pressing import NO_MEMBER, SHARED, SHOWN
from citewell_slack.quoting import NOTHING
from citewell_slack.testing import Mention, rendered

NAMES = ("quotes", "helpful", "unhelpful", "person", "private", "share")
LABELS = ("Show the quotes", "Helpful", "Not helpful", "Ask a person", "For me", "Share")
BUTTONS = Actions(
    tuple(Action(name, label, "a1") for name, label in zip(NAMES, LABELS, strict=True))
)


def quoted(number=1, **more):
    given = {
        "title": "Leave",
        "uri": "https://example.org/leave.html",
        "place": Place(page=3, headings=("Annual",)),
        "before": "Before. ",
        "quote": "Everyone has 25 days.",
        "after": " After.",
    }
    return Quoted(number=number, **(given | more))


@pytest.fixture
def help_channel(double):
    return double.add_channel("help")


@pytest.fixture
def helpers(double):
    return double.add_group("helpers")


@pytest.fixture
async def served(serving, help_channel, helpers):
    async with serving(hand_off={"channel": help_channel.id, "group": helpers.id}) as pair:
        yield pair


@pytest.fixture
def host(served):
    return served[1]


@pytest.fixture
async def answered(served, double, alice, general):
    """A public answer with every button."""
    adapter, _ = served
    asked = alice.say(general, f"{double.mention} how many days?")
    await double.deliveries.idle()
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=asked.ts)
    address = Address(venue=venue, data={"user": alice.id, "ts": asked.ts})
    reply = await adapter.open_reply(address, "k1")
    await reply.show([[Text((Span("25 days"),)), BUTTONS]], complete=True)
    return double.posted(general)[0]


def button(message, name):
    return next(one for one in rendered(message).buttons if one.value.startswith(f"{name}:"))


async def press(person, message, name):
    return await person.click(message, button(message, name)).settled()


async def test_every_action_has_its_button(answered):
    shown = rendered(answered).buttons

    assert {one.value for one in shown} == {f"{name}:a1" for name in NAMES}
    assert {one.text for one in shown} == {*LABELS}


async def test_quotes_are_shown_marked_in_their_surroundings(host, double, alice, answered):
    host.quoted = [quoted(1), quoted(2, title="Sick", uri=None, place=Place(line=7))]
    await press(alice, answered, "quotes")

    view = rendered(alice.modal())
    assert "[1] Leave, page 3, Annual" in view.text
    assert "Before. Everyone has 25 days. After." in view.text
    assert "[2] Sick, line 7" in view.text
    assert [one.url for one in view.links] == ["https://example.org/leave.html#page=3"]
    bold = [
        element["text"]
        for block in alice.modal().blocks
        for part in block["elements"]
        for element in part["elements"]
        if element.get("style", {}).get("bold")
    ]
    assert bold == ["Everyone has 25 days."] * 2
    answer_id, address = host.asked_for[-1]
    assert (answer_id, address.only_for, address.venue.channel) == (
        "a1",
        alice.id,
        answered.channel,
    )


async def test_what_nobody_may_read_any_more_is_not_shown(host, alice, answered):
    await press(alice, answered, "quotes")

    assert rendered(alice.modal()).text == NOTHING


async def test_more_quotes_than_fit_are_counted(host, alice, answered):
    host.quoted = [quoted(number, quote="x" * 3000) for number in range(1, 31)]
    await press(alice, answered, "quotes")

    text = rendered(alice.modal()).text
    assert text.count("[") + int(text.rpartition("\n")[2].partition(" ")[0]) == 30
    assert text.endswith("more quotes are not shown")


async def test_long_surroundings_are_cut_at_words(host, alice, answered):
    host.quoted = [quoted(before="word " * 500, after=" word" * 500)]
    await press(alice, answered, "quotes")

    text = rendered(alice.modal()).text
    assert "Everyone has 25 days." in text
    assert len(text) < 1000


async def test_a_helpful_answer_is_voted_for(host, alice, answered):
    delivery = await press(alice, answered, "helpful")

    (vote,) = host.of(Voted)
    assert (vote.answer_id, vote.helpful, vote.user, vote.reason) == ("a1", True, alice.id, "")
    assert delivery.state == "acknowledged"


async def test_a_press_that_comes_twice_is_one_vote(host, double, alice, answered):
    delivery = await press(alice, answered, "helpful")
    await double.deliveries.repeat(delivery).settled()

    assert len(host.of(Voted)) == 1


async def test_who_finds_an_answer_bad_is_asked_why(host, alice, answered):
    await press(alice, answered, "unhelpful")
    assert [one.helpful for one in host.of(Voted)] == [False]
    await alice.submit({"citewell_reason": " It is 28. "}).settled()

    first, second = host.of(Voted)
    assert (second.helpful, second.reason, second.answer_id) == (False, "It is 28.", "a1")
    assert second.venue == first.venue
    assert first.key != second.key


async def test_no_reason_need_be_given(host, alice, answered):
    await press(alice, answered, "unhelpful")
    delivery = await alice.submit({}).settled()

    assert delivery.state == "acknowledged"
    assert len(host.of(Voted)) == 1


async def test_a_vote_that_cannot_be_kept_is_not_acknowledged(
    host, double, alice, answered, eventually
):
    host.failures = 1
    delivery = alice.click(answered, button(answered, "helpful"))
    await eventually(lambda: not host.failures)
    await double.clock.advance(3)

    assert (await delivery.settled()).state == "lost"


@pytest.mark.parametrize(("name", "is_private"), [("private", True), ("share", False)])
async def test_a_question_is_asked_again_for_other_readers(
    host, double, alice, answered, name, is_private
):
    delivery = await press(alice, answered, name)
    await double.deliveries.repeat(delivery).settled()

    again = host.of(Asked)[-1]
    assert len(host.of(Asked)) == 2
    assert (again.again, again.text, again.user) == ("a1", "", alice.id)
    assert again.key.startswith(f"{name}-a1-{alice.id}")
    assert double.workspace.shown_to(alice.id) == []
    assert again.address.only_for == (alice.id if is_private else None)
    assert again.address.venue == host.of(Asked)[0].venue


@pytest.mark.parametrize(("name", "told"), [("private", SHOWN), ("share", SHARED)])
async def test_a_second_click_is_no_second_answer(host, double, alice, answered, name, told):
    await press(alice, answered, name)
    await press(alice, answered, name)

    assert len(host.of(Asked)) == 2
    assert [one.text for one in double.workspace.shown_to(alice.id)] == [told]


async def test_a_private_answer_can_be_asked_for_later_again(host, double, alice, answered):
    await press(alice, answered, "private")
    await double.clock.advance(600)
    await press(alice, answered, "private")

    assert len({one.key for one in host.of(Asked)}) == 3


@pytest.mark.parametrize("is_private", [False, True])
async def test_where_the_bot_is_no_member_nothing_is_shared(
    served, host, double, alice, is_private
):
    away = double.add_channel("away", [alice], is_private=is_private, has_bot=False)
    adapter, _ = served
    await alice.command("/ask", "how many days?", channel=away).settled()
    reply = await adapter.open_reply(host.events[0].address, "k1")
    await reply.show([[Text((Span("25 days"),)), BUTTONS]], complete=True)
    shown = next(one for one in double.workspace.shown_to(alice.id) if rendered(one).buttons)
    await press(alice, shown, "share")

    assert len(host.of(Asked)) == 1
    assert [one.text for one in double.posted(alice.im)] == [NO_MEMBER]


async def test_the_form_opens_before_the_vote_is_kept(
    host, double, alice, answered, eventually, monkeypatch
):
    accept, kept = host.accept, asyncio.Event()

    async def late(event):
        await kept.wait()
        return await accept(event)

    monkeypatch.setattr(host, "accept", late)
    delivery = alice.click(answered, button(answered, "unhelpful"))
    await eventually(lambda: double.workspace.surfaces.open_modal(alice.id))
    assert host.of(Voted) == []
    kept.set()

    assert (await delivery.settled()).state == "acknowledged"
    assert len(host.of(Voted)) == 1


async def test_a_private_answer_is_shared_in_its_channel(served, host, double, alice, general):
    adapter, _ = served
    await alice.command("/ask", "how many days?", channel=general).settled()
    reply = await adapter.open_reply(host.events[0].address, "k1")
    await reply.show([[Text((Span("25 days"),)), BUTTONS]], complete=True)
    (shown,) = double.workspace.shown_to(alice.id)
    await press(alice, shown, "share")

    again = host.of(Asked)[-1]
    shared = await adapter.open_reply(again.address, "k2")
    await shared.show([[Text((Span("25 days"),))]], complete=True)
    assert again.address.venue == Venue(platform="slack", team=double.team, channel=general.id)
    assert rendered(double.posted(general)[0]).text == "25 days"


def handed(double, general, thread, *, blocks=(), is_repeated=False):
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=thread)
    return HandOff(
        asker=double.workspace.messages.get(general.id, thread).user,
        question="How many <!channel> days?",
        blocks=blocks or (Text((Span("25 days"),)), SourceList((Source(1, (citation(),)),))),
        venue=venue,
        posted=(),
        is_repeated=is_repeated,
    )


async def test_people_are_told_once_with_question_answer_and_sources(
    host, double, alice, general, answered, help_channel, helpers
):
    host.handed = handed(double, general, answered.thread_ts)
    await press(alice, answered, "person")

    head, body = double.posted(help_channel)
    assert rendered(head).mentions == [Mention("usergroup", helpers.id)]
    assert "alice asks for a person" in rendered(head).text
    assert "How many <!channel> days?" in rendered(head).text
    assert "/archives/" in rendered(head).links[0].url
    assert rendered(body).mentions == []
    assert "25 days" in rendered(body).text
    assert rendered(body).links[0].url == "https://example.org/leave.html"
    assert body.thread_ts == head.ts
    assert host.asked_for[-1][0] == "a1"
    assert host.asked_for[-1][1].venue.channel == help_channel.id
    assert [one[:2] for one in host.told] == [("a1", alice.id)]
    (told,) = double.workspace.shown_to(alice.id)
    assert "Somebody will look" in told.text


@pytest.mark.parametrize("is_known", [False, True])
async def test_people_are_not_told_again(
    host, double, alice, general, answered, help_channel, is_known
):
    if is_known:
        host.handed = handed(double, general, answered.thread_ts, is_repeated=True)
    await press(alice, answered, "person")

    assert double.posted(help_channel) == []
    (told,) = double.workspace.shown_to(alice.id)
    assert told.text == (handing._REPEATED if is_known else handing._UNKNOWN)


async def test_a_double_click_tells_people_once(
    host, double, alice, general, answered, help_channel, monkeypatch
):
    host.handed = handed(double, general, answered.thread_ts)
    repeated = handed(double, general, answered.thread_ts, is_repeated=True)

    async def handed_off(*_):
        host.handed = repeated

    monkeypatch.setattr(host, "handed_off", handed_off)
    await asyncio.gather(*(press(alice, answered, "person") for _ in range(2)))

    assert len(double.posted(help_channel)) == 2
    told = [one.text for one in double.workspace.shown_to(alice.id)]
    assert sorted(told) == sorted([handing._TOLD, handing._REPEATED])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("part", [0, 1])
async def test_who_was_told_in_part_is_not_mentioned_again(
    host, double, alice, general, answered, help_channel, when, part
):
    host.handed = handed(double, general, answered.thread_ts)
    if part:
        double.faults.delay("chat.postMessage", 0)
    double.faults.cut("chat.postMessage", when)
    await press(alice, answered, "person")

    assert [one.text for one in double.workspace.shown_to(alice.id)] == [handing._FAILED]
    await press(alice, answered, "person")

    head, body = double.posted(help_channel)
    assert "25 days" in rendered(body).text
    assert body.thread_ts == head.ts
    assert [one[0] for one in host.told] == ["a1"]


async def test_a_long_answer_is_handed_off_in_parts(
    host, double, alice, general, answered, help_channel
):
    words = "word " * 5000
    blocks = (Text((Span("short "), Span(words))), Text((Span("the end"),)))
    host.handed = handed(double, general, answered.thread_ts, blocks=blocks)
    await press(alice, answered, "person")

    _, *bodies = double.posted(help_channel)
    text = " ".join(rendered(one).text for one in bodies)
    assert text.split().count("word") >= 4990
    assert "short" in text
    assert "the end" in text


async def test_who_asks_hears_that_nobody_could_be_told(
    host, double, alice, general, answered, help_channel
):
    host.handed = handed(double, general, answered.thread_ts)
    help_channel.members.clear()
    await press(alice, answered, "person")

    (told,) = double.workspace.shown_to(alice.id)
    assert told.text == handing._FAILED


async def test_without_anybody_to_ask_there_is_no_button(serving, double, alice, general):
    asked = alice.say(general, "hm")
    venue = Venue(platform="slack", team=double.team, channel=general.id, thread=asked.ts)
    async with serving() as (adapter, _):
        reply = await adapter.open_reply(Address(venue=venue), "k1")
        await reply.show([[BUTTONS]], complete=True)

    shown = {one.value for one in rendered(double.posted(general)[0]).buttons}
    assert shown == {f"{name}:a1" for name in NAMES if name != "person"}
