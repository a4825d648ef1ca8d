"""What people are asked about: each text once, spread over questions and arms, half disputed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell import CitewellError, EvalItem, Outcome, Response
from citewell.evaluation.answers import open_answers
from citewell.evaluation.asking import Terms, key_under
from citewell.evaluation.identity import DOCUMENTS, Identity
from citewell.evaluation.labelling import LastRun, drawn
from citewell.evaluation.labels import text_hash
from citewell.evaluation.report import ArmResult, Asked, Report
from citewell.evaluation.reporting import questions_hash
from citewell.types.questions import Audience

ARMS = ("base", "tuned", "rag", "both")


def asked(number, texts, scores=None, *, score="correct"):
    """Return a question; a text per arm, None where an arm gave none, and scores likewise."""
    given_scores = dict(zip(ARMS, scores or (), strict=False))
    return Asked(
        id=str(number),
        question=f"question {number}?",
        document=str(number),
        texts={arm: text for arm, text in zip(ARMS, texts, strict=False) if text is not None},
        scores={score: given_scores} if given_scores else {},
    )


def report(*questions, **changed):
    values = {
        "created": "",
        "questions_hash": "",
        "config": "",
        "margin": 0.05,
        "adequate": 0.0,
        "documents": len(questions),
        "smallest_gain": 1.0,
        "arms": (),
        "verdict": None,
        "pairs": (),
        "interaction": None,
        "flags": (),
        "trade_offs": (),
        "disagreements": (),
        "asked": questions,
        "readers": (("everyone",),),
        "leaked": 0,
    }
    return Report(**values | changed)


def subjects(candidates):
    return [one.subject for one in candidates]


def test_the_same_text_to_the_same_question_comes_once_whichever_arms_gave_it():
    found = drawn(report(asked(1, "aabc"), asked(2, "a")), 0)

    assert sorted(subjects(found)) == [
        ("question 1?", "a"),
        ("question 1?", "b"),
        ("question 1?", "c"),
        ("question 2?", "a"),
    ]
    assert next(one for one in found if one.subject == ("question 1?", "a")).arms == (
        "base",
        "tuned",
    )


def test_a_question_that_stands_twice_in_a_set_is_one():
    twice = replace(asked(1, "ab"), id="other")

    assert len(drawn(report(asked(1, "ab"), twice), 0)) == 2


def test_half_is_of_questions_on_which_arms_disagree_as_long_as_there_are_such():
    disputed = [asked(number, "aabb", (1, 1, 0, 0)) for number in range(4)]
    others = [asked(number, "aabb", (1, 1, 1, 1)) for number in range(4, 40)]

    first = [int(one.id) for one in drawn(report(*disputed, *others), 0)[:20]]

    assert sum(number < 4 for number in first[:8]) == 4
    assert sum(number < 4 for number in first) == 8, "each of them has two texts"


def test_without_the_primary_score_any_other_tells_where_arms_disagree():
    judged = asked(1, "ab", (1, 0), score="judge")
    others = [asked(number, "ab", (1, 1), score="judge") for number in range(2, 9)]
    primary = replace(
        judged,
        id="9",
        question="question 9?",
        scores={
            "correct": {"base": 1, "tuned": 1},
            "judge": {"base": 1, "tuned": 0},
        },
    )

    found = drawn(report(*others, primary, judged), 0)

    assert found[0].id == "1", "the primary score says that the arms agree about the last"


def test_no_question_is_asked_about_twice_before_each_was_asked_about_once():
    found = drawn(report(*[asked(number, "abcd") for number in range(10)]), 5)

    assert len({one.question for one in found[:10]}) == 10
    assert len({one.question for one in found[10:20]}) == 10


def test_arms_take_turns():
    found = drawn(report(*[asked(number, "abcd") for number in range(40)]), 1)

    assert Counter(arm for one in found[:20] for arm in one.arms) == dict.fromkeys(ARMS, 5)


def test_a_seed_gives_one_order_and_another_seed_another():
    made = report(*[asked(number, "ab", (1, number % 2)) for number in range(20)])

    assert drawn(made, 0) == drawn(made, 0)
    assert drawn(made, 0) != drawn(made, 1)


TEXTS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=4)
SCORES = st.lists(st.sampled_from([0, 1, 0.5, None]), max_size=4)


@given(st.lists(st.tuples(TEXTS, SCORES), max_size=8), st.integers())
def test_every_text_is_drawn_exactly_once(questions, seed):
    made = report(*[asked(at, texts, scores) for at, (texts, scores) in enumerate(questions)])

    found = subjects(drawn(made, seed))

    assert sorted(found) == sorted({
        (one.question, text) for one in made.asked for text in one.texts.values()
    })


# --- the answers of the last run -------------------------------------------------------------

ITEMS = (
    EvalItem(id="1", question="question 1?", answers=("a",)),
    EvalItem(id="2", question="question 2?", unanswerable=True, documents=("gone.md",)),
)
RETRIEVING = Identity({"model": "m", DOCUMENTS: "d"})
SAID = Response(outcome=Outcome.ANSWERED, text="a")


def arm(identity):
    return ArmResult(
        name="rag",
        profile="rag",
        tuned=False,
        rag=True,
        is_local=True,
        identity=identity.parts,
        asked=1,
        outcomes={},
        scores={},
        slices={},
    )


@pytest.fixture
def last_run(tmp_path):
    """Return a report, its answers, and the terms that its questions were asked on."""
    one = asked(1, ())
    made = report(
        replace(one, texts={"rag": text_hash(SAID)}),
        asked(2, ()),
        arms=(arm(RETRIEVING),),
        questions_hash=questions_hash(ITEMS),
    )
    terms = Terms(audience=Audience.of("everyone"), held_out=frozenset({"gone.md"}))
    with open_answers(tmp_path / "answers.sqlite") as answers:
        answers.add(key_under(RETRIEVING, "question 1?", terms), SAID)
        yield made, answers, terms


def test_an_answer_is_found_as_it_was_kept(last_run):
    made, answers, _ = last_run
    (candidate,) = drawn(made, 0)

    found = LastRun(made, ITEMS, answers)

    assert found.response(candidate) == SAID
    assert found.item(candidate) == ITEMS[0]


def test_an_answer_that_another_one_replaced_is_not_shown_in_its_place(last_run):
    made, answers, terms = last_run
    other = Response(outcome=Outcome.ANSWERED, text="b")
    answers.add(key_under(RETRIEVING, "question 1?", terms), other)

    assert LastRun(made, ITEMS, answers).response(drawn(made, 0)[0]) is None


def test_other_questions_than_those_that_were_asked_are_refused(last_run):
    made, answers, _ = last_run

    with pytest.raises(CitewellError, match="these are not the questions of the last run"):
        LastRun(made, ITEMS[:1], answers)
