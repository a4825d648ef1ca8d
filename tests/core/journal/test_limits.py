"""Who asks too much is told so, and holds up nobody."""

import pytest
from msgspec.structs import replace

from chats import VENUE, answered, asked, deleted, edited, record
from citewell.journal.inbox import Accepted, Inbox, Limits

LEASE = {"lease_s": 30}
ELSEWHERE = replace(VENUE, channel="C2")
OTHER_TEAM = replace(VENUE, team="T2")


def taken(inbox, **options):
    """Return the keys of all questions that are leased one after the other, and why."""
    found = {}
    while task := inbox.claim("a", **LEASE, **options):
        found[task.asked.key] = task.turned_away
        assert inbox.finish(task, "a")
    return found


def limited(engine, clock, **limits):
    return Inbox(engine, clock=clock, limits=Limits(**limits))


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"user_per_minute": 2}, "user"),
        ({"channel_per_minute": 2}, "channel"),
        ({"queue": 2}, "queue"),
    ],
)
def test_a_question_over_a_limit_is_kept_and_turned_away(engine, clock, limits, reason):
    inbox = limited(engine, clock, **limits)

    came = [inbox.accept(asked(str(number))) for number in range(4)]

    assert came == [Accepted.NEW] * 4
    assert inbox.accept(asked("3")) is Accepted.DUPLICATE
    assert inbox.depths().turned_away == 2
    assert taken(inbox, turned_away=True) == {"2": reason, "3": reason}
    assert taken(inbox) == {"0": "", "1": ""}


def test_a_limit_is_one_persons_in_one_team_or_one_channels(engine, clock):
    inbox = limited(engine, clock, user_per_minute=1, channel_per_minute=2)
    inbox.accept(asked("1"))
    inbox.accept(asked("2", user="U2"))
    inbox.accept(asked("3", user="U3"))
    inbox.accept(asked("4", venue=ELSEWHERE))
    inbox.accept(asked("5", venue=ELSEWHERE, user="U3"))
    inbox.accept(asked("6", venue=OTHER_TEAM))

    assert taken(inbox, turned_away=True) == {"3": "channel", "4": "user"}
    assert list(taken(inbox)) == ["1", "2", "5", "6"]


def test_a_limit_is_of_a_minute_and_does_not_count_what_was_turned_away(engine, clock):
    inbox = limited(engine, clock, user_per_minute=1)
    for key, passed in (("1", 0), ("2", 59), ("3", 1)):
        clock.now += passed
        inbox.accept(asked(key, at=clock.now))

    assert list(taken(inbox)) == ["1", "3"]


def test_what_comes_late_counts_for_the_minute_in_which_it_was_said(engine, clock):
    inbox = limited(engine, clock, user_per_minute=2, channel_per_minute=2)
    for number in range(9):
        inbox.accept(asked(str(number), at=clock.now - 7_200 + number * 40))
    for number in range(3):
        inbox.accept(asked(f"at once {number}", at=clock.now - 600))

    assert taken(inbox, turned_away=True) == {"at once 2": "user"}
    assert len(taken(inbox)) == 11


def test_a_change_counts_as_a_question(engine, clock):
    inbox = limited(engine, clock, user_per_minute=3)
    inbox.accept(asked("1", at=clock.now))
    answered(engine, inbox.claim("a", **LEASE), inbox, record())
    count = 0
    for number in range(9):
        inbox.accept(edited(f"e{number}", at=clock.now, text=f"text {number}"))
        count += len(taken(inbox))

    assert count == 2
    assert taken(inbox, turned_away=True) == {"1": "user"}
    clock.now += 61
    inbox.accept(edited("later", at=clock.now, text="at last"))
    task = inbox.claim("a", **LEASE)
    assert (task.text, task.turned_away) == ("at last", "")


def test_a_queue_that_was_worked_off_takes_more(engine, clock):
    inbox = limited(engine, clock, queue=1)
    inbox.accept(asked("1"))
    inbox.accept(asked("2"))
    assert list(taken(inbox)) == ["1"]
    inbox.accept(asked("3"))

    assert list(taken(inbox)) == ["3"]


