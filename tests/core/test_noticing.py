"""What components say is heard by whoever shows the answer and by whoever runs the assistant."""

import pytest

from citewell.noticing import Reminder, Told, listening, notice

PLAIN, FULL = "a part is off", "run: mend it"


def test_a_notice_is_kept_once():
    with listening() as notices:
        notice(PLAIN, detail=FULL)
        notice(PLAIN, detail=FULL)
        notice(PLAIN)

    assert notices == [Told(PLAIN, FULL), Told(PLAIN)]
    assert [one.whole for one in notices] == [FULL, PLAIN]


def test_whoever_listens_outside_hears_it_too_also_when_something_breaks():
    def breaking():
        with listening() as inside:
            heard.append(inside)
            notice(PLAIN, detail=FULL)
            assert outside == []
            raise LookupError

    heard = []
    with listening() as outside:
        with pytest.raises(LookupError):
            breaking()
        notice(PLAIN, detail=FULL)

    assert heard[0] == outside == [Told(PLAIN, FULL)]


def test_a_notice_that_nobody_hears_is_lost():
    notice(PLAIN, detail=FULL)
    with listening() as notices:
        pass

    assert notices == []


def test_a_line_is_due_again_after_a_while_and_forgotten_when_it_is_not_said_any_more():
    now = [0.0]
    reminder = Reminder(again_s=10, clock=lambda: now[0])

    due = [reminder.is_due("a"), reminder.is_due("a"), reminder.is_due("b")]
    now[0] = 9.9
    soon = reminder.is_due("a")
    now[0] = 10.0

    assert due == [True, False, True]
    assert not soon
    assert reminder.is_due("a")
    assert set(reminder._since) == {"a"}
