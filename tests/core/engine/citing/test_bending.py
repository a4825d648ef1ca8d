"""Sentences that use the words of their source, true and bent ones."""

import pytest

from citewell.engine.citing.source import Source
from citewell.engine.citing.verdicts import Statement, judge
from passages import passage

MARKDOWN = (
    "| Plan | Price | Seats |\n| --- | --- | --- |\n| Free | $0 | 3 |\n| Pro | $20 | 50 |\n"
    "| Team | $35 | 80 |\n| Max | $90 | 200 |"
)
BARE = "Plan | Price | Seats\nFree | $0 | 3\nPro | $20 | 50\nTeam | $35 | 80\nMax | $90 | 200"
RULES = (
    "The plan does not cover:\n- dental treatment\n- massages\n\nIt covers:\n\n- glasses\n"
    "- hearing aids"
)


def verdict(text, source, *, question="", language="en"):
    sources = [Source(passage(source, language=language))]
    return judge(Statement(text, sources, question, language))


@pytest.mark.parametrize("table", [MARKDOWN, BARE])
@pytest.mark.parametrize(
    "text",
    [
        "The Pro plan has a price of $20 and 50 seats.",
        "The Max plan has a price of $90 and 200 seats.",
        "The Free plan has 3 seats.",
        "Free and Pro have a price of $0 and $20.",
        "The price of Team is $35, that of Max $90.",
        "The plans are Free, Pro, Team and Max.",
    ],
)
def test_prose_about_a_table_is_supported(text, table):
    found = verdict(text, table)

    assert found.supported, found


@pytest.mark.parametrize("table", [MARKDOWN, BARE])
@pytest.mark.parametrize(
    "text",
    [
        "The Pro plan has a price of $35 and 50 seats.",
        "The Pro plan has a price of $20 and 80 seats.",
        "The Max plan has a price of $35.",
    ],
)
def test_a_figure_of_another_row_is_not_supported(text, table):
    found = verdict(text, table)

    assert found.check == "figures", found
    assert not found.supported


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Smoking is not allowed in the office.", "Smoking is prohibited in the office."),
        ("Smoking isn't allowed in the office.", "Smoking is prohibited in the office."),
        ("Smoking is prohibited in the office.", "Smoking is not allowed in the office."),
        ("Registration is optional.", "Registration is not required."),
        ("Registration is not required.", "Registration is optional."),
        ("Registration is not optional.", "Registration is required."),
        ("Items can be returned, except gift cards.", "Items except gift cards can be returned."),
        ("Items can be returned (except gift cards).", "Items except gift cards can be returned."),
        ("Items can be returned: gift cards cannot.", "Items can be returned, gift cards cannot."),
        ("Gift cards cannot be returned.", "Items can be returned, gift cards cannot be returned."),
    ],
)
def test_a_denied_opposite_says_the_same(text, source):
    found = verdict(text, source)

    assert found.supported, found


@pytest.mark.parametrize(
    ("text", "source", "check"),
    [
        ("Smoking is allowed in the office.", "Smoking is prohibited in the office.", "opposites"),
        ("Smoking is allowed in the office.", "Smoking is not allowed in the office.", "negation"),
        ("Smoking is not prohibited in the office.", "Smoking is prohibited in the office.", None),
        ("Registration is optional.", "Registration is required.", "opposites"),
        ("Registration is not optional.", "Registration is not required.", None),
        ("Gift cards can be returned.", "All items can be returned except gift cards.", "negation"),
    ],
)
def test_an_opposite_is_not_supported(text, source, check):
    found = verdict(text, source)

    assert not found.supported, found
    assert check in {found.check, None}


@pytest.mark.parametrize(
    "text",
    [
        "Dental treatment is covered.",
        "The plan covers massages.",
        "The plan covers dental treatment.",
    ],
)
def test_items_below_a_denial_are_denied(text):
    found = verdict(text, RULES)

    assert not found.supported, found


