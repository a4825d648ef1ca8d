"""People at the stand-in for Slack, the adapter, and the real core between them."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from assistants import write_handbook
from citewell import Context
from citewell.blocks import Action, Actions
from citewell.chat import ABILITIES, Asked
from citewell.cli.indexing import bring_up
from citewell.delivery.answering import Answering
from citewell.delivery.desk import Desk, Manner
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Inbox, Limits
from citewell.journal.journal import Journal
from citewell.journal.outbox import Outbox
from citewell_slack.plugin import build, rehearsal
from citewell_slack.settings import SlackConfig
from citewell_slack.testing.rehearsal import SlackRehearsal
from databases import opened

SETTINGS = """
[adapter.slack]
use = "slack"
bot_token = { env = "TEST_BOT_TOKEN" }
app_token = { env = "TEST_APP_TOKEN" }
groups = { people = ["people-team"] }
hand_off = { channel = "C1" }

[model.quotes]
use = "extractive"

[model.slow]
use = "scripted"
script = ["Every employee has 28 days of paid leave a year [1]. Unused days expire [1]."]
behaviour = "slow"
delay_s = 0.05

[profile.default]
retriever = "main"
model = "quotes"
"""
QUESTION = "How many days of leave?"


class DeskHost:
    """A host whose questions a desk answers."""

    def __init__(self, desk, config):
        self.desk = desk
        self.config = config
        self.accepted = []
        self.kept = []

    async def accept(self, event):
        is_new = await self.desk.accept(event)
        if is_new:
            self.accepted.append(event)
        return is_new

    def takes_part(self, venue):
        return any(
            isinstance(one, Asked) and one.venue.conversation == venue.conversation
            for one in self.accepted
        )

    async def quotes(self, answer_id, address):
        return []

    async def hand_off(self, answer_id, address):
        return None

    async def handed_off(self, answer_id, by, venue):
        raise AssertionError("nobody is told: there was nothing to hand off")

    async def libraries(self, address):
        return []

    async def recent(self, venue, user, *, limit=5):
        return []


class Scene:
    """A stand-in, and what is behind it."""

    def __init__(self, standin, inbox, host):
        self.standin = standin
        self.inbox = inbox
        self.host = host

    async def idle(self):
        """Wait until everything that was said has its outcome."""
        await self.standin.double.deliveries.idle()
        async with asyncio.timeout(30):
            while self.inbox.waiting():  # noqa: ASYNC110 - the journal tells nobody
                await asyncio.sleep(0.01)


@pytest.fixture
def playing(tmp_path, monkeypatch):
    @asynccontextmanager
    async def play(*, text=SETTINGS, standin=None, limits=None):
        async with rehearsal() as made:
            standin = standin or made
            assert isinstance(standin, SlackRehearsal)
            monkeypatch.setenv("TEST_BOT_TOKEN", standin.double.bot_token)
            monkeypatch.setenv("TEST_APP_TOKEN", standin.double.app_token)
            settings = load_settings(write_handbook(tmp_path, text))
            async with working(tmp_path, settings, standin, limits=limits) as scene:
                yield scene

    return play


@asynccontextmanager
async def working(folder, settings, standin, *, limits=None):
    """Yield the scene of one process that is at work."""
    config = SlackConfig.model_validate({
        **standin.settings,
        "groups": settings.adapters["slack"].config.groups,
    })
    log = logging.getLogger("test.slack")
    context = Context(name="slack", log=log, data_dir=folder, base_dir=folder)
    with opened(f"sqlite:///{folder / 'journal.sqlite'}") as engine:
        async with open_runtime(settings) as runtime, build(config, context) as adapter:
            await bring_up(runtime)
            journal, inbox = Journal(engine), Inbox(engine, limits=limits)
            answering = Answering(
                backends=runtime,
                assistant=lambda leased: Assistant(leased, journal),
                outbox=Outbox(engine),
                conversations=Conversations(engine),
            )
            manner = Manner(poll_s=0.05, lease_s=3)
            adapters = {"slack": adapter}
            desk = Desk(inbox=inbox, answering=answering, adapters=adapters, manner=manner)
            host = DeskHost(desk, config)
            tasks = [asyncio.create_task(one) for one in (desk.run(), adapter.serve(host))]
            try:
                await standin.until_connected()
                yield Scene(standin, inbox, host)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_mention_is_answered_in_its_thread(playing):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        general = standin.channel("general", [ann])
        said = await standin.say(ann, QUESTION, channel=general)
        await standin.repeat(said)
        await scene.idle()

        assert standin.can == ABILITIES
        assert standin.seen(ann, channel=general) == []
        (seen,) = standin.seen(ann, channel=general, thread=said.thread)
        assert "28 days" in seen.text
        assert "[1] Leave" in seen.text
        assert (seen.is_growing, seen.pings, seen.images, seen.previews) == (False, (), (), ())


async def test_a_growing_answer_is_streamed_in_place(playing):
    slow = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
    async with playing(text=slow) as scene:
        standin = scene.standin
        ann = standin.person("ann")
        said = await standin.say(ann, QUESTION)
        async with asyncio.timeout(20):
            while not standin.seen(ann, thread=said.thread):  # noqa: ASYNC110 - as a person looks
                await asyncio.sleep(0.01)
        (growing,) = standin.seen(ann, thread=said.thread)
        await scene.idle()
        (seen,) = standin.seen(ann, thread=said.thread)

        assert growing.is_growing
        assert (seen.id, seen.is_growing) == (growing.id, False)
        assert "28 days" in seen.text


async def test_a_follow_up_an_edit_and_a_deletion(playing):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        general = standin.channel("general", [ann])
        first = await standin.say(ann, QUESTION, channel=general)
        await scene.idle()
        second = await standin.say(
            ann, "When is a note due?", channel=general, thread=first.thread, mention=False
        )
        await scene.idle()
        _, before = standin.seen(ann, channel=general, thread=first.thread)
        await standin.change(first, "When is a doctor's note due?")
        await scene.idle()
        changed, _ = standin.seen(ann, channel=general, thread=first.thread)
        await standin.take_back(second)
        await scene.idle()
        rest = standin.seen(ann, channel=general, thread=first.thread)

        assert "fourth day" in before.text
        assert "fourth day" in changed.text
        assert [one.id for one in rest] == [changed.id]


async def test_a_change_over_the_limit_leaves_the_answer_that_grows_below_it_alone(playing):
    slow = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
    async with playing(text=slow, limits=Limits(user_per_minute=2)) as scene:
        standin = scene.standin
        ann = standin.person("ann")
        first = await standin.say(ann, QUESTION)
        await scene.idle()
        second = await standin.say(ann, "How many days a year?", thread=first.thread)
        async with asyncio.timeout(20):
            while len(standin.seen(ann, thread=first.thread)) < 2:  # noqa: ASYNC110 - as a person looks
                await asyncio.sleep(0.01)
        before = standin.seen(ann, thread=first.thread)
        await standin.change(first, "When do they expire?")
        await scene.idle()
        told, answered = standin.seen(ann, thread=second.thread)

    assert before[1].is_growing
    assert [told.id, answered.id] == [one.id for one in before]
    assert "asked a lot" in told.text
    assert ("28 days" in answered.text, answered.is_growing) == (True, False)


async def test_a_private_question_is_answered_to_one_person(playing):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann", groups=["people"])
        bob = standin.person("bob")
        general = standin.channel("general", [ann, bob])
        salary = "What is the salary of the leave officer?"
        private = await standin.command(ann, salary, channel=general)
        await scene.idle()
        public = await standin.say(ann, salary, channel=general)
        await scene.idle()
        about = await standin.ask_about(ann, public)
        await scene.idle()

        (seen,) = standin.seen(ann, channel=general, thread=private.thread)
        shown = standin.seen(ann, channel=general, thread=public.thread)
        assert (seen.only_for, "71,344" in seen.text) == (ann, True)
        assert standin.seen(bob, channel=general, thread=private.thread) == []
        assert [(one.only_for, "71,344" in one.text) for one in shown] == [
            (None, False),
            (ann, True),
        ]
        assert about.thread == public.thread


async def test_files_come_with_a_question(playing):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        await standin.say(ann, QUESTION, files={"plan.txt": b"the plan"})
        await scene.idle()

        (attachment,) = scene.host.accepted[0].attachments
        assert attachment.name == "plan.txt"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_slack_refuses_for_a_while_is_said_once(playing, status):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        standin.fail(1, status=status, retry_after_s=0)
        said = await standin.say(ann, QUESTION)
        await scene.idle()

        (seen,) = standin.seen(ann, thread=said.thread)
        assert "28 days" in seen.text


async def test_after_a_cut_what_is_said_is_answered(playing, monkeypatch):
    monkeypatch.setattr("citewell_slack.connecting._PING_S", 0.05)
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        standin.cut()
        await standin.until_connected()
        said = await standin.say(ann, QUESTION)
        await scene.idle()

        assert len(standin.seen(ann, thread=said.thread)) == 1


async def test_home_is_brought_up_to_date(playing):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        async with asyncio.timeout(10):
            while standin.home(ann) is None:  # noqa: ASYNC110 - as a person looks
                await asyncio.sleep(0.01)

        assert "/ask" in standin.home(ann)


async def test_buttons_and_forms(playing):
    async with playing() as scene:
        standin = scene.standin
        ann = standin.person("ann")
        said = await standin.say(ann, QUESTION)
        await scene.idle()
        (task,) = [one for one in scene.host.accepted if isinstance(one, Asked)]
        reply = await _adapter_of(scene).open_reply(task.address, "more")
        actions = (Action("unhelpful", "Not helpful", "a1"), Action("quotes", "Quotes", "a1"))
        await reply.show([[Actions(actions)]], complete=True)
        seen = standin.seen(ann, thread=said.thread)[-1]
        assert standin.form(ann) is None
        await standin.press(ann, seen, seen.button("unhelpful"))
        assert "What was wrong" in standin.form(ann)
        await standin.fill_in(ann, "It is 30.")
        assert standin.form(ann) is None
        await standin.press(ann, seen, seen.button("quotes"))

        assert "Nothing of this can be shown" in standin.form(ann)
        assert [one.reason for one in scene.host.accepted[1:]] == ["", "It is 30."]


def _adapter_of(scene):
    return scene.host.desk._adapters["slack"]


async def test_a_restart_finishes_what_was_begun(playing, tmp_path, monkeypatch):
    slow = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
    async with rehearsal() as standin:
        monkeypatch.setenv("TEST_BOT_TOKEN", standin.double.bot_token)
        monkeypatch.setenv("TEST_APP_TOKEN", standin.double.app_token)
        settings = load_settings(write_handbook(tmp_path, slow))
        ann = standin.person("ann")
        async with working(tmp_path, settings, standin):
            said = await standin.say(ann, QUESTION)
            async with asyncio.timeout(20):
                while not standin.seen(ann, thread=said.thread):  # noqa: ASYNC110 - as a person looks
                    await asyncio.sleep(0.01)
        (before,) = standin.seen(ann, thread=said.thread)
        async with working(tmp_path, settings, standin) as scene:
            await scene.idle()
        (after,) = standin.seen(ann, thread=said.thread)

    assert before.is_growing
    assert (after.id, after.is_growing) == (before.id, False)
    assert "28 days" in after.text


async def test_questions_that_come_at_once_are_answered_within_slacks_limits(playing):
    slow = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
    async with playing(text=slow) as scene:
        standin = scene.standin
        ann = standin.person("ann", groups=["people"])
        channels = [standin.channel(f"c{number}", [ann]) for number in range(30)]
        standin.double.api.rates.enforced = True
        asked = [await standin.say(ann, QUESTION, channel=one) for one in channels]
        async with asyncio.timeout(30):
            await scene.idle()

        for said, channel in zip(asked, channels, strict=True):
            (seen,) = standin.seen(ann, channel=channel, thread=said.thread)
            assert ("28 days" in seen.text, seen.is_growing) == (True, False)
