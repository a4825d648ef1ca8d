"""What was said while nobody was connected is asked afterwards."""

import pytest

from citewell import DeliveryError
from citewell.chat import Asked, Deleted, Edited
from citewell_slack.testing.workspace import ChannelKind


async def missed(adapter, since):
    return [event async for event in adapter.missed(since)]


@pytest.fixture
async def since(double):
    at = double.clock.now
    await double.clock.advance(5)
    return at


async def test_mentions_and_direct_messages_are_found_oldest_first(
    adapter, double, alice, general, since
):
    file = alice.upload("plan.txt", b"the plan")
    first = alice.say(alice.im, "first?")
    second = alice.say(general, f"{double.mention} second?", files=[file])
    alice.say(general, "lunch?")
    double.bot().say(general, f"{double.mention} me?")

    found = await missed(adapter, since)

    assert [(one.key, one.text) for one in found] == [(first.ts, "first?"), (second.ts, "second?")]
    assert [one.name for one in found[1].attachments] == ["plan.txt"]


async def test_what_was_heard_live_has_the_same_key(serving, double, alice, general, since):
    async with serving() as (adapter, host):
        alice.say(general, f"{double.mention} how many days?")
        await double.deliveries.idle()
        found = await missed(adapter, since)

    assert found == host.of(Asked)


async def test_threads_go_on(serving, double, alice, general):
    async with serving() as (adapter, host):
        first = alice.say(general, f"{double.mention} how many days?")
        await double.deliveries.idle()
        since = double.clock.now
        await double.clock.advance(60)
        double.deliveries.hold()
        alice.say(general, "and nights?", thread=first)
        other = alice.say(general, "lunch?")
        alice.say(general, "yes", thread=other)

        found = await missed(adapter, since)

    assert [one.text for one in found] == ["and nights?"]
    assert found[0].venue == host.events[0].venue


@pytest.fixture
async def question(adapter, double, alice, general):
    """A question that was taken in, and the message that asked it."""
    said = alice.say(general, f"{double.mention} how many days?")
    (asked,) = await missed(adapter, double.clock.now - 60)
    assert await adapter.changed(asked) is None
    return asked, said


async def test_a_change_is_found(adapter, double, alice, question):
    asked, said = question
    alice.edit(said, f"{double.mention} how many nights?")

    edited = await adapter.changed(asked)
    assert isinstance(edited, Edited)
    assert (edited.of, edited.text) == (said.ts, "how many nights?")


async def test_a_question_that_was_taken_back_is_found(adapter, alice, question):
    asked, said = question
    alice.delete(said)

    deleted = await adapter.changed(asked)
    assert isinstance(deleted, Deleted)
    assert deleted.of == said.ts


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found", "missing_scope"])
async def test_what_became_of_a_question_in_a_closed_channel_is_not_known(
    adapter, double, question, error
):
    double.faults.fail("conversations.replies", error)

    assert await adapter.changed(question[0]) is None


async def test_what_became_of_a_question_is_asked_again_once_slack_answers(
    adapter, double, question
):
    double.faults.fail("conversations.replies", "internal_error")

    with pytest.raises(DeliveryError) as caught:
        await adapter.changed(question[0])
    assert caught.value.passes


async def test_nothing_is_found_where_the_bot_is_not_or_does_not_answer(
    serving, double, alice, general, since
):
    away = double.add_channel("away", [alice], has_bot=False)
    async with serving(channels={general.id: {"answers": False}}) as (adapter, _):
        double.deliveries.hold()
        alice.say(general, f"{double.mention} how many days?")
        alice.say(away, f"{double.mention} how many days?")

        assert await missed(adapter, since) == []


async def test_a_channel_that_cannot_be_read_costs_only_itself(
    adapter, double, alice, general, since, caplog
):
    alice.say(general, f"{double.mention} how many days?")
    alice.say(alice.im, "how many nights?")
    double.faults.fail("conversations.history", "missing_scope")

    assert [one.text for one in await missed(adapter, since)] == ["how many nights?"]
    assert general.id in caplog.text


@pytest.fixture
def workspaces(adapter, monkeypatch):
    """Let the adapter serve two workspaces, of which the first call of each test is one's."""

    async def teams():
        return ["T1", "T2"]

    monkeypatch.setattr(adapter._workspaces, "teams", teams)


@pytest.mark.usefixtures("workspaces")
async def test_a_workspace_that_cannot_be_read_costs_only_itself(
    adapter, double, alice, since, caplog
):
    alice.say(alice.im, "how many nights?")
    double.faults.fail("users.conversations", "account_inactive")

    assert [one.text for one in await missed(adapter, since)] == ["how many nights?"]
    assert "T1 cannot be read" in caplog.text


@pytest.mark.usefixtures("workspaces")
@pytest.mark.parametrize("method", ["users.conversations", "conversations.history"])
async def test_what_cannot_be_read_now_is_asked_for_again_after_the_rest(
    adapter, double, alice, since, method
):
    alice.say(alice.im, "how many nights?")
    double.faults.fail(method, "internal_error")
    events = adapter.missed(since)

    assert (await anext(events)).text == "how many nights?"
    with pytest.raises(DeliveryError) as caught:
        await anext(events)
    assert caught.value.passes


@pytest.mark.parametrize("is_granted", [True, False])
async def test_group_conversations_are_read_where_the_app_may(
    adapter, double, alice, since, is_granted
):
    bob = double.add_person("bob")
    members = [alice.id, bob.id, double.bot_user_id]
    group = double.workspace.add_channel("mpdm", members, kind=ChannelKind.GROUP_IM)
    alice.say(group, f"{double.mention} how many days?")
    alice.say(alice.im, "how many nights?")
    if not is_granted:
        double.tokens.scopes.difference_update({"mpim:read", "mpim:history"})

    days = ["how many days?"] if is_granted else []
    assert [one.text for one in await missed(adapter, since)] == [*days, "how many nights?"]


async def test_an_app_without_direct_messages_reads_the_channels(
    adapter, double, alice, general, since
):
    alice.say(general, f"{double.mention} how many days?")
    double.tokens.scopes.difference_update({"im:read", "im:history"})

    assert [one.text for one in await missed(adapter, since)] == ["how many days?"]


async def test_many_messages_are_read_page_by_page(
    adapter, double, alice, general, since, monkeypatch
):
    monkeypatch.setattr("citewell_slack.calls._PAGE", 3)
    for number in range(10):
        alice.say(general, f"{double.mention} number {number}?")

    assert len(await missed(adapter, since)) == 10
