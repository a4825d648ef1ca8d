import pytest

from citewell.engine.citing.numbering import Numbering, bulleted


@pytest.mark.parametrize(
    ("leads", "taken"),
    [
        (["1. ", "\n2. ", "\n\n3) "], [True, True, True]),
        (["0. ", "\n1. ", "\n2. "], [True, True, True]),
        (["1. ", "\n1. ", "\n1. ", "\n2. "], [True, True, True, True]),
        (["2. ", "\n3. "], [False, False]),
        (["30. "], [False]),
        (["1. ", "\n3. ", "\n2. "], [True, False, True]),
        (["1. ", "\n\n", " ", "", "\n2. "], [True] * 5),
        (["1. ", "\n- ", "\n2. "], [True, True, True]),
        (["1. ", "\n   1. ", "\n   2. ", "\n2. ", "\n   3. "], [True, True, True, True, False]),
        (["1. ", "\n   1. ", "\n   - ", "\n   2. "], [True] * 4),
        (["- ", "\n   1. ", "\n- ", "\n   2. "], [True, True, True, False]),
        (["  1. ", "\n2. "], [True, False]),
        (["1. > ", "\n2. > "], [True, True]),
        (["1. ", "\n 2. "], [True, False]),
    ],
)
def test_a_number_begins_a_list_or_counts_on(leads, taken):
    numbering = Numbering()

    assert [numbering.takes(lead) for lead in leads] == taken


@pytest.mark.parametrize(
    ("lead", "shown"),
    [("30. ", "- "), ("\n\n   2) ", "\n\n   - "), ("\n7. > ", "\n- > "), ("\n* ", "\n- ")],
)
def test_a_bullet_takes_the_place_of_a_number(lead, shown):
    assert bulleted(lead) == shown