def test_what_is_turned_away_holds_up_nobody_and_waits_for_nobody(engine, clock):
    inbox = limited(engine, clock, user_per_minute=2)
    for key in "1234":
        inbox.accept(asked(key))
    first = inbox.claim("a", **LEASE)

    away = [inbox.claim("a", **LEASE, turned_away=True) for _ in range(2)]
    assert [task.asked.key for task in away] == ["3", "4"]
    assert inbox.claim("b", **LEASE) is None
    assert inbox.finish(first, "a")
    clock.now += 31
    assert inbox.claim("b", **LEASE).asked.key == "2"
    assert inbox.claim("b", **LEASE, turned_away=True) is None
    clock.now += 60
    inbox.accept(asked("5", at=clock.now))
    assert inbox.claim("b", **LEASE).asked.key == "2"


def test_what_was_taken_back_before_it_was_turned_away_has_its_turn(engine, clock):
    inbox = limited(engine, clock, user_per_minute=2)
    inbox.accept(deleted("d", of="3", at=5.0))
    for key in "123":
        inbox.accept(asked(key))
    answering = inbox.claim("a", **LEASE)

    # What was posted for it would be looked for, and the answer that was begun be found.
    assert inbox.claim("b", **LEASE, turned_away=True) is None
    assert inbox.finish(answering, "a")
    assert inbox.claim("b", **LEASE, turned_away=True).asked.key == "3"


def test_a_further_word_to_what_is_turned_away_has_its_turn(engine, clock):
    inbox = limited(engine, clock, user_per_minute=2)
    for key in "123":
        inbox.accept(asked(key))
    answering = inbox.claim("a", **LEASE)
    inbox.release(inbox.claim("a", **LEASE, turned_away=True), "a")
    assert inbox.claim("b", **LEASE, turned_away=True) is None

    assert inbox.finish(answering, "a")
    away = inbox.claim("b", **LEASE, turned_away=True)
    assert away.asked.key == "3"
    assert inbox.claim("a", **LEASE) is None
    assert inbox.finish(away, "b")
    assert inbox.claim("a", **LEASE).asked.key == "2"


@pytest.mark.parametrize("how", ["killed", "given back"])
def test_a_further_word_waits_for_an_answer_that_was_begun_and_nobody_is_at(engine, clock, how):
    inbox = limited(engine, clock, user_per_minute=2)
    for key in "123":
        inbox.accept(asked(key))
    begun = inbox.claim("a", **LEASE)
    inbox.release(inbox.claim("a", **LEASE, turned_away=True), "a")
    if how == "killed":
        clock.now += LEASE["lease_s"] + 1
    else:
        inbox.release(begun, "a", after_s=30)

    assert inbox.claim("b", **LEASE, turned_away=True) is None
    clock.now += 31
    assert inbox.finish(inbox.claim("b", **LEASE), "b")
    assert inbox.claim("b", **LEASE, turned_away=True).asked.key == "3"


def test_a_change_over_the_limit_waits_for_the_answer_that_is_on_its_way(engine, clock):
    inbox = limited(engine, clock, user_per_minute=2)
    for key in "12":
        inbox.accept(asked(key))
    assert inbox.finish(inbox.claim("a", **LEASE), "a")
    answering = inbox.claim("a", **LEASE)
    inbox.accept(edited("3", of="1"))

    assert inbox.claim("b", **LEASE, turned_away=True) is None
    assert inbox.finish(answering, "a")
    assert inbox.claim("b", **LEASE, turned_away=True).asked.key == "1"


def test_what_is_turned_away_is_taken_back_with_its_question(engine, clock):
    inbox = limited(engine, clock, user_per_minute=1)
    inbox.accept(asked("0"))
    inbox.accept(asked("1"))
    inbox.accept(edited("2"))
    assert taken(inbox, turned_away=True) == {"1": "user"}
    inbox.accept(deleted("3"))

    assert taken(inbox) == {"0": ""}
    assert inbox.claim("a", **LEASE, turned_away=True).is_withdrawn


def test_what_was_turned_away_is_not_taken_in_by_a_change(engine, clock):
    inbox = limited(engine, clock, queue=1)
    inbox.accept(asked("0"))
    inbox.accept(edited("early", of="1"))
    inbox.accept(asked("1"))
    inbox.accept(edited("later", of="1", at=9.0))

    assert taken(inbox, turned_away=True) == {"1": "queue"}


def test_without_limits_nothing_is_turned_away(engine, clock):
    inbox = Inbox(engine, clock=clock)
    for number in range(30):
        inbox.accept(asked(str(number)))

    assert inbox.claim("a", **LEASE, turned_away=True) is None
    assert len(taken(inbox)) == 30
