"""Each person has one vote on an answer, the last one."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chats import VENUE, voted
from citewell.journal.feedback import Counts, Feedback, Vote
from citewell.journal.inbox import Accepted
from citewell.journal.names import Person, asker_name
from citewell.journal.tables import inbox as table
from citewell.types.chat import Venue


@pytest.fixture
def feedback(engine):
    return Feedback(engine)


def test_a_vote_comes_in_with_its_reason_and_stands_in_one_place(engine, inbox, feedback):
    came = [inbox.accept(voted(reason="naïve \x00 wrong")) for _ in range(2)]

    assert came == [Accepted.NEW, Accepted.DUPLICATE]
    (vote,) = feedback.of_answer("a1")
    assert vote == Vote(
        answer="a1", voter="slack/T1/U1", is_helpful=False, reason="naïve \ufffd wrong", at=5.0
    )
    with engine.connect() as connection:
        assert "wrong" not in str(connection.execute(sa.select(table)).all())


def test_a_later_vote_of_the_same_person_takes_the_place_of_the_first(inbox, feedback):
    inbox.accept(voted("1", helpful=False, reason="too long"))
    inbox.accept(voted("2", helpful=True, at=6.0))
    inbox.accept(voted("3", helpful=True, user="U2"))
    inbox.accept(voted("4", helpful=False, user="U3", answer_id="a2"))

    assert [(one.voter, one.is_helpful, one.reason) for one in feedback.of_answer("a1")] == [
        ("slack/T1/U2", True, ""),
        ("slack/T1/U1", True, ""),
    ]
    assert feedback.counts("a1") == Counts(helpful=2, unhelpful=0)
    assert feedback.counts("a3") == Counts(helpful=0, unhelpful=0)
    assert feedback.counts() == Counts(helpful=2, unhelpful=1)


def test_a_reason_stays_when_the_same_is_thought_again(inbox, feedback):
    inbox.accept(voted("1", reason="too long"))
    inbox.accept(voted("2", at=6.0))

    assert feedback.of_answer("a1")[0].reason == "too long"


def test_the_same_person_in_another_team_is_another_voter(feedback):
    for team in ("T1", "T2"):
        voter = asker_name(Venue(platform="slack", team=team, channel="C"), "U1")
        feedback.add(Vote(answer="a1", voter=voter, is_helpful=True, at=1.0))

    assert feedback.counts("a1").helpful == 2


@given(st.permutations(range(5)))
@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_whatever_order_votes_come_the_last_one_holds(feedback, moments):
    answer = "-".join(map(str, moments))
    for at in moments:
        vote = Vote(answer=answer, voter="v", is_helpful=at % 2 == 1, reason=f"at {at}", at=at)
        feedback.add(vote)

    (kept,) = feedback.of_answer(answer)
    assert (kept.is_helpful, kept.reason) == (False, "at 4")


@pytest.mark.parametrize("name", ["slack/T1/U1", "discord//7", "matrix/a/@me:x/y"])
def test_a_name_says_who_it_is(name):
    person = Person.of(name)

    assert person.name == name
    assert asker_name(VENUE, "U1") == "slack/T1/U1"


@pytest.mark.parametrize("name", ["", "U1", "slack/U1", "slack/T1/", "/T1/U1"])
def test_a_name_of_another_kind_is_nobodys(name):
    assert Person.of(name) is None