@pytest.mark.parametrize(
    "text",
    [
        "The plan does not cover massages.",
        "The plan does not cover dental treatment.",
        "It covers glasses.",
        "The plan covers hearing aids.",
    ],
)
def test_items_are_what_their_lead_says(text):
    found = verdict(text, RULES)

    assert found.supported, found


@pytest.mark.parametrize(
    ("lead", "items"),
    [
        ("If the printer does not start:", ("Press the reset button.", "Open the lid.")),
        ("Steps that do not need rights:", ("Open the page.", "Click Register.")),
    ],
)
def test_a_condition_denies_no_item_below_it(lead, items):
    source = "\n".join((lead, *(f"- {item}" for item in items)))

    for item in items:
        assert verdict(item, source).supported


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("The office closes at 3 PM.", "The office closes at 3pm."),
        ("The office closes at 3 pm.", "The office closes at 3 p.m. each day."),
        (
            "The office is open from 9 AM to 3 PM.",
            "The office is open from 9 to 3 pm, not 9 am on Monday.",
        ),
        ("The disk holds 500 GB.", "The disk holds 500gb."),
    ],
)
def test_units_are_no_names(text, source):
    found = verdict(text, source)

    assert found.supported, found


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("The office closes at 3 AM.", "The office closes at 3pm."),
        ("The office closes at 3 a.m.", "The office closes at 3 p.m. each day."),
    ],
)
def test_morning_is_not_afternoon(text, source):
    found = verdict(text, source)

    assert found.check == "figures", found
    assert not found.supported


def test_a_stopword_is_no_name_of_a_row():
    table = "Plan | Price\nPro | $20\nBasic, The Small | $5"

    assert verdict("The Pro plan has a price of $20.", table).supported
    assert verdict("The Pro plan has a price of $5.", table).check == "figures"


def test_rows_are_read_as_in_their_language():
    table = "Halle | Miete\nNord | 1.234 Euro\nSüd | 2.345 Euro"

    assert verdict("Die Halle Nord hat 1.234 Euro Miete.", table, language="de").supported
    found = verdict("Die Halle Nord hat 2.345 Euro Miete.", table, language="de")
    assert found.check == "figures"


def test_a_row_may_be_named_by_words_in_any_of_its_cells():
    table = "Error | Meaning\n404 | Not found\n500 | Server error\n503 | Too busy"

    assert verdict("404 means Not found and 500 means Server error.", table).supported
    assert verdict("404 means Server error.", table).check == "figures"
    assert verdict("Server error has code 40.", table).check == "figures"


DOSES = (
    "| Drug | Dose (mg) |\n| --- | --- |\n| ibuprofen | 400 |\n| paracetamol | 1000 |\n"
    "| aspirin | 500 |"
)


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("The dose of ibuprofen is 400 mg.", True),
        ("The dose of paracetamol is 1000 mg.", True),
        ("The dose of ibuprofen is 1000 mg.", False),
        ("The dose of paracetamol is 400 mg.", False),
        ("The dose of aspirin is 500 mg, of ibuprofen 400 mg.", True),
    ],
)
def test_a_row_may_have_no_capitals(text, supported):
    assert verdict(text, DOSES).supported == supported


def test_a_row_with_a_blank_first_cell_belongs_to_the_one_above():
    table = (
        "| City | Year | Sales |\n| --- | --- | --- |\n| Berlin | 2023 | 100 |\n| | 2024 | 120 |\n"
        "| Paris | 2023 | 90 |\n| | 2024 | 95 |"
    )

    assert verdict("Berlin had Sales of 120 in 2024.", table).supported
    assert verdict("Paris had Sales of 120 in 2024.", table).check == "figures"


def test_columns_may_be_named():
    table = (
        "| Feature | Free | Pro |\n| --- | --- | --- |\n| Storage | 5 GB | 50 GB |\n"
        "| Users | 3 | 25 |\n| Support | No | Yes |"
    )

    assert verdict("The Pro plan has 50 GB of storage and 25 users.", table).supported


