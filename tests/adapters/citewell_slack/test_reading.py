"""Who reads a channel now, and the files in it."""

import asyncio
import logging

import pytest

from citewell import DeliveryError
from citewell.chat import Address, Attachment, Venue
from citewell_slack.incoming import attachments


def at(double, channel, only_for=None):
    venue = Venue(platform="slack", team=double.team, channel=channel.id)
    return Address(venue=venue, only_for=only_for)


def sets(*groups):
    return frozenset(frozenset(one) for one in groups)


async def test_each_distinct_reader_counts_once_and_bots_do_not(adapter, double):
    people = [double.add_person(f"p{number}") for number in range(5)]
    robot = double.add_person("robot", is_bot=True)
    staff = double.add_group("staff", people[:4])
    heads = double.add_group("heads", people[:1])
    channel = double.add_channel("general", [*people, robot])
    inside = double.add_channel("inside", [*people[:4], robot], is_private=True)

    groups = {staff.id, heads.id}
    assert await adapter.readers(at(double, channel), groups) == sets(
        {staff.id, heads.id}, {staff.id}, set()
    )
    assert await adapter.readers(at(double, inside), groups) == sets(
        {staff.id, heads.id}, {staff.id}
    )


async def test_all_members_are_asked_for_page_by_page(adapter, double, monkeypatch):
    monkeypatch.setattr("citewell_slack.reading._PAGE", 2)
    people = [double.add_person(f"p{number}") for number in range(7)]
    staff = double.add_group("staff", people[:6])
    channel = double.add_channel("general", people)

    read = await adapter.readers(at(double, channel), {staff.id})
    assert read == sets({staff.id}, set())
    assert len(double.calls("conversations.members")) == 4


async def test_a_change_counts_a_second_later(adapter, double, alice, monkeypatch):
    monkeypatch.setattr("citewell_slack.reading._SHARED_S", 0.05)
    staff = double.add_group("staff", [alice])
    channel = double.add_channel("plans", [alice], is_private=True)
    before = await adapter.readers(at(double, channel), {staff.id})
    staff.users.clear()
    await asyncio.sleep(0.06)
    after = await adapter.readers(at(double, channel), {staff.id})

    assert (before, after) == (sets({staff.id}), sets(set()))


async def test_who_comes_into_a_channel_counts_at_once(adapter, double, alice):
    staff = double.add_group("staff", [alice])
    channel = double.add_channel("plans", [alice], is_private=True)
    before = await adapter.readers(at(double, channel), {staff.id})
    double.add_person("bob").join(channel)
    after = await adapter.readers(at(double, channel), {staff.id})

    assert (before, after) == (sets({staff.id}), sets({staff.id}, set()))


async def test_questions_that_come_at_once_share_a_look_at_the_groups(adapter, double, alice):
    plans = double.add_channel("plans", [alice], is_private=True)
    names = {double.add_group(f"g{number}", [alice]).id for number in range(5)} | {"g1", "@g2"}
    double.api.rates.enforced = True
    found = await asyncio.gather(
        *(adapter.readers(at(double, plans), names) for _ in range(30)),
        adapter.readers(at(double, plans, alice.id), names),
    )

    assert set(found) == {sets(names)}
    assert len(double.calls("usergroups.list")) == 1
    assert double.calls("usergroups.users.list") == []


async def test_one_person_reads_a_private_answer(adapter, double, alice, general):
    staff = double.add_group("staff", [alice])

    assert await adapter.readers(at(double, general, alice.id), {staff.id}) == sets({staff.id})
    assert await adapter.readers(at(double, general, "U404"), {staff.id}) == sets(set())


async def test_groups_may_be_named_by_their_handle(adapter, double, alice):
    double.add_group("staff", [alice])
    plans = double.add_channel("plans", [alice], is_private=True)

    read = await adapter.readers(at(double, plans), {"staff", "@staff"})
    assert read == sets({"staff", "@staff"})


@pytest.mark.parametrize("group", ["S99999999", "nobody"])
async def test_nobody_is_in_a_group_that_there_is_not(adapter, double, general, group, caplog):
    with caplog.at_level(logging.WARNING):
        read = await adapter.readers(at(double, general), {group})

    assert read == sets(set())
    assert group in caplog.text


@pytest.mark.parametrize("method", ["conversations.members", "usergroups.list", "users.info"])
async def test_what_cannot_be_known_is_not_guessed(adapter, double, alice, general, method):
    staff = double.add_group("staff", [alice])
    double.faults.fail(method, "missing_scope")
    with pytest.raises(DeliveryError) as caught:
        await adapter.readers(at(double, general), {staff.id})

    assert not caught.value.passes


async def test_a_file_is_fetched_within_its_bounds(adapter, double, alice, general):
    file = alice.upload("plan.txt", b"the plan")
    said = alice.say(general, "look", files=[file])
    (attachment,) = attachments(said.to_json(), double.team)

    assert await adapter.fetch(attachment, max_bytes=8) == b"the plan"
    with pytest.raises(DeliveryError, match="larger than 7"):
        await adapter.fetch(attachment, max_bytes=7)
    unsized = Attachment(name=attachment.name, ref=attachment.ref)
    with pytest.raises(DeliveryError, match="larger than 7"):
        await adapter.fetch(unsized, max_bytes=7)


