"""The contract of adapters holds for a chat of nothing but text, and notices what it promises."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from citewell.chat import ABILITIES
from citewell.testing import AdapterContract, adapter_scenarios, adapter_table
from citewell.testing.opening import find
from citewell.testing.plainrehearsal import PlainRehearsal
from citewell.testing.plaintalk import TalkingAdapter, TalkingReply
from citewell.testing.plainworld import PlainWorld


class TestPlainChat(AdapterContract):
    name = "plainchat"


class Posting(TalkingReply):
    """Posts everything anew instead of changing it."""

    async def show(self, messages, *, complete):
        self.posted = ()
        await super().show(messages, complete=True)


class Cutting(TalkingReply):
    """Shows the first message alone."""

    async def show(self, messages, *, complete):
        await super().show(messages[:1], complete=complete)


class Unending(TalkingReply):
    """Never says that an answer is complete."""

    async def show(self, messages, *, complete):
        await super().show(messages, complete=False)


class Clinging(TalkingReply):
    """Takes nothing back."""

    async def withdraw(self):
        pass


def replying(kind):
    class Replying(TalkingAdapter):
        def _reply(self, address, key, posted):
            return kind(self, self._world, address, key, posted)

    return Replying


class Forgetful(TalkingAdapter):
    async def find_reply(self, address, key, posted):
        return await self.open_reply(address, key)


class Nosy(TalkingAdapter):
    async def _is_asked(self, host, one):
        return True


class Sluggish(Nosy):
    """Tells of what is said after the bot has caught up on what came later."""

    async def _hear(self, host, number, one):
        await asyncio.sleep(0.5)
        await super()._hear(host, number, one)


class Deaf(TalkingAdapter):
    async def _is_asked(self, host, one):
        return "@bot" in one.text and not one.is_in_thread


class Asleep(TalkingAdapter):
    async def missed(self, since):
        for event in ():
            yield event


class Trusting(TalkingAdapter):
    async def readers(self, address, groups):
        return frozenset({frozenset(groups)})


class Renaming(TalkingAdapter):
    _names = 0

    def _event(self, number, one):
        event = super()._event(number, one)
        Renaming._names += 1
        return replace(event, key=f"{event.key}-{Renaming._names}")


class Public(TalkingAdapter):
    def _event(self, number, one):
        event = super()._event(number, one)
        if hasattr(event, "address"):
            event = replace(event, address=replace(event.address, only_for=None))
        return event


@pytest.mark.parametrize(
    ("kind", "scenario", "told"),
    [
        (replying(Posting), "a_growing_answer_ends_complete", "one question, one reply"),
        (replying(Cutting), "sixty_citations_survive", "marks of 60"),
        (replying(Unending), "a_question_has_one_reply", "no complete reply"),
        (replying(Clinging), "an_answer_goes_with_its_question", "withdraw"),
        (Forgetful, "a_changed_question_changes_its_answer", "find_reply"),
        (Nosy, "talk_without_a_mention_is_ignored", "nothing was to be answered"),
        (Sluggish, "talk_without_a_mention_is_ignored", "nothing was to be answered"),
        (Deaf, "a_follow_up_in_the_thread_needs_no_mention", "not in a complete reply"),
        (Asleep, "what_was_asked_while_nobody_listened_is_answered", "not in a complete reply"),
        (Trusting, "a_mixed_channel_reads_what_all_may", "readers"),
        (Renaming, "a_repetition_has_the_same_key", "there are [2-9] messages"),
        (Public, "the_command_is_told_as_private", "only_for"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_contract_notices(kind, scenario, told):
    @asynccontextmanager
    async def build(config, context):
        yield kind(
            PlainWorld(context.resolve(config.path)),
            platform=context.name,
            max_chars=config.max_chars,
            pace_s=0.0,
        )

    class Subject(AdapterContract):
        name = "plainchat"
        timeout_s = 3.0

        def spec(self):
            return replace(find("adapter", "plainchat"), build=build)

    try:
        with pytest.raises(AssertionError, match=told):
            getattr(Subject(), f"test_{scenario}")()
    finally:
        Subject.teardown_class()


def test_what_is_not_claimed_is_skipped(monkeypatch):
    class Subject(AdapterContract):
        name = "plainchat"

    monkeypatch.setattr(PlainRehearsal, "can", ABILITIES - {"edits"})
    try:
        with pytest.raises(
            pytest.skip.Exception, match="not claimed: plainchat has no ability edits"
        ):
            Subject().test_a_question_can_be_changed_twice()
    finally:
        Subject.teardown_class()


def test_there_are_at_least_a_hundred_scenarios_and_each_says_what_it_is_about():
    scenarios = adapter_scenarios()

    assert len(scenarios) >= 100
    assert len({one.name for one in scenarios}) == len(scenarios)
    assert all(one.says for one in scenarios)


def test_every_ability_is_needed_by_some_scenario():
    needed = {ability for one in adapter_scenarios() for ability in one.needs}

    assert needed == ABILITIES


def test_the_table_says_what_a_service_lacks():
    table = adapter_table({"all": ABILITIES, "none": ()})

    assert all(row.lacks["all"] == () for row in table)
    assert all(row.lacks["none"] == row.scenario.needs for row in table)
