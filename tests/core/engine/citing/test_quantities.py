import pytest

from citewell.engine.citing.quantities import Figures, missing_figure, quantities_in


def missing(claim, source, language="en"):
    return missing_figure(claim, [Figures(source, language)], language)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It was 1,234.", "about 1234 things"),
        ("It was 1234.", "about 1,234 things"),
        ("1 234 people", "1,234 people"),
        ("1\u202f234 people", "1234 people"),
        ("12,345,678", "12345678"),
        ("1,00,000", "100000"[:0] + "1,00,000"),
        ("3.50", "3.5"),
        ("$3.5 million", "$3,500,000"),
        ("3,500,000", "3.5 million"),
        ("$3.5m", "$3.5 million"),
        ("$2bn", "$2 billion"),
        ("$5k", "$5,000"),
        ("€2 billion", "€2,000 million"),
        ("$117.2 billion", "(in millions) $117,200"),
        ("7 thousand", "in thousands: 7"),
        ("twelve people", "12 people"),
        ("12 people", "twelve people"),
        ("twenty-five", "25"),
        ("two hundred and fifty", "250"),
        ("three thousand two hundred", "3,200"),
        ("two hundred thousand", "200,000"),
        ("two million three thousand five", "2,003,005"),
        ("4th", "the fourth one"),
        ("the 21st", "21st"),
        ("one of the two", "two of them"),
        ("one of them", "some of them"),
        ("zero risk", "no risk"),
        ("5%", "five percent"),
        ("5 percent", "5%"),
        ("5 per cent", "5 %"),
        ("grew 5%", "Share (%)\n5"),
        ("$7", "in $\nitem 7"),
        ("30 days", "30 calendar days"),
        ("30-day limit", "30 days"),
        ("30 days", "Days\n30"),
        ("10GB", "10 GB"),
        ("10 GB", "10GB"),
        ("20 °C", "20°C"),
        ("2010-2015", "2010–15, 2015"),
        ("10:30 am", "at 10:30 am"),
        ("27/100", "a score of 27/100"),
        ("version 1.2.3", "since 1.2.3"),
        ("the A320", "Airbus A320"),
        ("Q3 2022", "Q3 of 2022"),
        ("-5°C", "at -5 °C"),
        ("−5", "-5"),
        ("(87)", "a loss of (87)"),
        ("87 lost", "(87)"),
        ("5 lost", "-5"),
        ("July 1, 2023", "on 1 July 2023"),
        ("1st of July 2023", "Jul. 1, 2023"),
        ("July 1, 2023", "2023-07-01"),
        ("7/1/2023", "July 1, 2023"),
        ("7/1/2023", "1.7.2023"),
        ("From July 11, 2023 to July 12, 2023 it was 5.", "July 12, 2023; July 11, 2023; 5"),
        ("(87 people)", "87 people"),
        ("x² is 5", "x is 5"),
        ("4", "on the fourth"),
        ("grew 5%", "Share in Percent: table 5"),
        ("1.7.2023", "July 1, 2023"),
        ("2023/07/01", "1 July 2023"),
        ("July 2023", "July 1, 2023"),
        ("July 1", "July 1, 2023"),
        ("1 July", "July 1, 2023"),
        ("July 1, 2023", "ended July 1\n2023 2022"),
        ("July 1, 2023", "ended July 1 of fiscal 2023"),
        ("in 2023", "July 1, 2023"),
        ("mid-2013", "his mid-2013 trip"),
        ("the 1990s", "in the 1990s"),
        ("10 m²", "10 m²"),
        ("in 300 500 people", "in 300 500 people"),
        ("300 people", "in 300 500 people"),
        ("日数は30日です", "休暇は30日。"),
        ("no figure at all", "none"),
        ("may five", "may 5"),
    ],
)
def test_figures_are_found_in_other_spellings(claim, source):
    assert missing(claim, source) is None


