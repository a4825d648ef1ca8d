"""Who reads what is posted is known as it is now, or nothing is answered."""

import asyncio

import pytest

from citewell import DeliveryError
from citewell.chat import Address, Attachment, Venue
from citewell_discord.testing import ALL, Overwrite, Permissions

PEOPLE, CHIEFS = "701", "702"
GROUPS = {PEOPLE: ["people"], CHIEFS: ["chiefs"]}


def place(stage, channel, **more):
    venue = Venue(platform="discord", team=str(stage.guild.id), channel=channel)
    return Address(venue=venue, **more)


def sets(*groups):
    return frozenset(map(frozenset, groups))


@pytest.fixture
async def adapter(stage, serving):
    stage.person("known before", groups=GROUPS)
    async with serving(groups=GROUPS) as (adapter, _):
        yield adapter


async def test_each_distinct_reader_of_a_channel_counts(stage, adapter):
    ann, ben = stage.person("ann", groups=[PEOPLE]), stage.person("ben", groups=[PEOPLE, CHIEFS])
    stage.person("outsider")
    channel = stage.channel("people", [ann, ben])

    assert await adapter.readers(place(stage, channel), GROUPS) == sets([PEOPLE], [PEOPLE, CHIEFS])
    assert await adapter.readers(place(stage, channel), [CHIEFS]) == sets([], [CHIEFS])


async def test_a_change_holds_at_once(stage, adapter, double):
    ann, ben = stage.person("ann", groups=[PEOPLE]), stage.person("ben", groups=[PEOPLE])
    channel = stage.channel("people", [ann])
    address = place(stage, channel)
    assert await adapter.readers(address, GROUPS) == sets([PEOPLE])

    async def becomes(expected):
        readers = None
        async with asyncio.timeout(5):
            while readers != expected:
                await asyncio.sleep(0.005)
                readers = await adapter.readers(address, GROUPS)

    stage.person("ann")
    await becomes(sets([]))
    stage.channel("people", [ann, ben])
    await becomes(sets([], [PEOPLE]))
    double.world.leave(stage.guild, stage._person(ann).user)
    await becomes(sets([PEOPLE]))


async def test_bots_are_no_readers(stage, adapter, double):
    ann = stage.person("ann", groups=[PEOPLE])
    other = double.other_bot("other", stage.guild)
    channel = stage.channel("people", [ann, str(other.user.id)])

    assert await adapter.readers(place(stage, channel), GROUPS) == sets([PEOPLE])


async def test_who_may_do_everything_reads_everything(stage, adapter, double):
    ann = stage.person("ann", groups=[PEOPLE])
    channel = stage.channel("people", [ann])
    role = double.world.add_role(stage.guild, "admin", ALL)
    double.person("root", stage.guild, role)

    assert await adapter.readers(place(stage, channel), GROUPS) == sets([PEOPLE], [])


async def test_one_person_is_asked_for_afresh(stage, adapter):
    ann = stage.person("ann", groups=[PEOPLE])
    channel = stage.channel("people", [])
    private = place(stage, channel, only_for=ann)
    direct = Address(venue=Venue(platform="discord", channel="1"), data={"user": ann})
    assert await adapter.readers(private, GROUPS) == sets([PEOPLE])
    stage.person("ann", groups=[CHIEFS])

    assert await adapter.readers(private, GROUPS) == sets([CHIEFS])
    assert await adapter.readers(direct, GROUPS) == sets([CHIEFS])


async def test_who_left_reads_as_anybody(stage, adapter, double):
    ann = stage.person("ann", groups=[PEOPLE])
    double.world.leave(stage.guild, stage._person(ann).user)

    assert await adapter.readers(place(stage, "1", only_for=ann), GROUPS) == sets([])


async def test_everybody_has_the_role_of_the_server(stage, adapter):
    ann = stage.person("ann")
    everyone = str(stage.guild.id)
    channel = stage.channel("people", [ann])

    assert await adapter.readers(place(stage, channel), [everyone]) == sets([everyone])
    assert await adapter.readers(place(stage, channel, only_for=ann), [everyone]) == sets([
        everyone
    ])


