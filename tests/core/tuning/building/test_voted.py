"""Votes become examples, as long as the passages are what they were and the checks agree."""

from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from citewell import Audience
from citewell.engine.assistant import Assistant, new_id
from citewell.engine.prompting import REFUSAL
from citewell.journal.database import open_engine
from citewell.journal.feedback import Feedback, Vote
from citewell.journal.journal import Journal
from citewell.tuning.building.building import of_votes
from citewell.tuning.building.guarding import Guard
from citewell.tuning.building.teaching import Terms
from citewell.tuning.building.tracing import Tracer
from citewell.tuning.building.voted import voted
from citewell.tuning.data.checking import faults
from citewell.tuning.data.examples import Kind
from citewell.tuning.data.private import Private
from citewell.types.evaluation import EvalItem
from citewell.types.questions import Question
from towns import EVERYONE, opened

WHEN = "When was the library in Bonn founded?"
FILMS = "How many films does the library in Essen lend?"
UNKNOWN = "How many penguins live in the zoo of Kassel?"
DEFAULT, INVENTIVE = (Terms(profile=name, audience=EVERYONE) for name in ("default", "inventive"))


class Town:
    """People who ask, and vote on what they are told."""

    def __init__(self, runtime, engine):
        self.runtime = runtime
        self.journal = Journal(engine)
        self.feedback = Feedback(engine)

    async def ask(self, text, *, profile="default", vote=None, reason="", audience=EVERYONE):
        """Ask, vote, and return the reference."""
        question = Question(id=new_id(), text=text, audience=audience, profile=profile)
        course = await Assistant(self.runtime, self.journal).whole(question)
        if vote is not None:
            self.feedback.add(
                Vote(answer=course.answer.id, voter="ann", is_helpful=vote, reason=reason, at=1.0)
            )
        return course.answer.id

    async def built(self, kind, terms=DEFAULT, questions=()):
        """Return the examples of the votes."""
        with Private() as private:
            found = voted(self.journal, self.feedback, terms.profile)
            return await of_votes(self.runtime, found, kind, terms, Guard(private, questions))


@asynccontextmanager
async def town(project):
    engine = open_engine(f"sqlite:///{project.parent / 'journal.sqlite'}")
    try:
        async with opened(project) as runtime:
            yield Town(runtime, engine)
    finally:
        engine.dispose()


async def test_a_good_answer_is_learnt_with_its_own_passages(project):
    async with town(project) as people:
        reference = await people.ask(WHEN, vote=True)
        await people.ask(FILMS)
        found = await people.built(Kind.CHAT)

    (example,) = found.examples
    assert "founded in 1851" in example.messages[-1].content
    assert example.messages[-2].content.endswith(WHEN)
    assert example.origin == f"answer:{reference}"
    assert example.documents == ("docs:bonn.md",)
    assert not [*faults(example)]
    assert not found.declined


async def test_every_vote_is_an_example_for_kto(project):
    async with town(project) as people:
        good = await people.ask(WHEN, vote=True)
        bad = await people.ask(FILMS, vote=False)
        found = await people.built(Kind.VOTE)

    assert {one.origin: one.is_good for one in found.examples} == {
        f"answer:{good}": True,
        f"answer:{bad}": False,
    }
    assert all(one.answer and one.kind is Kind.VOTE for one in found.examples)
    assert not any([*faults(one)] for one in found.examples)


async def test_a_bad_answer_is_kept_as_the_model_wrote_it(project):
    async with town(project) as people:
        await people.ask(WHEN, profile="inventive", vote=False)
        (example,) = (await people.built(Kind.VOTE, INVENTIVE)).examples

    assert example.answer == "The mayor of Aachen earns 9 euros [1]."
    assert not example.is_good


async def test_what_somebody_wrote_instead_is_learnt_where_the_documents_say_it(project):
    right = "The library in Bonn was founded in 1851 by Anna Weber."
    async with town(project) as people:
        await people.ask(WHEN, profile="inventive", vote=False, reason=right)
        await people.ask(FILMS, profile="inventive", vote=False, reason="It is 17 films.")
        chats = await people.built(Kind.CHAT, INVENTIVE)
        pairs = await people.built(Kind.PREFERENCE, INVENTIVE)

    (example,) = chats.examples
    assert example.teaches == "corrected"
    assert example.messages[-1].content.startswith(right[:-1])
    assert sum(chats.declined.values()) == 1
    (pair,) = pairs.examples
    assert pair.chosen == example.messages[-1].content
    assert pair.rejected == "The mayor of Aachen earns 9 euros [1]."
    assert pair.messages == example.messages[:-1]
    assert example.documents == ("docs:bonn.md",)


@pytest.mark.parametrize(
    ("reason", "declined"),
    [
        (
            "You should have said that the library in Bonn was founded in 1851 by Anna Weber.",
            {"what somebody wrote speaks about the answer": 1},
        ),
        ("The library in Bonn was founded in 1851 by Anna Weber [4].", {}),
    ],
)
async def test_a_correction_is_a_statement_with_a_mark_of_its_own(project, reason, declined):
    async with town(project) as people:
        await people.ask(WHEN, profile="inventive", vote=False, reason=reason)
        found = await people.built(Kind.CHAT, INVENTIVE)

    assert found.declined == declined
    assert [one.messages[-1].content.count("[") for one in found.examples] == [1] * (not declined)