@pytest.mark.parametrize(
    ("claim", "source", "what"),
    [
        ("It was 1,235.", "1234", "1,235"),
        ("5%", "5 employees", "5%"),
        ("5% more", "5 of 6", "5%"),
        ("$5", "€5", "$5"),
        ("$5", "5 of them", "$5"),
        ("30 days", "30 hours", "30 days"),
        ("30 days", "31 days", "30 days"),
        ("10 GB", "10 MB", "10 GB"),
        ("$3.5 million", "$3.5 billion", "$3.5 million"),
        ("20 million", "20", "20 million"),
        ("$3.5m", "$3.5", "$3.5m"),
        ("5 m", "5 million", "5 m"),
        ("5 b", "5 billion", "5"),
        ("5-star", "6", "5"),
        ("5 per cent more", "5 people", "5"),
        ("thirty days", "30 hours", "thirty"),
        ("5 day-by-day", "6", "5 day"),
        ("July 1, 2023 and June 2, 2023", "July 1, 2023; June 3, 2023", "June 2, 2023"),
        ("7/1/2022", "July 1, 2023", "7/1/2022"),
        ("7/1/2022", "7 January 2023", "7/1/2022"),
        ("July 1, 2023 and 7/2/2023", "July 1, 2023", "7/2/2023"),
        ("-5", "5", "-5"),
        ("(87)", "87", "(87)"),
        ("1.5", "15", "1.5"),
        ("15", "1.5", "15"),
        ("12", "1,2", "12"),
        ("10:30", "10:31 and 10 or 30", "10:30"),
        ("1.2.3", "1.2.4 or 1.2", "1.2.3"),
        ("A321", "A320", "A321"),
        ("Q4", "Q3, 4", "Q4"),
        ("seven", "six", "seven"),
        ("two hundred", "two or hundred", "two hundred"),
        ("July 1, 2023", "July 2, 2023", "July 1, 2023"),
        ("July 1, 2023", "June 1, 2023", "July 1, 2023"),
        ("July 1, 2023", "July 1, 2022", "July 1, 2023"),
        ("July 31", "July 30, 31", "July 31"),
        ("July 1", "July 2, 1", "July 1"),
        ("July 2023", "June 2023", "July 2023"),
        ("July 1, 2024", "ended July 1 of fiscal 2023", "July 1, 2024"),
        ("July 1, 2024", "July 1, 2023 or 2024", "July 1, 2024"),
        ("July 1", "July, 2023, 1", "July 1"),
        ("July 1", "July 2023", "July 1"),
        ("2023-07-01", "2023-01-07", "2023-07-01"),
        ("13/7/2023", "12 July 2023", "13/7/2023"),
        ("July 32, 2023", "July 2023", "32"),
        ("in 2022", "2023", "2022"),
        ("4", "fifth", "4"),
        ("one and 2", "one", "2"),
        ("日数は31日です", "休暇は30日。", "31"),
    ],
)
def test_a_figure_that_is_not_there_is_named(claim, source, what):
    assert missing(claim, source) == what


def test_numbers_are_read_in_their_language():
    assert missing("1.234,5 Euro", "1.234,50 Euro", "de") is None
    assert missing_figure("1,234.5", [Figures("1.234,5 Euro", "de")], "en") is None
    assert missing("1.234", "1,234", "de") == "1.234"
    assert missing("2 Mio", "2 Millionen", "de") is None
    assert missing("500,5 Euro", "in 300 500,5 Euro", "de") is None


def test_any_source_may_hold_a_figure():
    assert missing_figure("7 and 8", [Figures("7", "en"), Figures("8", "en")], "en") is None
    assert missing_figure("7", [], "en") == "7"


def test_dates_and_years_may_stand_far_away():
    near, far = [Figures("sales of 5", "en")], [Figures("2023, July 1, 1999; A320; 9", "en")]

    assert missing_figure("sales of 5 in 2023", near, "en", anywhere=far) is None
    assert missing_figure("sales of 5 on July 1, 1999", near, "en", anywhere=far) is None
    assert missing_figure("5 on the A320", near, "en", anywhere=far) is None
    assert missing_figure("sales of 9", near, "en", anywhere=far) == "9"
    assert missing_figure("sales of 5 in 2024", near, "en", anywhere=far) == "2024"


