import pytest
from msgspec.structs import replace

from citewell import Place, Placed
from citewell.engine.citing.rows import Row, missing_cell
from citewell.engine.citing.source import Source
from passages import passage

PLANS = "| Plan | Price | Seats |\n|---|---|---|\n| Basic | $10 | 5 |\n| Pro | $20 | 50 |"
SPLIT = "| Basic | $10 | 5 |\n| Pro | $20 | 50 |"
HEADER = "| Plan | Price | Seats |\n|---|---|---|"
TITLES = ("Plan", "Price", "Seats")


def missing(cells, *sources, titles=TITLES, language="en"):
    return missing_cell(Row(cells.split(" | "), titles, language), [Source(one) for one in sources])


@pytest.mark.parametrize(
    "source",
    [
        passage(PLANS),
        passage(SPLIT, header=HEADER),
        passage("Plan | Price | Seats\nBasic | $10 | 5\nPro | $20 | 50"),
        passage(f"Other | Table\nPro | 7\n\n{PLANS}\n\nThe Pro plan is next."),
        passage("  Plan | Price | Seats\n  Basic | $10 | 5\n  Pro | $20 | 50"),
        passage(PLANS.replace("Seats", "Seats | Price per seat")
                .replace("5 |", "5 | $2 |").replace("50 |", "50 | $4 |")),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("cells", "titles", "expected"),
    [
        ("Basic | $10 | 5", TITLES, None),
        ("Pro | $20 | 50", TITLES, None),
        ("Pro plan | $20 | 50 seats", TITLES, None),
        ("Pro | 20 | – ", TITLES, None),
        ("Basic | $20 | 50", TITLES, "Basic"),
        ("Pro | $10 | 50", TITLES, "$10"),
        ("Basic | $10 | 5", ("Plan", "Seats", "Price"), "$10"),
        ("Basic | 5", ("Plan", "Price"), "5"),
        ("Basic | 5", ("Plan", "Seats"), None),
        ("$10 | Basic | 5", ("Price", "Plan", "Seats"), None),
        ("Basic | 5", ("", "Seats"), None),
        ("Basic | 5", ("", ""), None),
        ("Basic | $10 | 5 | extra", TITLES, "extra"),
        ("Seats | $10 | 5", TITLES, "Seats"),
    ],
)
def test_each_cell_stands_in_its_row_and_column(source, cells, titles, expected):
    assert missing(cells, source, titles=titles) == expected


def test_a_line_is_a_header_only_when_it_names_a_column():
    headless = passage("Basic | $10 | 5\nPro | $20 | 50")

    assert missing("Basic | $20 | 50", headless) == "Basic"
    assert missing("Pro | 50 | $20", headless) is None


def test_rows_of_another_width_have_no_columns():
    merged = passage("Plan | Price | Seats\nBasic | 5\nPro | $20 | 50")

    assert missing("Basic | 5", merged, titles=("Plan", "Price")) is None


def test_a_row_may_stand_in_prose():
    prose = passage("The Basic plan has 5 seats. The Pro plan has 50 seats.")

    assert missing("Basic | 5", prose, titles=("Plan", "Seats")) is None
    assert missing("Pro plan | 50 seats", prose, titles=("Plan", "Seats")) is None
    assert missing("Basic plan | 50 seats", prose, titles=("Plan", "Seats")) == "50 seats"
    assert missing("Basic | has 50 seats", prose, titles=("Plan", "Seats")) == "has 50 seats"


def test_the_label_of_a_row_may_be_the_title_above_it():
    places = (Placed(100, Place(headings=("Basic",))),)
    text = "Staff pay $10 each month. Others pay more."

    assert missing("Basic | $10", passage(text, places=places)) is None
    assert missing("Basic | $10", passage(text, title="Basic plan")) is None
    assert missing("Basic | $10", passage(text)) == "Basic"


def test_a_title_counts_only_where_no_other_row_speaks_of_it():
    rows = passage("| Basic | $10 | 5 |\n| Pro | $20 | 7 |", title="Basic and Pro")
    before = passage("Basic costs $10 at most. Others cost $20 in every year.", title="Basic")
    behind = passage("Others cost $20 in every year. Basic costs $10 at most.", title="Basic")

    assert missing("Basic | $20 | 7", rows, titles=()) == "Basic"
    assert missing("Pro | $20 | 7", rows, titles=()) is None
    assert missing("Basic | others $20 every year", before) == "Basic"
    assert missing("Basic | others $20 every year", behind) == "Basic"


def test_most_words_of_a_long_cell_suffice():
    prose = passage("Pro gives seats, support and storage.")

    assert missing("Pro | seats support storage training", prose, titles=()) is None
    assert missing("Pro | seats support training", prose, titles=()) == "seats support training"
    assert missing("Pro | seats storage training tools", prose, titles=()) is not None


GROUPED = "Item | 2023 | 2022\nSales:\nDesks | 5 | 6\nChairs | 7 | 8\nCosts: | |\nDesks | 3 | 4"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("Sales: Desks | 5 | 6", None),
        ("Sales: Chairs | 7 | 8", None),
        ("Costs: Desks | 3 | 4", None),
        ("Costs: Chairs | 7 | 8", "Costs: Chairs"),
        ("Sales: Desks | 3 | 4", "Sales: Desks"),
    ],
)
@pytest.mark.parametrize("titles", [("Item", "2023", "2022"), ("", "2023", "2022"), ()])
@pytest.mark.parametrize("before", ["", "Costs and sales:\n", "Sales\n\n", "Costs | 1\n\n"])
def test_the_group_of_a_row_counts_as_its_words(cells, expected, titles, before):
    assert missing(cells, passage(before + GROUPED), titles=titles) == expected