async def test_a_public_thread_is_read_like_its_channel(stage, adapter):
    ann, ben = stage.person("ann", groups=[PEOPLE]), stage.person("ben")
    channel = stage.channel("people", [ann, ben])
    said = await stage.say(ann, "hello", channel=channel, mention=False)
    thread = stage._person(ann).start_thread(stage._message(said.id), "talk")
    venue = Venue(
        platform="discord", team=str(stage.guild.id), channel=channel, thread=str(thread.id)
    )

    assert await adapter.readers(Address(venue=venue), GROUPS) == sets([PEOPLE], [])


async def test_a_private_thread_is_read_by_its_members_alone(stage, adapter, double):
    ann, ben = stage.person("ann", groups=[PEOPLE]), stage.person("ben")
    channel = stage.channel("people", [ann, ben])
    thread = stage._person(ann).start_private_thread(stage._place(channel), "secret")
    stage._person(ann).add_to_thread(thread, double.world.bot)
    venue = Venue(
        platform="discord", team=str(stage.guild.id), channel=channel, thread=str(thread.id)
    )

    assert await adapter.readers(Address(venue=venue), GROUPS) == sets([PEOPLE])


async def test_what_cannot_be_known_is_refused(stage, serving, double, adapter):
    ann = stage.person("ann")
    channel = stage.channel("people", [ann])
    with pytest.raises(DeliveryError, match="nobody knows whose conversation"):
        await adapter.readers(Address(venue=Venue(platform="discord", channel="1")), GROUPS)
    with pytest.raises(DeliveryError):
        await adapter.readers(place(stage, "99"), GROUPS)
    double.faults.fail("GET /guilds/{guild_id}/members/{user_id}", status=503)
    with pytest.raises(DeliveryError) as failure:
        await adapter.readers(place(stage, channel, only_for=ann), GROUPS)
    assert failure.value.passes


async def test_without_the_intent_a_channel_has_unknown_readers(stage, serving):
    ann = stage.person("ann", groups=[PEOPLE])
    channel = stage.channel("people", [ann])
    async with serving(groups=GROUPS, server_members=False) as (adapter, _):
        with pytest.raises(DeliveryError, match="set server_members = true"):
            await adapter.readers(place(stage, channel), GROUPS)
        alone = await adapter.readers(place(stage, channel, only_for=ann), GROUPS)

    assert alone == sets([PEOPLE])


async def test_who_is_not_connected_does_not_know_members(stage, adapter, double, monkeypatch):
    monkeypatch.setattr("citewell_discord.adapter._CONNECTED_S", 0.05)
    ann = stage.person("ann", groups=[PEOPLE])
    channel = stage.channel("people", [ann])
    double.gateway.refused_connections = 1000
    stage.cut()
    await double.until(lambda: not adapter.is_connected)
    with pytest.raises(DeliveryError, match="not connected") as failure:
        await adapter.readers(place(stage, channel), GROUPS)

    assert failure.value.passes


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [9, None])
async def test_a_file_that_is_too_large_is_not_taken(stage, adapter, double, size):
    ann = stage.person("ann")
    said = await stage.say(ann, "this?", files={"a.txt": b"123456789"})
    (kept,) = stage._message(said.id).attachments
    attachment = Attachment(name="a.txt", ref=kept.url, size=size)
    with pytest.raises(DeliveryError, match="larger than 8 bytes") as failure:
        await adapter.fetch(attachment, max_bytes=8)

    assert not failure.value.passes


@pytest.mark.parametrize(
    "ref",
    [
        "http://127.0.0.1:1/secret",
        "http://cdn.discordapp.com/a",
        "https://cdn.discordapp.com.example.org/a",
        "https://example.org/a",
        "file:///etc/passwd",
        "http://[",
    ],
)
async def test_files_come_from_discord_alone(adapter, ref):
    with pytest.raises(DeliveryError, match="not where discord keeps files"):
        await adapter.fetch(Attachment(name="a.txt", ref=ref), max_bytes=8)


async def test_a_file_that_is_gone_is_told(adapter, double):
    ref = double.world.files_url + "/attachments/1/2/a.txt"
    with pytest.raises(DeliveryError, match="does not hand it out"):
        await adapter.fetch(Attachment(name="a.txt", ref=ref), max_bytes=8)


# --- who sees a channel ------------------------------------------------------------------------


