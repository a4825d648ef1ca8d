"""The rehearsal does what the contract of rehearsals says."""

import pytest

from citewell.blocks import Span, Text
from citewell.chat import ABILITIES, Asked, Button
from citewell.testing.opening import find
from citewell_discord.config import DiscordConfig
from citewell_discord.testing import CannotAct
from citewell_discord.testing.rehearsal import DiscordRehearsal


def test_it_is_found_by_its_name():
    spec = find("adapter", "discord")

    assert spec.extra == "discord"
    assert spec.config is DiscordConfig


async def test_two_rehearsals_may_be_open_at_once(stage):
    async with DiscordRehearsal() as other:
        assert other.settings["api_url"] != stage.settings["api_url"]


async def test_its_settings_are_valid_and_it_can_all_but_a_home(stage):
    config = DiscordConfig.model_validate(stage.settings)

    assert config.token.get_secret_value() == stage.double.token
    assert stage.double.token not in repr(config)
    assert stage.can == ABILITIES - {"home"}
    assert stage.home("anybody") is None


async def test_people_keep_their_id_and_change_their_groups(stage):
    ann = stage.person("ann", groups=["71", "72"])
    again = stage.person("ann", groups=["72"])

    assert again == ann
    roles = stage.guild.members[int(ann)].roles
    assert [role.id for role in roles] == [72]


async def test_only_members_see_a_channel(stage, alice, bob):
    channel = stage.channel("secret", [alice])
    await stage.say(alice, "hello", channel=channel, mention=False)
    with pytest.raises(CannotAct, match="lacks"):
        await stage.say(bob, "hello", channel=channel)
    assert stage.channel("secret", [bob]) == channel
    await stage.say(bob, "hello", channel=channel, mention=False)

    with pytest.raises(CannotAct):
        await stage.say(alice, "hello", channel=channel)


async def test_where_nothing_is_nothing_is_seen(stage, alice, channel):
    assert stage.seen(alice) == []
    assert stage.seen(alice, channel=channel) == []
    assert stage.seen(alice, channel=channel, thread="1") == []
    assert stage.form(alice) is None


async def test_what_is_not_there_cannot_be_used(stage, alice):
    with pytest.raises(CannotAct, match="no form is open"):
        await stage.fill_in(alice, "x")
    with pytest.raises(CannotAct, match="nobody has this id"):
        await stage.say("1", "x")
    with pytest.raises(CannotAct, match="no message has this id"):
        stage._message("1")


async def test_a_change_keeps_the_mention(stage, alice, channel):
    said = await stage.say(alice, "one", channel=channel)
    await stage.change(said, "two")
    plain = await stage.say(alice, "one", channel=channel, mention=False)
    await stage.change(plain, "two")

    mention = stage.double.world.bot.mention
    assert stage._message(said.id).content == f"{mention} two"
    assert stage._message(plain.id).content == "two"


@pytest.mark.parametrize("status", [429, 503])
async def test_calls_fail_as_often_as_told(stage, adapter, alice, channel, event, status):
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    stage.fail(2, status=status, retry_after_s=0.01)
    failures = 0
    for _ in range(3):
        reply = await adapter.open_reply(asked.address, "k")
        try:
            await reply.show([[Text((Span("28 days"),))]], complete=True)
            break
        except Exception:  # noqa: BLE001 - counted here
            failures += 1

    assert failures == (0 if status == 429 else 2)
    assert len(stage.seen(alice, channel=channel, thread=said.thread)) == 1


async def test_a_button_is_found_by_its_action(stage, adapter, alice, channel, event):
    from citewell.blocks import Action, Actions

    said = await stage.say(alice, "How many days?", channel=channel)
    reply = await adapter.open_reply((await event(Asked)).address, "k")
    await reply.show([[Actions((Action("helpful", "Yes", "a1"),))]], complete=True)

    (seen,) = stage.seen(alice, channel=channel, thread=said.thread)
    assert seen.button("helpful") == Button(name="helpful", label="Yes", handle="cw:helpful:a1")
    assert seen.button("share") is None
