"""What is to be said is said, and what is not is not."""

import pytest

from citewell.evaluation.scores.wording import choice, contains, forbidden, glossary, lacks
from scored_cases import case


def test_the_share_of_what_is_said_counts():
    words = ("leave", "28 days", "month")

    assert contains(case("Leave: 28 days", contains=words)) == pytest.approx(2 / 3)
    assert glossary(case("Leave: 28 days", glossary=words)) == pytest.approx(2 / 3)
    assert lacks(case("Leave: 28 days", lacks=words)) == pytest.approx(1 / 3)
    assert forbidden(case("Leave: 28 days", forbidden=words)) == pytest.approx(1 / 3)


@pytest.mark.parametrize("score", [contains, glossary, lacks, forbidden, choice])
def test_what_nobody_expects_has_no_score(score):
    assert score(case("Leave")) is None


@pytest.mark.parametrize(
    ("text", "right", "expected"),
    [
        ("B", "B", 1),
        (" b. ", "B", 1),
        ('"B"', "B", 1),
        ("**B**", "B", 1),
        ("A", "B", 0),
        ("A or B", "B", 0),
        ("C++", "C", 0),
        ("yes", "Yes, always", 0),
        ("", "B", 0),
    ],
)
def test_a_choice_is_the_whole_text(text, right, expected):
    assert choice(case(text, choice=right)) == expected
