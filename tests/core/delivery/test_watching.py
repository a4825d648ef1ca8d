"""What happened while nobody was connected is taken in, however that goes wrong."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from chats import asked
from citewell.chat import Deleted
from citewell.delivery import watching as module
from citewell.delivery.watching import Watching
from citewell.errors import AdapterError, DeliveryError
from citewell.journal.hearing import Hearing
from citewell.journal.inbox import Inbox
from databases import opened

GONE = Deleted(key="gone-1", venue=asked("1").venue, user="U1", at=2.0, of="1")


class Service:
    """A chat service that tells what was missed, or fails to."""

    def __init__(self, *events):
        self.is_connected = False
        self.events = list(events)
        self.sinces = []
        self.failures = []
        self.changes = {}
        self.ends = []
        self.looked = []
        self.pause_s = 0.0
        self.look_s = 0.0

    async def serve(self, host):
        self.is_connected = True
        while not self.ends:  # noqa: ASYNC110 - a test sets it
            await asyncio.sleep(0.01)
        self.is_connected = False
        end = self.ends.pop(0)
        if end is not None:
            raise end

    async def missed(self, since):
        self.sinces.append(since)
        if self.failures:
            raise self.failures.pop(0)
        for event in self.events:
            await asyncio.sleep(self.pause_s)
            yield event

    async def changed(self, asked):
        self.looked.append(asked.key)
        await asyncio.sleep(self.look_s)
        change = self.changes.get(asked.key)
        if isinstance(change, Exception):
            raise change
        return change


class Desk:
    def __init__(self, inbox):
        self.inbox = inbox
        self.accepted = []

    async def accept(self, event):
        self.accepted.append(event.key)
        return bool(await asyncio.to_thread(self.inbox.accept, event))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in ("_LOOK_S", "_GLANCE_S", "_FIRST_PAUSE_S"):
        monkeypatch.setattr(module, name, 0.01)


@pytest.fixture
def engine(tmp_path):
    with opened(f"sqlite:///{tmp_path / 'journal.sqlite'}") as engine:
        yield engine


@pytest.fixture
def inbox(engine):
    return Inbox(engine)


@pytest.fixture
def hearing(engine):
    return Hearing(engine)


@asynccontextmanager
async def catching_up(service, inbox, hearing):
    desk = Desk(inbox)
    task = asyncio.create_task(Watching("slack", service, desk, hearing).catch_up())
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so):
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.01)


async def test_what_cannot_be_read_at_first_is_read_later(inbox, hearing):
    inbox.accept(asked("0"))
    service = Service(asked("1"), asked("2"))
    service.failures = [DeliveryError("busy", passes=True), RuntimeError("odd")]
    async with catching_up(service, inbox, hearing) as desk:
        service.is_connected = True
        await until(lambda: "2" in desk.accepted)

    assert len(service.sinces) == 3
    assert len(set(service.sinces)) == 1


async def test_a_cut_while_missed_things_are_read_is_looked_into_as_well(inbox, hearing):
    inbox.accept(asked("0"))
    service = Service(asked("1"), asked("2"))
    service.pause_s = 0.1
    async with catching_up(service, inbox, hearing):
        service.is_connected = True
        await until(lambda: service.sinces)
        service.is_connected = False
        await asyncio.sleep(0.05)
        service.is_connected = True
        await until(lambda: len(service.sinces) == 2)

    assert service.sinces[0] == service.sinces[1]


async def test_who_is_killed_while_catching_up_catches_up_next_time(inbox, hearing):
    inbox.accept(asked("0"))
    hearing.note("slack", 1000.0)
    service = Service(asked("1"), asked("2"))
    service.pause_s = 0.2
    async with catching_up(service, inbox, hearing) as desk:
        service.is_connected = True
        await until(lambda: "1" in desk.accepted)
    again = Service()
    again.is_connected = True
    async with catching_up(again, inbox, hearing):
        await until(lambda: again.sinces)

    assert again.sinces[0] == service.sinces[0] < 1000.0


async def test_a_question_that_cannot_be_looked_at_hides_no_other(inbox, hearing, caplog):
    for key in "12345":
        inbox.accept(asked(key))
    service = Service()
    service.changes = {
        "1": GONE,
        "3": KeyError("odd"),
        "5": DeliveryError("not there any more", passes=False),
    }
    service.is_connected = True
    async with catching_up(service, inbox, hearing) as desk:
        await until(lambda: desk.accepted)
        await until(lambda: len(service.looked) >= 5)

    assert set(service.looked) == set("12345")
    assert desk.accepted == ["gone-1"]
    assert "what became of question 3" in caplog.text


async def test_also_a_question_of_many_before_is_looked_at_in_its_time(inbox, hearing, monkeypatch):
    monkeypatch.setattr(module, "_CALM_S", 0.001)
    keys = [str(number) for number in range(1, 201)]
    for key in keys:
        inbox.accept(asked(key))
    service = Service()
    service.changes = {"1": GONE}
    service.is_connected = True
    async with catching_up(service, inbox, hearing) as desk:
        await until(lambda: desk.accepted)

    assert sorted(service.looked, key=int) == keys


async def test_after_the_first_questions_a_service_has_its_peace(inbox, hearing, monkeypatch):
    monkeypatch.setattr(module, "_CALM_S", 60)
    for number in range(module._AT_ONCE + 5):
        inbox.accept(asked(str(number)))
    service = Service()
    service.is_connected = True
    async with catching_up(service, inbox, hearing):
        await until(lambda: len(service.looked) == module._AT_ONCE)
        await asyncio.sleep(0.1)

    assert len(service.looked) == module._AT_ONCE


async def test_what_was_missed_in_a_cut_does_not_wait_for_all_that_is_looked_at(
    inbox, hearing, monkeypatch
):
    monkeypatch.setattr(module, "_CALM_S", 0.2)
    for number in range(module._AT_ONCE + 100):
        inbox.accept(asked(str(number)))
    service = Service()
    service.is_connected = True
    async with catching_up(service, inbox, hearing) as desk:
        await until(lambda: len(service.looked) > module._AT_ONCE)
        service.is_connected = False
        await asyncio.sleep(0.05)
        service.events = [asked("missed")]
        service.is_connected = True
        await until(lambda: "missed" in desk.accepted)

    assert len(service.looked) < module._AT_ONCE + 50


async def test_what_was_missed_is_done_with_before_all_is_looked_at(inbox, hearing, monkeypatch):
    monkeypatch.setattr(module, "_CALM_S", 60)
    for number in range(module._AT_ONCE + 5):
        inbox.accept(asked(str(number)))
    hearing.note("slack", 1000.0)
    service = Service()
    service.is_connected = True
    async with catching_up(service, inbox, hearing):
        await until(lambda: len(service.looked) == module._AT_ONCE)
        service.is_connected = False
        await asyncio.sleep(0.05)
        service.is_connected = True
        await until(lambda: len(service.sinces) == 2)

    assert hearing.until("slack") > 1000.0
    assert service.sinces[1] > 1000.0 > service.sinces[0]


async def test_who_is_killed_before_all_was_looked_at_goes_on_next_time(
    inbox, hearing, monkeypatch
):
    monkeypatch.setattr(module, "_CHANGED_S", 0.0)
    inbox.accept(asked("old"))
    hearing.note("slack", time.time())
    monkeypatch.setattr(module.time, "time", lambda now=time.time: now() + 7 * 86_400)
    service = Service()
    service.changes = {"old": DeliveryError("busy", passes=True)}
    service.is_connected = True
    async with catching_up(service, inbox, hearing):
        await until(lambda: service.looked)
    again = Service()
    gone = Deleted(key="gone", venue=asked("old").venue, user="U1", at=2.0, of="old")
    again.changes = {"old": gone}
    again.is_connected = True
    async with catching_up(again, inbox, hearing) as desk:
        await until(lambda: desk.accepted)
        await until(lambda: hearing.unsure_since("slack") is None)

    assert again.sinces[0] > service.sinces[0] + 86_400


async def test_a_question_that_can_never_be_looked_at_hides_no_other(inbox, hearing):
    for key in "12":
        inbox.accept(asked(key))
    service = Service()
    service.changes = {"1": GONE, "2": DeliveryError("busy", passes=True)}
    service.is_connected = True
    async with catching_up(service, inbox, hearing) as desk:
        await until(lambda: desk.accepted)

    assert service.looked[:2] == ["2", "1"]


async def test_each_of_many_questions_is_looked_at_though_the_connection_never_lasts(
    inbox, hearing, monkeypatch
):
    monkeypatch.setattr(module, "_CALM_S", 0.2)
    keys = {str(number) for number in range(3 * module._AT_ONCE)}
    for key in sorted(keys):
        inbox.accept(asked(key))
    service = Service()
    async with catching_up(service, inbox, hearing):
        for _ in range(3):
            before = len(service.looked)
            service.is_connected = True
            await until(lambda before=before: len(service.looked) >= before + module._AT_ONCE)
            service.is_connected = False
            await asyncio.sleep(0.3)

    assert set(service.looked) == keys


async def test_a_cut_during_the_last_look_is_not_forgotten(inbox, hearing):
    inbox.accept(asked("1"))
    service = Service()
    service.look_s = 0.2
    service.is_connected = True
    async with catching_up(service, inbox, hearing):
        await until(lambda: service.looked)
        service.is_connected = False
        await asyncio.sleep(0.05)
        service.is_connected = True
        await until(lambda: len(service.looked) == 2)


async def test_what_was_looked_at_is_not_looked_at_again_until_a_cut(inbox, hearing):
    for key in "123":
        inbox.accept(asked(key))
    busy = DeliveryError("busy", passes=True)
    service = Service()
    service.changes = {"1": busy}
    service.is_connected = True
    async with catching_up(service, inbox, hearing):
        await until(lambda: service.looked.count("1") >= 3)
        service.changes.clear()
        await until(lambda: hearing.unsure_since("slack") is None)
        seen = set(service.looked), service.looked.count("2"), service.looked.count("3")
        service.is_connected = False
        await asyncio.sleep(0.05)
        service.is_connected = True
        await until(lambda: service.looked.count("2") == 2 == service.looked.count("3"))

    assert seen == ({"1", "2", "3"}, 1, 1)


async def test_a_service_that_takes_the_bot_no_more_says_why(inbox, hearing):
    service = Service()
    watching = Watching("slack", service, Desk(inbox), hearing)
    noticing = asyncio.create_task(watching.catch_up())
    serving = asyncio.create_task(watching.serve(None))
    await asyncio.sleep(0.1)
    service.ends = [AdapterError("the token was revoked")]
    async with asyncio.timeout(5):
        why = await serving
    noticing.cancel()
    await asyncio.gather(noticing, return_exceptions=True)

    assert why == "the token was revoked"


async def test_a_service_that_never_took_the_bot_ends_the_start(inbox, hearing):
    service = Service()
    service.ends = [AdapterError("wrong token")]
    with pytest.raises(AdapterError, match="wrong token"):
        await Watching("slack", service, Desk(inbox), hearing).serve(None)


@pytest.mark.parametrize("end", [None, RuntimeError("odd"), DeliveryError("no", passes=True)])
async def test_what_breaks_down_is_begun_again(inbox, hearing, end, caplog):
    service = Service()
    service.ends = [end]
    serving = asyncio.create_task(Watching("slack", service, Desk(inbox), hearing).serve(None))
    await until(lambda: "begun again" in caplog.text)
    await until(lambda: service.is_connected)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)

    assert service.ends == []
