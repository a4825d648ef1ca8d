"""The events of a run survive a kill, and tell its course whatever interrupted it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.training import Estimate, Exported, Started, Stepped, Trained, Validated
from citewell.tuning.runs.events import Event, append, curve, load, seconds_in
from citewell.tuning.runs.happenings import Entered, Estimated, Lost, Opened, State, Warned


def step(number, loss=1.0):
    return Stepped(step=number, loss=loss, learning_rate=0.1, tokens=number, seconds=1.0)


def test_events_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "events.jsonl"
    written = [
        Opened(process=7),
        Entered(state=State.FAILED, reason="Grüße,\nzwei Zeilen"),
        Warned(said=("a", "b")),
        Estimated(
            estimate=Estimate(
                steps=1, measured=1, step_s=1, start_s=1, memory_bytes=1, examples=1, tokens=1
            ),
            cost=2.5,
        ),
        Lost(attempt=1, attempts=3, reason="killed"),
        Trained(adapter=tmp_path / "adapter", step=3),
        Exported(kind="Q8_0", file=tmp_path / "a.gguf", section={"path": "a"}, figures={"x": 1.0}),
    ]

    for one in written:
        append(path, one)

    assert [event.what for event in load(path)] == written


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path, cut):
    path = tmp_path / "events.jsonl"
    for number in (1, 2, 3):
        append(path, step(number))
    path.write_bytes(path.read_bytes()[:-cut])

    append(path, step(4))

    lost = 3 if cut > 1 else None
    assert [event.what.step for event in load(path)] == [n for n in (1, 2, 3, 4) if n != lost]


def test_no_file_has_no_events(tmp_path):
    assert load(tmp_path / "none") == ()


def test_what_was_done_twice_counts_once():
    events = [
        Started(steps=9),
        step(1),
        Validated(step=1, loss=9),
        step(2),
        Validated(step=2, loss=8),
        Started(steps=9, step=1),
        step(2, loss=0.5),
    ]

    found = curve(Event(at=0.0, what=one) for one in events)

    assert [(one.step, one.loss) for one in found.steps] == [(1, 1.0), (2, 0.5)]
    assert ([one.loss for one in found.validated], found.total) == ([9], 9)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9)), max_size=8))
def test_the_steps_of_a_curve_rise_whatever_interrupted_it(attempts):
    events, last = [], 0
    for share, count in attempts:
        begun = int(share * last)
        last = begun + count
        events += [Started(steps=99, step=begun), *(step(begun + one + 1) for one in range(count))]

    found = [one.step for one in curve(Event(at=0.0, what=one) for one in events).steps]

    assert found == list(range(1, last + 1))


def test_time_in_which_no_process_had_it_does_not_count():
    events = [
        Event(at=0, what=Opened(process=1)),
        Event(at=2, what=Entered(state=State.TRAINING)),
        Event(at=5, what=step(1)),
        Event(at=1000, what=Opened(process=2)),
        Event(at=1001, what=Entered(state=State.TRAINING)),
        Event(at=1011, what=Entered(state=State.DONE)),
    ]

    assert seconds_in(events) == {State.WAITING: 2, State.TRAINING: 14}
