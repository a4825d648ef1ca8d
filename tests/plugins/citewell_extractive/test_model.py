"""What the extractive model answers, and when it refuses."""

from __future__ import annotations

import pytest

from citewell import Choices, Generation, Marks, ModelError, Prompt, Turn
from citewell.testing import make_passages
from citewell_extractive.model import ExtractiveModel

REFUSAL = "The documents do not say."

HANDBOOK = make_passages(
    "Every employee has 28 days of paid leave a year. Leave is asked for in the portal. "
    "It is granted by the team lead.",
    "Sick leave needs a doctor's note from the third day. The note is sent to the people team.",
    "The office in Lisbon is closed between Christmas and New Year.",
)


def answer(question: str, passages=HANDBOOK, *, turns=(), bar=0.6, max_sentences=3, **changes):
    model = ExtractiveModel(max_sentences=max_sentences, bar=bar)
    prompt = Prompt(
        instructions="",
        question=question,
        refusal=REFUSAL,
        passages=passages,
        turns=turns,
        **changes,
    )
    return model.answer(prompt)


def test_the_best_sentence_comes_first_with_its_mark():
    text = answer("How many days of paid leave does an employee have?")

    assert text.startswith("Every employee has 28 days of paid leave a year. [1]")


def test_another_passage_is_cited_by_its_own_number():
    text = answer("From which day does sick leave need a doctor's note?")

    assert text.startswith("Sick leave needs a doctor's note from the third day. [2]")


def test_what_the_passages_do_not_hold_is_refused():
    assert answer("Who founded the company and in which year?") == REFUSAL


def test_a_question_without_words_is_refused():
    assert answer("?") == REFUSAL
    assert answer("who are you") == REFUSAL


def test_without_passages_it_refuses():
    assert answer("How many days of leave?", passages=()) == REFUSAL


def test_a_higher_bar_refuses_more():
    question = "Is the office in Lisbon open on a bank holiday in June?"

    assert answer(question, bar=0.0) != REFUSAL
    assert answer(question, bar=1.0) == REFUSAL


def test_a_follow_up_takes_over_the_words_of_the_question_before():
    turns = (Turn("user", "Does sick leave need a doctor's note?"), Turn("assistant", "Yes."))

    assert "The note is sent to the people team. [2]" in answer("Where is it sent?", turns=turns)


def test_a_sentence_that_leans_on_the_one_before_is_quoted_with_it():
    text = answer("Who grants leave, is it the team lead?", max_sentences=1)

    assert "Leave is asked for in the portal. [1] It is granted by the team lead. [1]" in text


def test_no_more_units_than_allowed_are_quoted():
    text = answer("leave days note portal employee", bar=0, max_sentences=1)

    assert text.count("[") == 1


def test_only_passages_that_a_mark_may_name_are_used():
    text = answer("When is the office in Lisbon closed?", constraint=Marks(2), bar=0)

    assert "[3]" not in text


def test_a_question_in_the_source_is_no_answer():
    passages = make_passages("What is paid leave?\nPaid leave is leave on full pay.")

    assert answer("What is paid leave?", passages).startswith("Paid leave is leave on full pay.")


def test_steps_are_answered_as_the_list_that_they_are():
    passages = make_passages(
        "# Setting up\n\nTo set up Citewell, do this:\n\n1. Install it. Wait.\n2. Run it:\n\n"
        "```sh\ncitewell init\n```\n"
    )

    assert answer("How do I set up Citewell?", passages) == (
        "To set up Citewell, do this: [1]\n1. Install it. [1] Wait. [1]\n2. Run it: [1]\n"
        "```sh\ncitewell init\n```\n[1]"
    )


def test_a_row_stands_under_the_titles_of_its_columns():
    passages = make_passages("| Plan | Price |\n| --- | --- |\n| Free | $0 |\n| Team | $20 |")

    assert answer("What is the price of the Team plan?", passages, max_sentences=1) == (
        "| Plan | Price |\n| --- | --- |\n| Team | $20 [1] |"
    )


def test_a_row_of_a_printed_table_gets_titles_that_span_columns_and_its_group():
    passages = make_passages(
        "Three Months Ended | Six Months Ended\nMay 2, 2023 | May 3, 2022 | May 2, 2023 | "
        "May 3, 2022\nEurope:\nNet sales | $ 5 | $ 4 | $ 9 | $ 8\nJapan:\n"
        "Net sales | $ 7 | $ 6 | $ 13 | $ 12"
    )

    text = answer("What were net sales in Japan?", passages, max_sentences=1)

    assert text.endswith("| Japan: Net sales | $ 7 | $ 6 | $ 13 | $ 12 [1] |")
    assert text.startswith("|  | Three Months Ended May 2, 2023 | Three Months Ended May 3, 2022 |")


def test_the_header_of_a_table_that_goes_on_is_written():
    passage = make_passages("Team | $ 20 | $ 22\nFree | $ 0 | $ 1")[0]
    passages = (type(passage)(**{**_fields(passage), "header": "2022 | 2023"}),)

    text = answer("What does the Team plan cost?", passages, bar=0, max_sentences=1)

    assert text == "|  | 2022 | 2023 |\n| --- | --- | --- |\n| Team | $ 20 | $ 22 [1] |"


def _fields(passage):
    return {name: getattr(passage, name) for name in passage.__struct_fields__}


def test_references_of_the_source_are_no_marks():
    passages = make_passages(
        "Leave is 28 days.[2]", "A share of [0, 1] is paid, see `days[3]` and [source 4]."
    )

    assert answer("How many days is leave?", passages[:1]) == "Leave is 28 days. [1]"
    assert (
        answer("Which share is paid?", passages[1:])
        == "A share of (0, 1) is paid, see `days[3]` and (source 4). [1]"
    )


def test_what_fills_a_cell_stands_without_brackets_that_would_be_a_mark_or_a_minus():
    passages = make_passages(
        "| Room | Seats | Floor |\n| --- | --- | --- |\n| Blue | 12 | [ 2 ] |\n| Red | 8 | (3) |"
    )

    blue = answer("How many seats has the Blue room?", passages, max_sentences=1)
    red = answer("How many seats has the Red room?", passages, max_sentences=1)

    assert blue.endswith("| Blue | 12 | 2 [1] |")
    assert red.endswith("| Red | 8 | (3) [1] |")


def test_a_document_that_states_the_period_asked_for_comes_first():
    quarters = tuple(
        make_passages("Net sales were $ 5 million more than expected.", title=f"2023-q{n}")[0]
        for n in (1, 2, 3)
    )

    assert answer("What were net sales in Q2 2023?", quarters, max_sentences=1).endswith("[2]")
    assert answer("What were net sales in the second quarter of 2023?", quarters).endswith("[2]")
    assert answer("What were net sales in the latest report?", quarters).endswith("[3]")


async def test_it_stops_before_a_stop_string_and_within_its_bound():
    model = ExtractiveModel(max_sentences=3, bar=0)
    generation = Generation(stop=("employee",), max_output_tokens=5)
    prompt = Prompt(
        instructions="",
        question="leave?",
        refusal=REFUSAL,
        passages=HANDBOOK,
        generation=generation,
    )

    delta, usage = [item async for item in model.generate(prompt)]

    assert delta.text == "Every "
    assert usage.finish == "length"


async def test_it_says_that_it_cannot_write_a_choice():
    model = ExtractiveModel(max_sentences=3, bar=0)
    prompt = Prompt(
        instructions="", question="leave?", refusal=REFUSAL, constraint=Choices(("yes", "no"))
    )

    with pytest.raises(ModelError, match="use another model"):
        [item async for item in model.generate(prompt)]