def test_a_figure_of_the_header_is_one_of_each_row():
    offer = passage("5 rooms in | Price\nNorth | $20\nSouth | $30", title="Plans")

    found = judge(Statement("North has 5 rooms for a price of $20.", [Source(offer)]))

    assert found.supported, found


def test_several_rows_and_a_year_above_them_may_be_named():
    text = f"Prices of 2023.\n\n{BARE}"

    assert verdict("In 2023 the Pro plan had a price of $20.", text).supported
    assert verdict("Pro and Team have 50 and 80 seats.", text).supported
    assert verdict("In 2024 the Pro plan had a price of $20.", text).check == "figures"


def test_a_unit_is_a_name_where_no_figure_stands_before_it():
    source = "At 3pm staff receive their leave and 500gb."

    assert verdict("At 3 PM staff receive leave.", source).supported
    assert verdict("Staff of Euro receive leave.", source).check == "names"
    assert verdict("At 3 PM staff of Fabrikam receive leave.", source).check == "names"
    assert verdict("500 GB and leave staff of Fabrikam receive.", source).check == "names"


@pytest.mark.parametrize(
    ("source", "text", "language"),
    [
        ("The museum is open every day except Monday from 9 am to 5 pm.",
         "The museum is open from 9 am to 5 pm.", "en"),
        ("The pool is open daily except on public holidays from 10 to 18.",
         "The pool is open from 10 to 18.", "en"),
        ("Das Museum ist täglich außer Montag von 9 bis 17 Uhr geöffnet.",
         "Das Museum ist von 9 bis 17 Uhr geöffnet.", "de"),
        ("Le musée est ouvert tous les jours sauf le lundi de 9 h à 17 h.",
         "Le musée est ouvert de 9 h à 17 h.", "fr"),
        ("Le musée est ouvert tous les jours sauf le lundi.",
         "Le musée est ouvert tous les jours, sauf le lundi.", "fr"),
        ("Everyone is invited except contractors.", "Contractors are not invited.", "en"),
        ("It does not include support, except for Pro customers.", "Pro customers get support.",
         "en"),
        ("Am Freitag wird die Anlage um 12 gestoppt.",
         "Die Anlage wird um 12 am Freitag gestoppt.", "de"),
        ("Smoking is not only prohibited indoors but fined.", "Smoking is prohibited indoors.",
         "en"),
        ("The office is open from 9 AM to 5 PM.", "The office is open from 9 a.m. to 5 p.m.",
         "en"),
    ],
)  # fmt: skip
def test_what_an_exception_or_a_unit_leaves_true_is_supported(source, text, language):
    found = verdict(text, source, language=language)

    assert found.supported, found


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Visitors cannot park; parking is prohibited at night.", "Parking is allowed at night."),
        ("Do not smoke: smoking is forbidden in the hall.", "Smoking is allowed in the hall."),
        ("No pets, smoking prohibited.", "Smoking is allowed."),
        ("Dogs: no entry, forbidden in all rooms.", "Dogs are allowed in all rooms."),
        ("Children cannot swim: lifeguards required.", "Lifeguards are optional."),
        ("Smoking is not only prohibited indoors but fined.", "Smoking is allowed indoors."),
        ("If the printer does not work:\n1. Restart the printer.\n2. Check the cable.",
         "Do not restart the printer."),
        ("If the light is not green:\n- Turn the valve to the left.\n- Press the reset button.",
         "Never turn the valve to the left."),
        ("Prices are higher in winter. Guests get free towels.",
         "Prices are not lower in winter, and guests get no parking."),
        ("The data is public. Backups are stored in Oslo for 30 days.",
         "The data is not private, backups are never deleted."),
        ("All items except gift cards can be returned.", "Gift cards can be returned."),
    ],
)  # fmt: skip
def test_the_contrary_is_not_supported(source, text):
    found = verdict(text, source)

    assert not found.supported, found