async def test_the_page_to_sign_in_is_no_file(adapter, double, alice, general):
    file = alice.upload("plan.txt", b"the plan")
    said = alice.say(general, "look", files=[file])
    (attachment,) = attachments(said.to_json(), double.team)
    double.tokens.scopes.remove("files:read")

    with pytest.raises(DeliveryError, match="files:read"):
        await adapter.fetch(attachment, max_bytes=1000)


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://files.slack.com/x", "file:///etc/passwd", ""]
)
async def test_the_token_goes_nowhere_else(adapter, double, url):
    with pytest.raises(DeliveryError, match="not kept by slack"):
        await adapter.fetch(Attachment(name="x", ref=f"{double.team} {url}"), max_bytes=9)


async def test_members_of_a_channel_are_a_group(adapter, double, alice):
    bob, cay = double.add_person("bob"), double.add_person("cay")
    plans = double.add_channel("plans", [alice, bob], is_private=True)
    board = double.add_channel("board", [alice], is_private=True)
    hidden = double.add_channel("hidden", [alice], is_private=True, has_bot=False)
    groups = {f"channel:{one.id}" for one in (plans, board, hidden)} | {"channel:C0NOWHERE"}
    in_plans, in_board = f"channel:{plans.id}", f"channel:{board.id}"

    assert await adapter.readers(at(double, plans), groups) == sets(
        {in_plans, in_board}, {in_plans}
    )
    assert await adapter.readers(at(double, board), groups) == sets({in_plans, in_board})
    assert await adapter.readers(at(double, alice.im, bob.id), groups) == sets({in_plans})
    assert await adapter.readers(at(double, alice.im, cay.id), groups) == sets(set())


async def test_who_leaves_a_channel_is_out_of_its_group_at_once(adapter, double, alice):
    plans = double.add_channel("plans", [alice], is_private=True)
    groups = {f"channel:{plans.id}"}
    before = await adapter.readers(at(double, alice.im, alice.id), groups)
    alice.leave(plans)
    after = await adapter.readers(at(double, alice.im, alice.id), groups)

    assert (before, after) == (sets(groups), sets(set()))


async def test_nothing_is_answered_while_slack_does_not_say_who_is_in_a_channel(
    adapter, double, alice
):
    plans = double.add_channel("plans", [alice], is_private=True)
    double.faults.break_down("conversations.members", times=5)

    with pytest.raises(DeliveryError):
        await adapter.readers(at(double, alice.im, alice.id), {f"channel:{plans.id}"})


async def test_whoever_may_open_a_public_channel_reads_what_is_posted_there(adapter, double, alice):
    lunch = double.add_channel("lunch", [alice])
    board = double.add_channel("board", [alice], is_private=True)
    staff = double.add_group("staff", [alice])
    in_lunch, in_board = f"channel:{lunch.id}", f"channel:{board.id}"

    assert await adapter.readers(at(double, lunch), {in_lunch, in_board, staff.id}) == sets(
        {in_lunch, in_board, staff.id}, {in_lunch}
    )
    assert await adapter.readers(at(double, lunch), {in_board}) == sets({in_board}, set())


async def test_everybody_in_the_workspace_reads_its_public_channels(adapter, double, alice):
    bob = double.add_person("bob")
    lunch = double.add_channel("lunch", [alice])
    plans = double.add_channel("plans", [bob], is_private=True)
    groups = {f"channel:{lunch.id}"}

    assert await adapter.readers(at(double, plans), groups) == sets(groups)
    assert await adapter.readers(at(double, bob.im), groups) == sets(groups)
    assert await adapter.readers(at(double, bob.im, bob.id), groups) == sets(groups)


async def test_guests_and_strangers_read_the_channels_alone_that_they_are_in(
    adapter, double, alice
):
    guest, stranger = double.add_person("guest"), double.add_person("stranger")
    guest.user.is_guest = True
    stranger.user.team = "T0OTHER"
    lunch = double.add_channel("lunch", [alice])
    help_ = double.add_channel("help", [guest, stranger])
    groups = {in_lunch := f"channel:{lunch.id}", in_help := f"channel:{help_.id}"}

    assert await adapter.readers(at(double, help_), groups) == sets({in_help}, {in_lunch, in_help})
    for one in (guest, stranger):
        assert await adapter.readers(at(double, one.im, one.id), groups) == sets({in_help})


async def test_a_public_channel_that_another_workspace_shares_is_read_by_its_people(
    adapter, double, alice
):
    lunch = double.add_channel("lunch", [alice])
    partners = double.add_channel("partners", [alice])
    partners.is_shared = True
    groups = {in_lunch := f"channel:{lunch.id}", in_partners := f"channel:{partners.id}"}

    assert await adapter.readers(at(double, partners), groups) == sets(
        {in_lunch, in_partners}, {in_partners}
    )


async def test_the_people_of_a_large_channel_are_asked_for_at_once(adapter, double, alice):
    people = [double.add_person(f"p{number}") for number in range(30)]
    people[7].user.is_guest = True
    lunch = double.add_channel("lunch", [alice])
    plans = double.add_channel("plans", people, is_private=True)
    groups = {f"channel:{lunch.id}"}
    first = await adapter.readers(at(double, plans), groups)
    asked = len(double.calls("users.list")), len(double.calls("users.info"))
    again = await adapter.readers(at(double, plans), groups)

    assert first == again == sets(groups, set())
    assert asked[0] == 1
    assert asked[1] < 5
    assert (len(double.calls("users.list")), len(double.calls("users.info"))) == asked


async def test_nothing_is_answered_while_slack_does_not_say_who_may_open_a_channel(
    adapter, double, alice
):
    lunch = double.add_channel("lunch", [alice])
    double.faults.fail("conversations.info", "missing_scope")

    with pytest.raises(DeliveryError):
        await adapter.readers(at(double, lunch), {"S0123ABCD"})
