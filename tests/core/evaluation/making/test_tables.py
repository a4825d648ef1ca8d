"""Cells of a table become questions in which row and column say what is meant."""

import pytest

from citewell import Passage, Place, Placed
from citewell.evaluation.making.tables import of_tables

INCOME = """(In millions, except per share amounts)
Three Months Ended | Nine Months Ended
June 25, 2022 | June 26, 2021 | June 25, 2022 | June 26, 2021
Net sales:
Products | $ 63,355 | $ 63,948 | $ 245,241 | $ 232,309
Total net sales | 82,959 | 81,434 | 304,182 | 282,457
Cost of sales:
Products | 41,485 | 40,899 | 155,084 | 149,476
Other income, net | (10) | 243 | (97) | 796
"""
FLOWS = """Nine Months Ended
June 25, 2022 | June 26, 2021
Net income | 79,082 | 74,129
"""
PLANS = """| Plan | Price per month | Seats |
|---|---|---|
| Basic | €9 | 1 |
| Team | €49 | n/a |
"""


def passage(text, header="", headings=("Results",)):
    return Passage(
        id="p",
        document_id="docs:a",
        title="a",
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place(headings=headings)),),
        header=header,
    )


def questions(*arguments, **named):
    return {fact.question: fact for fact in of_tables(passage(*arguments, **named))}


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (
            "What were total net sales for the three months ended June 25, 2022, in millions?",
            82_959,
        ),
        (
            (
                "What is the figure for “Products” under “Cost of sales” for the nine months ended "
                "June 26, 2021, in millions?"
            ),
            149_476,
        ),
        (
            "What was other income, net for the three months ended June 26, 2021, in millions?",
            243,
        ),
    ],
)
def test_a_period_above_dates_and_a_group_above_rows_are_named(question, value):
    assert questions(INCOME, headings=())[question].figure.value == value


def test_a_period_in_a_line_of_its_own_is_named():
    asked = "What was net income for the nine months ended June 25, 2022?"

    assert questions(FLOWS, headings=())[asked].answer == "79,082"


def test_a_header_that_stands_in_an_earlier_passage_counts():
    rows, header = FLOWS.splitlines()[-1], "\n".join(FLOWS.splitlines()[:2])

    assert len(questions(rows, header=header)) == 2


def test_a_title_above_the_first_column_says_what_a_row_is():
    found = questions(PLANS, headings=())

    assert found["What is the price per month of the plan “Team”?"].figure.unit == "€"
    asked = "What does the table say under “Seats” for the plan “Basic”?"
    assert found[asked].quote == "| Basic | €9 | 1 |"


@pytest.mark.parametrize("text", ["(10)", "n/a", "—", "yes"])
def test_a_cell_that_says_little_is_not_asked_for(text):
    table = f"| Plan | Price |\n|---|---|\n| Basic | {text} |\n"

    assert questions(table) == {}


def test_a_table_without_titles_is_left_out():
    assert questions("1 | 2\n3 | 4\n") == {}