ACCOUNT = (
    "Item | 2023 | 2022\nIncome from sales:\nNet | 29 | 34\nChanges in assets:\nStock | 3 | 4\n"
    "Changes in assets held | 4 | 5\nIncome from all sales | 34 | 46\nCash | 9 | 8\n"
    "Wages paid:\nStaff | 5 | 6\nTotal | 7 | 8\nRent | 1 | 2\n"
    "Counts:\nShares | 8 | 9\nPrice | $2 | $3\nRate | 3 | 4"
)


@pytest.mark.parametrize(
    ("cells", "is_of_group"),
    [
        ("Income from sales: Net | 29 | 34", True),
        ("Changes in assets: Stock | 3 | 4", True),
        ("Changes in assets: Cash | 9 | 8", False),
        ("Changes in assets: Income | 34 | 46", False),
        ("Wages paid: Staff | 5 | 6", True),
        ("Wages paid: Total | 7 | 8", False),
        ("Wages paid: Rent | 1 | 2", False),
        ("Counts: Shares | 8 | 9", True),
        ("Counts: Price | 2 | 3", False),
        ("Counts: Rate | 3 | 4", False),
    ],
)
def test_a_total_ends_the_group(cells, is_of_group):
    found = missing(cells, passage(ACCOUNT), titles=("Item", "2023", "2022"))

    assert found == (None if is_of_group else cells.partition(" | ")[0])


FEES = "Fees:\n{first} | 3 | 4\n{second} | 8 | 10\nLate | 5 | 6"


@pytest.mark.parametrize(
    ("above", "first", "second", "is_of_group"),
    [
        ("", "Each", "Other", True),
        ("", "Each total", "Other total", True),
        ("", "Each", "Total", False),
        ("", "Each", "Fees of all", False),
        ("", "Fees for each", "Other", True),
        ("Dues:\nOne | 1 | 2\n", "Each", "Other", True),
        ("Dues:\nOne | 1 | 2\n", "Dues of all", "Other", False),
        ("Dues:\nOne | 1 | 2\n", "Fees for each", "Other", True),
    ],
)
def test_a_group_ends_at_a_row_that_says_all_of_its_name(above, first, second, is_of_group):
    fees = "Item | 2023 | 2022\n" + above + FEES.format(first=first, second=second)

    found = missing("Fees: Late | 5 | 6", passage(fees), titles=("Item", "2023", "2022"))

    assert (found is None) == is_of_group


def test_a_row_is_not_its_own_header():
    boxes = passage("5 | Desks\n6 | Chairs")

    assert missing("5 | Desks", boxes, titles=("Desks", "Chairs")) is None


@pytest.mark.parametrize("before", ["Item list:\n", "Item, 2023 or 2022\n"])
def test_a_line_above_a_table_is_not_its_header(before):
    titles = ("Item", "2023", "2022")

    assert missing("Desks | 6 | 5", passage(before + GROUPED), titles=titles) == "6"


def test_a_table_ends_with_a_blank_line():
    two = passage("Price | Plan\n5 | Basic\n\nPro | 20\nMax | 7")
    one = passage("Price | Plan\n5 | Basic\nPro | 20\nMax | 7")

    assert missing("Pro | 20", two, titles=("Plan", "Price")) is None
    assert missing("Pro | 20", one, titles=("Plan", "Price")) == "Pro"


def test_titles_are_compared_by_their_telling_words():
    assert missing("Basic | 5", passage(PLANS), titles=("The plan", "Its price")) == "5"
    assert missing("Basic | 5", passage(PLANS), titles=("The plan", "Its seats")) is None


def test_the_column_of_just_that_title_comes_first():
    source = passage("Plan | The price | Price per seat\nBasic | 10 | 2\nPro | 20 | 4")

    assert missing("Basic | 10", source, titles=("Plan", "Price")) is None
    assert missing("Basic | 2", source, titles=("Plan", "Price")) == "2"
    assert missing("Basic | 2", source, titles=("Plan", "Per seat")) is None


def test_the_words_of_the_header_belong_to_each_row():
    assert missing("Basic plan | 5", passage(PLANS), titles=("", "Seats")) is None
    assert missing("The basic | 5", passage(PLANS), titles=("", "Seats")) is None


def test_figures_may_stand_in_the_title():
    assert missing("Basic | 2024", passage("Basic costs $10", title="Prices 2024")) is None
    assert missing("Basic | 2023", passage("Basic costs $10", title="Prices 2024")) == "2023"


def test_prose_has_no_groups():
    prose = passage("Basic plans:\nPro costs $20 each month.")

    assert missing("Basic | $20 each month", prose, titles=()) == "Basic"


def test_every_cell_stands_beside_the_first_one():
    basic, pro = passage("Basic costs $10.", "a"), passage("Pro costs $20.", "b")
    rated = passage("Pro is rated by 7 users.", "c")

    assert missing("Pro | $20 | 7", pro, rated) is None
    assert missing("Pro | $10 | 7", basic, rated) == "$10"
    assert missing("Pro | $10", basic) == "Pro"
    assert missing("– | $20", pro) is None
    assert missing("– | ", pro) is None


def test_cells_are_read_in_their_language():
    source = replace(passage("Der Urlaub | 1,5\nDie Zeit | 2,5"), language="de")

    assert missing("Urlaub | 1,5", source, titles=(), language="de") is None
    assert missing("der Urlaub | 1,5", source, titles=(), language="de") is None
    assert missing("Urlaub | 1,5", source, titles=(), language="en") == "1,5"
