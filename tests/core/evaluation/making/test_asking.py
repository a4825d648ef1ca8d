"""English sentences become questions by rules, and only where their grammar allows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.evaluation.making.asking import asked
from citewell.evaluation.making.english import names_in


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "Every employee has 28 days of leave a year.",
            "How many days of leave a year does every employee have?",
            "28",
        ),
        (
            "Claims must be submitted within 30 days of the trip.",
            "Within how many days of the trip must claims be submitted?",
            "30 days",
        ),
        (
            "Unused leave expires on 31 March 2025.",
            "When does unused leave expire?",
            "31 March 2025",
        ),
        ("A badge costs $25.", "How much does a badge cost?", "$25"),
        (
            "The limit for meals is €45 per day.",
            "How much is the limit for meals per day?",
            "€45",
        ),
        ("The help desk opens at 9:00.", "When does the help desk open?", "9:00"),
        (
            "In 1186, Temüjin was elected khan of the Mongols.",
            "When was Temüjin elected khan of the Mongols?",
            "1186",
        ),
        (
            "Requests are approved by the line manager.",
            "By whom are requests approved?",
            "the line manager",
        ),
        (
            "Over 60% of Norway's population died in 1348.",
            "What percentage of Norway's population died in 1348?",
            "60%",
        ),
        ("Three offices were closed in March.", "How many offices were closed in March?", "Three"),
        (
            "As of June 25, 2022, the Company had 4 stores in Berlin.",
            "How many stores did the Company have in Berlin as of June 25, 2022?",
            "4",
        ),
        (
            "The entire conflict is known as the Seven Years' War.",
            "What is the entire conflict known as?",
            "the Seven Years' War",
        ),
        ("The Rhine is about 1,230 km long.", "How long is the Rhine?", "1,230 km"),
        (
            "The VPN is used to reach internal systems.",
            "What is the VPN used for?",
            "reach internal systems",
        ),
        (
            "The company is headquartered in New York.",
            "Where is the company headquartered?",
            "New York",
        ),
        (
            "The visits are free because the museum is paid by the state.",
            "Why are the visits free?",
            "the museum is paid by the state",
        ),
    ],
)
def test_a_fact_becomes_a_question(sentence, question, answer):
    found = {one.question: one.answer for one in asked(sentence, names_in(sentence))}

    assert found.get(question) == answer


@pytest.mark.parametrize(
    "sentence",
    [
        "It has 28 days.",
        "This was built in 1990.",
        "They have 3 offices in Berlin.",
        "The two teams had 3 and 4 goals respectively.",
        "See the table above for 12 reasons.",
        "No full stop has 28 days",
        "The plague occurred 22 times between 1361 and 1528.",
        "In 2006, UNICEF estimated that up to 30% of girls in Malindi, Mombasa and Kilifi left.",
        "Kibaki signed an agreement in which there were 4 parts.",
    ],
)
def test_a_sentence_that_does_not_stand_for_itself_gives_none(sentence):
    assert [*asked(sentence, names_in(sentence))] == []


WORDS = st.sampled_from([
    *("The", "An", "Every", "It", "company", "Berlin", "Smith", "people", "March", "1990"),
    *("has", "had", "is", "was", "built", "costs", "used", "28", "30%", "€5", "9:00", "days"),
    *("of", "in", "by", "to", "at", "and", "which", "because", ",", "(", ")"),
])


@given(st.lists(WORDS, min_size=2, max_size=20))
def test_an_answer_stands_in_its_sentence_and_a_question_ends_as_one(words):
    sentence = " ".join(words) + "."

    for one in asked(sentence, frozenset()):
        assert one.answer in sentence
        assert one.question.endswith("?")
        assert one.question[:1].isupper()
        assert "  " not in one.question
