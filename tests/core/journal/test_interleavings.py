"""Whatever comes in whatever order, each question gets its outcome once, and in its turn."""

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct
from msgspec.structs import replace

from chats import VENUE, Clock, asked, deleted, edited
from citewell.journal.inbox import Accepted, Hold, Inbox, Limits, Task
from citewell.journal.outbox import Outbox, Stage
from citewell.journal.tables import inbox as rows
from citewell.journal.tables import replies, shown

LEASE_S = 30
EARLY_S = 100
SIZES = {"sqlite": (100, 60), "postgresql": (8, 40)}
KEYS = [str(number) for number in range(5)]
OWNERS = ("a", "b")
THREADS = ("1", "2")


class Model(Struct):
    """What a question must be like.

    Attributes:
        seq: when it came; None before.
        is_due: it has no outcome, or not its last one.
        lease_until: of who is at it.
        holds: number of the lease that holds it; None when nobody does.
        leases: how often it was begun with.
        outcomes: what was finished, in order.
    """

    thread: str
    text: str = ""
    changed_at: float = 1.0
    is_withdrawn: bool = False
    seq: int | None = None
    is_due: bool = False
    is_over: bool = False
    changes: int = 0
    lease_until: float = 0.0
    not_before: float = 0.0
    holds: int | None = None
    leases: int = 0
    attempts: int = 0
    posted: int = 0
    early: list = []
    outcomes: list = []

    @property
    def says(self):
        return None if self.is_withdrawn else self.text

    @property
    def may_have_begun(self):
        """Whether something may stand there that a further word to it has to find."""
        return not self.is_over or self.leases > 1 or self.changes > 0

    def apply(self, at, text):
        if self.is_withdrawn or (text is not None and at < self.changed_at):
            return
        self.is_due = True
        self.changes += 1
        if text is None:
            self.is_withdrawn = True
        else:
            self.text, self.changed_at = text, at


