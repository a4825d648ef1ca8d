"""Every score has its name, and is computed of any response."""

import json
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell import Figure, Outcome, Swap, Unscored
from citewell.evaluation.scores import MEASURES, RAW, scored
from scored_cases import item, passage, quote, said, stated

PASSAGE = passage("docs:leave.md", "Everyone has 28 days of leave.")
ALL = item(
    documents=("leave.md",),
    quotes=("28 days",),
    answers=("28 days",),
    figures=(Figure(value=28, unit="days"),),
    contains=("28 days",),
    lacks=("month",),
    choice="Everyone has 28 days.",
    pattern=r".*\.",
    glossary=("days",),
    forbidden=("holiday",),
)
ANSWER = said(
    "Everyone has 28 days.",
    output="Everyone has 28 days [1].",
    found=(PASSAGE,),
    statements=(stated("Everyone has 28 days.", quote(PASSAGE, "Everyone has 28 days")),),
)
TEXTS = (
    *("correct", "exact_match", "token_f1", "contains_answer", "figures", "contains", "lacks"),
    *("choice", "pattern", "output_schema", "glossary", "forbidden", "obedience"),
)
NAMES = (
    *TEXTS,
    *("refusal", "refused", "answered"),
    *("hit_at_1", "hit_at_3", "hit_at_10", "reciprocal_rank", "ndcg_10"),
    *("citation_resolves", "citation_precision", "citation_recall", "supported"),
)


def test_the_names_stay():
    assert tuple(measure.name for measure in MEASURES) == NAMES
    assert tuple(measure.name for measure in MEASURES if measure.reads_text) == TEXTS


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_measure_explains_itself_in_a_line(measure):
    assert measure.title
    assert measure.explanation
    assert "\n" not in measure.title + measure.explanation
    assert set(measure.name) <= set(ascii_lowercase + "_0123456789")


def test_a_perfect_answer_has_all_there_is():
    scores = scored(ALL, ANSWER)

    expected = dict.fromkeys(NAMES, 1.0) | {"token_f1": 2 / 3, "exact_match": 0.0}
    expected |= dict.fromkeys(("output_schema", "obedience", "refused"))
    assert {name: scores[name] for name in NAMES} == pytest.approx(expected)


def test_the_models_own_text_is_scored_without_its_marks():
    scores = scored(ALL, replace(ANSWER, text="", statements=()))

    assert {name for name in scores if name.endswith(RAW)} == {f"{name}{RAW}" for name in TEXTS}
    assert scores["choice.raw"] == scores["pattern.raw"] == scores["correct.raw"] == 1
    assert scores["contains_answer"] == scores["correct"] == 0


def test_a_question_that_expects_nothing_is_judged_by_its_refusal_alone():
    scores = scored(item(), said("28 days"))

    assert {name for name, score in scores.items() if score is not None} == {"refusal", "answered"}


@given(st.text(st.characters()), st.sampled_from(Outcome), st.booleans())
def test_whatever_is_said_is_scored(text, outcome, unanswerable):
    asked = replace(
        ALL,
        question=text,
        answers=(text,),
        quotes=(text,),
        swap=Swap(fact=text, instead="28"),
        unanswerable=unanswerable,
    )
    for one, response in ((ALL, replace(ANSWER, text=text, output=text)), (asked, ANSWER)):
        scores = scored(one, replace(response, outcome=outcome))

        assert all(
            score is None or isinstance(score, Unscored) or 0 <= score <= 1
            for score in scores.values()
        )
        assert scores == scored(one, replace(response, outcome=outcome))


def test_naughty_strings_are_scored(data_dir):
    strings = json.loads((data_dir("naughty_strings") / "blns.json").read_text(encoding="utf-8"))

    for text in strings:
        scores = scored(
            replace(ALL, answers=(text,), contains=(text,)), said(text, found=(PASSAGE,))
        )

        assert scores["exact_match"] == 1
        assert not any(isinstance(scores[name], Unscored) for name in ("token_f1", "figures"))


@pytest.mark.parametrize(
    "text", [f"a{'_' * 200_000}b", "[1" * 20_000, "a b " * 20_000, "5 " * 20_000]
)
def test_a_very_long_text_does_not_hang(text):
    swap = Swap(fact="a", instead="a b")

    scores = scored(replace(ALL, swap=swap), said(text))

    assert scores["correct"] is None
    assert scores["contains_answer"] == 0