def of(*channels):
    return {f"channel:{one}" for one in channels}


async def becomes(adapter, address, groups, expected):
    """Wait until what the gateway tells has arrived."""
    readers = None
    async with asyncio.timeout(5):
        while readers != expected:
            await asyncio.sleep(0.005)
            readers = await adapter.readers(address, groups)

    assert readers == expected


async def test_who_sees_a_channel_and_its_history_is_in_its_group(stage, adapter, double):
    ann, ben = stage.person("ann", groups=[PEOPLE]), stage.person("ben")
    general, board = stage.channel("general", [ann, ben]), stage.channel("board", [ann])
    groups = [PEOPLE, *of(general, board, "123")]

    whole = sets({PEOPLE, *of(general, board)}, of(general))
    await becomes(adapter, place(stage, general), groups, whole)
    assert await adapter.readers(place(stage, board), groups) == sets({PEOPLE, *of(general, board)})
    assert await adapter.readers(place(stage, general, only_for=ben), groups) == sets(of(general))
    assert await adapter.readers(place(stage, general, only_for="17"), groups) == sets([])


async def test_who_may_not_see_the_history_is_in_no_group(stage, adapter, double):
    ann = stage.person("ann")
    general = stage.channel("general", [ann])
    everyone = stage.guild.everyone
    double.world.change_role(
        stage.guild, everyone, everyone.permissions & ~Permissions.READ_MESSAGE_HISTORY
    )

    await becomes(adapter, place(stage, general, only_for=ann), of(general), sets([]))


async def test_without_knowing_members_a_channel_is_read_in_itself_alone(stage, serving, double):
    ann = stage.person("ann")
    general, board = stage.channel("general", [ann]), stage.channel("board", [ann])
    groups = of(general, board)
    settings = {"groups": {one: ["x"] for one in groups}, "server_members": False}
    async with serving(**settings) as (adapter, _):
        inside = await adapter.readers(place(stage, general), groups)
        alone = await adapter.readers(place(stage, general, only_for=ann), groups)
        closed = Overwrite(stage.guild.id, deny=Permissions.READ_MESSAGE_HISTORY)
        double.world.set_overwrites(double.world.channels[int(general)], [closed])
        await becomes(adapter, place(stage, general), groups, sets([]))

    assert inside == sets(of(general))
    assert alone == sets(groups)


def opened(stage, name, *overwrites):
    return str(stage.double.world.add_text(stage.guild, name, overwrites).id)


async def test_whoever_comes_into_the_server_reads_what_everybody_may_see(stage, serving, double):
    for member in list(stage.guild.members.values()):
        member.user.is_bot = True
    ann = stage.person("ann", groups=[PEOPLE])
    lunch, board = opened(stage, "lunch"), stage.channel("board", [ann])
    closed = opened(stage, "closed", Overwrite(stage.guild.id, deny=Permissions.VIEW_CHANNEL))
    groups = [PEOPLE, str(stage.guild.id), *of(lunch, board, closed)]
    async with serving(groups={one: ["x"] for one in groups}) as (adapter, _):
        everybody = {str(stage.guild.id), *of(lunch)}
        within = sets({PEOPLE, *everybody, *of(board)}, everybody)
        await becomes(adapter, place(stage, lunch), groups, within)

        alone = await adapter.readers(place(stage, board), groups)
        assert alone == sets({PEOPLE, *everybody, *of(board)})


async def test_without_knowing_members_what_everybody_may_see_is_read_in_the_whole_server(
    stage, serving
):
    ann = stage.person("ann")
    lunch, board = opened(stage, "lunch"), stage.channel("board", [ann])
    hidden = opened(
        stage, "hidden", Overwrite(int(ann), is_member=True, deny=Permissions.VIEW_CHANNEL)
    )
    groups = of(lunch, board, hidden)
    settings = {"groups": {one: ["x"] for one in groups}, "server_members": False}
    async with serving(**settings) as (adapter, _):
        await becomes(adapter, place(stage, board), groups, sets(of(lunch, board)))
        await becomes(adapter, place(stage, lunch), groups, sets(of(lunch)))
        await becomes(adapter, place(stage, hidden), groups, sets(of(lunch, hidden)))
        await becomes(adapter, place(stage, board), of(lunch), sets(of(lunch)))
