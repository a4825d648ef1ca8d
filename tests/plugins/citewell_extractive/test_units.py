"""How passages are cut into what can be quoted."""

from __future__ import annotations

from msgspec.structs import replace

from citewell import Passage, Place, Placed
from citewell.testing import make_passages
from citewell_extractive.units import Kind, units


def cut(text: str) -> list[tuple[Kind, str]]:
    passage = make_passages(text)[0]
    return [(unit.kind, text[unit.start : unit.end]) for unit in units(passage)]


def quoted(text: str) -> list[str]:
    return [piece for _, piece in cut(text)]


def test_sentences_run_over_broken_lines():
    assert quoted("One goes\non here. Two.\n\nThree.") == ["One goes\non here.", "Two.", "Three."]


def test_headings_and_rules_are_not_quoted():
    assert quoted("# Title\n\nSentence.\n\n---\n\nTitle\n=====") == ["Sentence."]


def test_a_line_that_the_loader_took_for_a_heading_is_not_quoted():
    text = "Term Debt\nThe notes are worth much."
    passage = replace(
        make_passages(text)[0], places=(Placed(0, Place(page=1, headings=("Note 6", "Term Debt"))),)
    )

    assert [text[unit.start : unit.end] for unit in units(passage)] == ["The notes are worth much."]


def test_code_is_one_unit_and_its_marks_of_tables_mean_nothing():
    code = "```py\n| a | b |\n\n- x\n```"

    assert cut(f"Run this:\n\n{code}\n\nDone.") == [
        (Kind.SENTENCE, "Run this:"),
        (Kind.CODE, code),
        (Kind.SENTENCE, "Done."),
    ]


def test_a_fence_that_is_never_closed_ends_with_the_passage():
    assert cut("```\nx = 1\n") == [(Kind.CODE, "```\nx = 1")]


def test_items_are_cut_into_sentences_and_know_what_announces_them():
    passage = make_passages("Do this:\n- First. Then wait\n  a while.\n- Second.")[0]

    found = units(passage)

    assert [(unit.kind, passage.text[unit.start : unit.end]) for unit in found[1:]] == [
        (Kind.ITEM, "First."),
        (Kind.SENTENCE, "Then wait\n  a while."),
        (Kind.ITEM, "Second."),
    ]
    assert {unit.lead for unit in found[1:]} == {"Do this:"}


def test_dates_and_numbers_at_the_end_of_a_line_make_no_table():
    text = (
        "It is so since July 1, 2023,\nand was 40 or 50 before. Of March 5, 2020, and 2021.\nYes."
    )

    assert {kind for kind, _ in cut(text)} == {Kind.SENTENCE}


def test_rows_know_titles_and_group():
    passage = make_passages(
        "Sales were as follows:\n2023 | 2022\nEurope:\nMac | $ 5 | $ 4\niPad | 3 | 2"
    )[0]

    rows = [unit for unit in units(passage) if unit.kind is Kind.ROW]

    assert [unit.titles for unit in rows] == [("2023 | 2022",)] * 2
    assert [unit.label for unit in rows] == ["Europe:"] * 2
    assert [unit.lead for unit in rows] == ["Sales were as follows:"] * 2


def test_a_second_table_does_not_inherit_the_titles_of_the_first():
    passage = make_passages(
        "2023 | 2022\nMac | $ 5 | $ 4\nThe next table shows something else.\n"
        "It is about other years (in millions):\n2020 | 2019\niPad | $ 3 | $ 2"
    )[0]

    rows = [unit for unit in units(passage) if unit.kind is Kind.ROW]

    assert [unit.titles for unit in rows] == [("2023 | 2022",), ("2020 | 2019",)]


def test_a_row_of_figures_without_bars_is_a_row():
    assert cut("Inventories $ 7,351 $ 4,946\nTotal 3,993 9,982")[0] == (
        Kind.ROW,
        "Inventories $ 7,351 $ 4,946",
    )


def test_short_lines_part_paragraphs_where_lines_were_broken_to_a_width():
    wide = "Words " + "word " * 20
    text = f"Greater China\n{wide}here.\nJapan\n{wide}there."

    assert quoted(text)[0] == "Greater China"
    assert "Japan" in quoted(text)


def test_an_empty_passage_has_no_units():
    passage: Passage = make_passages(" \n\n ")[0]

    assert units(passage) == []