@pytest.mark.parametrize("year", ["1500", "1999", "2099"])
def test_a_year_stands_alone(year):
    far = [Figures(f"{year} 1499 2100", "en")]

    assert missing_figure(f"in {year}", [], "en", anywhere=far) is None
    assert missing_figure("in 1499", [], "en", anywhere=far) == "1499"
    assert missing_figure("in 2100", [], "en", anywhere=far) == "2100"
    assert missing_figure(f"${year}", [], "en", anywhere=far) == f"${year}"


def test_each_of_several_dates_is_looked_up_as_a_date():
    claim = "It began on 1 July 2023 and ended on 4 March 2021."

    assert missing(claim, "From 2021-03-04 to 2023-07-01.") is None
    assert missing(claim, "From 2021-03-05 to 2023-07-01.") == "4 March 2021"
    assert (
        missing("From 1 July 2023 to 4 March 2021 days passed.", "2021-03-04, 2023-07-01.") is None
    )


LEAVE = "Employees receive 25 days of annual leave. The probation period lasts six months."


@pytest.mark.parametrize(
    "claim",
    [
        "zero days of leave", "lasts one year", "lasts one month", "a hundred months",
        "thousands of months", "a dozen months", "half a year", "half of 25 days", ".6 months",
        "lasts.7 months", "6e3 months", "½ of the days", "②⑦ days", "25½ days", "25⁷ days",
        "_26_ days", "Ⅶ months", "two dozen days", "a quarter of them", "two thirds of them",
        "five and a half months",
    ],
)  # fmt: skip
def test_every_way_of_writing_a_number_is_read(claim):
    assert missing(claim, LEAVE)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("half of the staff", "50% of the staff"),
        ("0.5 portions", "50%"),
        ("2½ hours", "2.5 hours"),
        ("two and a half hours", "2.5 hours"),
        ("5½ days", "5½ days"),
        ("5 days", "5⁷ days"),
        ("5⁷ days", "5⁷ days"),
        ("26 days", "②⑥ days"),
        ("0.6 months", ".6 months"),
        ("6000", "6e3"),
        ("zero risk", "no risk"),
        ("zero risk", "none"),
        ("zero days", "no days"),
        ("zero days", "Days: none in May"),
        ("thirty days", "Days | thirty of them"),
        ("4 things", "on the fourth"),
        ("the first half of 2023", "six months of 2023"),
        ("in millions", "5"),
        ("one of the months", "six months"),
        ("one reason", "a reason"),
        ("twelve", "a dozen"),
    ],
)
def test_a_number_may_be_written_in_another_way(claim, source):
    assert missing(claim, source) is None


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Margin was 5%", "Margin was -5%."),
        ("Margin was +5%", "Margin was -5%."),
        ("It was $120", "It was $(120)"),
        ("It was $120", "It was ($120)"),
        ("It is 7 °C", "It is −7 °C"),
        ("Income was 87", "Income (87) 45"),
        ("Income was 87", "Income 45 (87)"),
        ("Income was 87", "5 (87)."),
        ("Income was 87", "45 | Income | (87) | new"),
        ("Income was 87", "Income\n(87)\nTax"),
        ("Income was 87", "Income (87) (5)"),
        ("Income was 87", "Income (5) (87)"),
        ("Income was (87).", "Income was 87."),
        ("Income was ($87) million.", "Income was 87 million."),
        ("floor -2", "floor [2]"),
    ],
)
def test_a_number_keeps_its_sign(claim, source):
    assert missing(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("a loss of 87", "Income (87) 45"),
        ("It fell by $120", "It was $(120)"),
        ("87", "Income (87) 45"),
        ("-5% down", "-5%"),
        ("5%", "+5%"),
        ("in 2015", "2010-2015"),
        ("10 years", "5-10 years"),
        ("5 days", "- 5 days\n- 6 days"),
        ("25 days", "(25) days"),
        ("(about 5)", "5"),
        ("(25) days", "25 days"),
        ("thirty days", "thirty (30) days"),
        ("shot in 2010", "Inception (2010)"),
        ("shot in 2010", "1999 (2010)"),
        ("(2010)", "shot in 2010"),
        ("12 are open", "Open issues (12)"),
        ("12 are open", "Open issues (12), closed"),
        ("Floor 2", "Floor [2]"),
        ("Floor (2)", "Floor [2]"),
        ("Income (87)", "Income | (87)"),
    ],
)
def test_brackets_and_hyphens_are_a_minus_only_where_accounts_write_one(claim, source):
    assert missing(claim, source) is None


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        *((f"30 {unit}", "within 30 days") for unit in
          ("hrs", "yrs", "wks", "s", "fortnights", "decades", "jiffies")),
        ("30s", "within 30 days"),
        ("2,000 requests per sec", "2,000 requests per minute"),
        ("1.5 million dollars", "1.5 million units, a dollar each"),
        ("1.5 million tonnes", "1.5 million units"),
        *((f"12.5{unit}", "12.5% more") for unit in
          (" basis points", " percentage points", "‰", " bps")),
        ("3.5 million euros", "$3.5 million"),
        ("EUR 3.5 million", "$3.5 million"),
        ("3 to 5 dollars", "3 to 5 euros"),
        ("−7 kelvin", "−7 °C"),
        ("30 days", "30 employees work 25 days"),
        ("zero days", "no reason, in days"),
    ],
)  # fmt: skip
def test_another_unit_is_another_figure(claim, source):
    assert missing(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("30", "within 30 days"),
        ("30 days", "30 calendar days"),
        ("30 calendar", "30 days, calendar"),
        ("30 of them", "30 days"),
        ("30 annually", "30 days"),
        ("30 Things", "30 days"),
        ("30 people a day", "30 people daily"),
        ("30 persons", "30 people"),
        ("30 days", "30\nsome Days"),
        ("30 days", "Days | 30 | Staff"),
        ("30 days", "Days: 30 Staff"),
        ("30 days", "30 to 60 days"),
        ("30 days", "Days | 30 per person"),
        ("7 degrees", "7 °C"),
        ("7 degrees Celsius", "7 °C"),
        ("5 pounds", "£5"),
        ("5 EUR", "€5"),
        ("USD 5 million", "$5 million"),
        ("$5 million", "5 million dollars"),
        ("in 2023 three months", "2023 and three months"),
        ("in 2023 sales", "2023 second quarter"),
        ("5 million employees", "5 million employees, not days"),
        ("20 pounds", "20 lbs"),
        ("20 lbs", "20 pounds"),
        ("20 lbs", "Weight (pounds)\n20"),
        ("3 days a week", "3 days per week"),
        ("3 days", "3 days per week"),
        ("3 days per week", "3 days"),
        ("$20 per month", "$20 per user per month"),
        ("$20 per month", "$20/month"),
        ("30 km/h", "30 km per hour"),
        ("the third quarter", "Q3 of 2022"),
        ("the fifteenth", "the 15th"),
        ("a third of them", "one third of them"),
        ("the third payment", "third and last payments"),
        ("the first payment", "payments"),
    ],
)
def test_the_same_unit_may_be_written_in_another_way(claim, source):
    assert missing(claim, source) is None


def test_a_unit_may_stand_in_the_header_far_away():
    near, far = [Figures("Kenya | 21", "en")], [Figures("Country | Days", "en")]

    assert missing_figure("21 days", near, "en", anywhere=far) is None
    assert missing_figure("21 days", near, "en") == "21 days"
    assert missing_figure("the 1990s", near, "en", anywhere=[Figures("1990s", "en")]) is None


def test_every_number_of_an_answer_is_read_with_what_is_behind_it():
    plain, worded = quantities_in("It has 3.5 million users and twenty offices.", "en")

    assert (plain.value, plain.behind.split()[:2]) == (3_500_000, ["million", "users"])
    assert (worded.value, worded.behind.split()[:1]) == (20, ["offices"])


@pytest.mark.parametrize(
    ("text", "positive", "negative"),
    [("87", True, False), ("-87", False, True), ("a loss of 87", True, True)],
)
def test_a_number_tells_its_sign(text, positive, negative):
    (quantity,) = quantities_in(text, "en")

    assert (quantity.may_be_positive, quantity.may_be_negative) == (positive, negative)