async def test_the_words_of_somebody_else_are_no_correction(project):
    async with town(project) as people:
        reference = await people.ask(WHEN, profile="inventive")
        record = people.journal.find(reference)
        people.journal.add(replace(record, id="asked", question_id="q3", asker="slack/T/U1"))
        for voter in ("slack/T/U1", "slack/T/U2"):
            vote = Vote(answer="asked", voter=voter, is_helpful=False, reason=voter, at=1.0)
            people.feedback.add(vote)
        (one,) = voted(people.journal, people.feedback, "inventive")

    assert one.corrections == ("slack/T/U1",)


async def test_a_forgotten_answer_cannot_be_looked_up(project):
    async with town(project) as people:
        await people.ask(WHEN, vote=True)
        (example,) = (await people.built(Kind.CHAT)).examples
        record = people.journal.find(example.origin.removeprefix("answer:"))
        retriever = await people.runtime.retriever("main")
        there = await Tracer(retriever, EVERYONE, lambda _id: record).trace(example)
        wiped = replace(record, is_wiped=True)
        gone = await Tracer(retriever, EVERYONE, lambda _id: wiped).trace(example)
        secret = replace(record, readers=(("everyone", "people-team"),))
        hidden = await Tracer(retriever, EVERYONE, lambda _id: secret).trace(example)

    assert there.is_whole
    assert [one.gone for one in (gone, hidden)] == [(f"answer {record.id}",)] * 2


async def test_a_better_answer_to_the_same_question_makes_a_pair(project):
    async with town(project) as people:
        good = await people.ask(WHEN, vote=True)
        record = people.journal.find(good)
        claim = record.claims[0]
        wrong = replace(claim, raw="It was founded in 1999 [1].", text="It was founded in 1999.")
        people.journal.add(replace(record, id="worse", question_id="q2", claims=(wrong,)))
        people.feedback.add(Vote(answer="worse", voter="bob", is_helpful=False, at=2.0))
        (pair,) = (await people.built(Kind.PREFERENCE)).examples

    assert "founded in 1851" in pair.chosen
    assert pair.rejected == "It was founded in 1999 [1]."
    assert pair.origin.split() == [f"answer:{good}", "answer:worse"]
    assert pair.documents == ("docs:bonn.md",)


async def test_equal_answers_make_no_pair(project):
    async with town(project) as people:
        await people.ask(WHEN, vote=True)
        await people.ask(WHEN, vote=False)
        found = await people.built(Kind.PREFERENCE)

    assert not found.examples
    assert found.declined == {"people think differently about it": 2}


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.VOTE])
async def test_what_people_think_differently_about_teaches_nothing(project, kind):
    async with town(project) as people:
        await people.ask(WHEN, vote=True)
        await people.ask(WHEN, vote=False)
        found = await people.built(kind)

    assert not found.examples
    assert found.declined == {"people think differently about it": 2}


@pytest.mark.parametrize("kind", [*Kind])
async def test_words_of_who_may_read_more_are_not_learnt(project, kind):
    team = Audience.of("everyone", "people-team")
    async with town(project) as people:
        await people.ask(WHEN, vote=kind is not Kind.PREFERENCE, audience=team)
        found = await people.built(kind)
        of_team = await people.built(Kind.CHAT, Terms(profile="default", audience=team))

    assert not found.examples
    assert sum(found.declined.values()) == 1
    assert bool(of_team.examples) == (kind is not Kind.PREFERENCE)


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.VOTE])
async def test_documents_of_an_evaluation_are_kept_out_of_votes(project, kind):
    about = [EvalItem(question="Who works there?", documents=("aachen.md",), answers=("Ann",))]
    async with town(project) as people:
        reference = await people.ask(WHEN, vote=True)
        given = {one.document_id for one in people.journal.find(reference).passages}
        found = await people.built(kind, questions=about)

    assert "docs:aachen.md" in given
    assert not found.examples
    assert found.declined == {"the evaluation asks about its document": 1}


async def test_a_refusal_that_helped_teaches_to_refuse(project):
    async with town(project) as people:
        await people.ask(UNKNOWN, profile="inventive", vote=True)
        (example,) = (await people.built(Kind.CHAT, INVENTIVE)).examples

    assert example.messages[-1].content == REFUSAL
    assert example.messages[-2].content.endswith(UNKNOWN)


async def test_an_answer_whose_passages_changed_is_not_learnt(project):
    async with town(project) as people:
        await people.ask(WHEN, vote=True)
    (project.parent / "docs" / "bonn.md").write_text("# Bonn\n\nIt was founded in 1900.\n")
    async with town(project) as people:
        found = await people.built(Kind.CHAT)

    assert not found.examples
    assert found.declined == {"its passages changed, or may not be read": 1}


@pytest.mark.parametrize("votes", [(), (True, False)])
async def test_without_a_majority_there_is_no_example(project, votes):
    async with town(project) as people:
        reference = await people.ask(WHEN)
        for number, is_helpful in enumerate(votes):
            people.feedback.add(
                Vote(answer=reference, voter=f"p{number}", is_helpful=is_helpful, at=1.0)
            )
        found = await people.built(Kind.VOTE)

    assert not found.examples


async def test_answers_of_another_profile_teach_nothing_about_this_one(project):
    async with town(project) as people:
        await people.ask(WHEN, profile="inventive", vote=False)
        found = await people.built(Kind.VOTE, DEFAULT)

    assert not found.examples