class Machine(RuleBasedStateMachine):
    """Two processes at one journal, and people who change their minds."""

    engine: sa.Engine
    leases = Bundle("leases")

    def __init__(self):
        super().__init__()
        with self.engine.begin() as connection:
            for table in (shown, replies, rows):
                connection.execute(sa.delete(table))
        self.clock = Clock()
        self.inboxes = {owner: Inbox(self.engine, clock=self.clock) for owner in OWNERS}
        self.outbox = Outbox(self.engine, clock=self.clock)
        self.full = Inbox(self.engine, clock=self.clock, limits=Limits(queue=1))
        self.models = {}
        self.count = 0
        self.came = []

    def teardown(self):
        """Work off what is left: nothing may be lost."""
        self.clock.now += 10_000
        for _ in range(200):
            found = [
                task
                for over in (False, True)
                if (task := self._claimed("a", turned_away=over)) is not None
            ]
            for task in found:
                self.finish(("a", task))
            if not found:
                break
        for key, model in self.models.items():
            assert model.seq is None or not model.is_due, key
            assert model.seq is None or model.outcomes[-1] == model.says, key
            # Each change is told once at most, and what came last is told in the end.
            assert len(model.outcomes) <= 1 + model.changes, key

    # --- what comes in --------------------------------------------------------------------

    @rule(
        key=st.sampled_from(KEYS),
        thread=st.sampled_from(THREADS),
        is_full=st.sampled_from([False, False, False, True]),
    )
    def ask(self, key, thread, is_full):
        model = self.models.setdefault(key, Model(thread=thread))
        venue = replace(VENUE, thread=model.thread)
        event = asked(key, f"first {key}", venue=venue)
        self.came.append(event)
        inbox = self.full if is_full else self.inboxes["a"]
        open_ = [one for one in self.models.values() if one.is_due and not one.is_over]
        is_over = bool(is_full and any(one.seq is not None for one in open_))
        accepted = inbox.accept(event)
        assert accepted is (Accepted.NEW if model.seq is None else Accepted.DUPLICATE)
        if model.seq is not None:
            return
        self.count += 1
        model.seq, model.text, model.is_due, model.is_over = self.count, event.text, True, is_over
        for at, text, _ in sorted(model.early, key=lambda one: one[0]):
            model.apply(at, text or None)
        model.early = []

    @rule(key=st.sampled_from(KEYS), at=st.integers(2, 40), thread=st.sampled_from(THREADS))
    def edit(self, key, at, thread):
        self._amend(edited(f"e{at}", of=key, text=f"changed {at}", at=float(at)), thread)

    @rule(key=st.sampled_from(KEYS[::3]), at=st.integers(2, 40))
    def delete(self, key, at):
        self._amend(deleted(f"d{at}", of=key, at=float(at)), "1")

    @rule(number=st.integers(0, 50))
    def repeat(self, number):
        if self.came:
            event = self.came[number % len(self.came)]
            assert self.inboxes["b"].accept(event) is Accepted.DUPLICATE

    def _amend(self, event, thread):
        if any(event.key == one.key for one in self.came):
            return
        self.came.append(event)
        assert self.inboxes["b"].accept(event) is Accepted.NEW
        model = self.models.setdefault(event.of, Model(thread=thread))
        text = getattr(event, "text", None)
        if model.seq is None:
            model.early.append((event.at, text or "", self.clock.now))
        else:
            model.apply(event.at, text)

    # --- work -----------------------------------------------------------------------------

    @rule(
        target=leases,
        owner=st.sampled_from(OWNERS),
        turned_away=st.sampled_from([False, False, True]),
    )
    def claim(self, owner, turned_away):
        task = self._claimed(owner, turned_away=turned_away)
        return multiple() if task is None else (owner, task)

    @rule(target=leases, owner=st.sampled_from(OWNERS), other=st.sampled_from(OWNERS))
    def take_over(self, owner, other):
        """Let a lease run out, and others at it go on meanwhile."""
        leases = []
        for one in (owner, other):
            task = self._claimed(one, turned_away=False)
            leases += [] if task is None else [(one, task)]
            self.clock.now += LEASE_S + 1
        return multiple(*leases)

    def _claimed(self, owner, *, turned_away):
        task = self.inboxes[owner].claim(owner, lease_s=LEASE_S, turned_away=turned_away)
        free = [key for key in self.models if self._may_be_leased(key, turned_away)]
        if task is None:
            assert free == []
            return None
        key = task.asked.key
        assert key == min(free, key=lambda one: self.models[one].seq)
        model = self.models[key]
        model.attempts += 1
        model.leases += 1
        assert (task.text, task.is_withdrawn) == (model.text, model.is_withdrawn)
        assert (task.attempts, task.revision) == (model.attempts, model.changes)
        model.holds, model.lease_until = task.lease, self.clock.now + LEASE_S
        return task

    def _may_be_leased(self, key, turned_away):
        model, now = self.models[key], self.clock.now
        if model.seq is None or not model.is_due or model.is_over is not turned_away:
            return False
        if model.lease_until < now if model.holds else model.not_before <= now:
            if turned_away and not model.leases and not model.changes:
                return True
            others = [
                one
                for one in self.models.values()
                if one is not model and one.thread == model.thread and one.seq
            ]
            is_behind = any(
                one.is_due and not one.is_over and one.seq < model.seq for one in others
            )
            is_busy = any(
                one.holds and one.lease_until >= now and one.may_have_begun for one in others
            )
            is_beside = any(one.is_due and not one.is_over and one.leases for one in others)
            return not is_busy and not (is_beside if turned_away else is_behind)
        return False

    @rule(owner=st.sampled_from(OWNERS))
    def answer(self, owner):
        task = self._claimed(owner, turned_away=False)
        if task is not None:
            self.finish((owner, task))

    @rule(lease=leases)
    def renew(self, lease):
        owner, task = lease
        model = self.models[task.asked.key]
        became = self.inboxes[owner].renew(task, owner, lease_s=LEASE_S)
        if model.holds != task.lease:
            assert became is Hold.LOST
        elif became is Hold.LOST:
            assert model.lease_until < self.clock.now
            assert any(
                one.thread == model.thread and one.holds and one.lease_until >= self.clock.now
                for one in self.models.values()
                if one is not model
            )
        else:
            assert became is (Hold.HELD if model.changes == task.revision else Hold.CHANGED)
            model.lease_until = self.clock.now + LEASE_S

    @rule(lease=leases)
    def note(self, lease):
        _, task = lease
        model = self.models[task.asked.key]
        self.outbox.open(task, task.asked.address)
        posted = (str(self.clock.now),)
        is_latest = self._leases(task) == task.lease
        assert self.outbox.note(task, posted=posted, stage=Stage.STREAMING) is is_latest
        assert is_latest or model.holds != task.lease

    def _leases(self, task: Task):
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(rows.c.lease).where(rows.c.seq == task.seq))

    @rule(lease=consumes(leases))
    def finish(self, lease):
        owner, task = lease
        model = self.models[task.asked.key]
        is_done = self.inboxes[owner].finish(task, owner)
        is_held = model.holds == task.lease
        assert is_done is (is_held and task.revision == model.changes)
        if is_held:
            model.holds, model.attempts = None, 0
        if is_done:
            model.is_due = False
            model.outcomes = [*model.outcomes, model.says]

    @rule(lease=leases, after_s=st.sampled_from([0.0, 7.0]), forgive=st.booleans())
    def release(self, lease, after_s, forgive):
        owner, task = lease
        model = self.models[task.asked.key]
        self.inboxes[owner].release(task, owner, after_s=after_s, forgive=forgive)
        if model.holds == task.lease:
            model.holds = None
            model.attempts -= forgive
            model.not_before = self.clock.now + after_s if after_s else 0.0

    @rule(seconds=st.sampled_from([1, 31]))
    def wait(self, seconds):
        self.clock.now += seconds

    @rule()
    def expire(self):
        self.inboxes["a"].expire(early_s=EARLY_S)
        for model in self.models.values():
            model.early = [one for one in model.early if one[2] >= self.clock.now - EARLY_S]

    # --- always ---------------------------------------------------------------------------

    @invariant()
    def one_question_of_a_conversation_is_in_work(self):
        now = self.clock.now
        for thread in THREADS:
            held = [
                one
                for one in self.models.values()
                if one.thread == thread and one.holds and one.lease_until >= now
                if one.may_have_begun
            ]
            assert len(held) <= 1

    @invariant()
    def nothing_is_lost(self):
        due = sum(one.is_due and one.seq is not None for one in self.models.values())
        assert self.inboxes["a"].waiting() == due


def test_no_outcome_is_lost_or_doubled_and_each_question_has_its_turn(database, engine):
    examples, steps = SIZES[database.name]
    machine = type("Machine", (Machine,), {"engine": engine})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.engine is engine
