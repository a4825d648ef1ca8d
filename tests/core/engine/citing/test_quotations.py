import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.engine.citing.aligning import Aligner
from citewell.engine.citing.quotations import with_stored_quotes
from citewell.engine.citing.source import Source
from passages import passage

SOURCE = Source(
    passage("Tier 2 employees receive 5 days of annual leave. They don't sell the staff's days. "
            "The employees' leave is paid. A 5\" pipe — rock 'n' roll, Users » Add. 员工有假期。")
)  # fmt: skip
FORGED = "employees receive unlimited days"
STORED = "employees receive 5 days"
MARKS = (
    '"" “” ““ “" "” ”” „“ „” „" ‟” ″″ ＂＂ «» »« »» ‹› ›‹ ›› 「」 『』 《》 〝〞 〝〟 ❝❞ '
    "'' ‘’ ’’ ‚‘ ‚’ ‛’ ′′ ＇＇ ❛❜"
)


def read(text, question=""):
    return with_stored_quotes(text, [SOURCE], question=Aligner(question))


@pytest.mark.parametrize("marks", MARKS.split(" "))
@pytest.mark.parametrize(
    "around", ["It says {}.", "{}", "({})", "It says: {}, always.", "员工{}员工"]
)
def test_quotations_are_recognised_by_every_pair_of_marks(marks, around):
    opening, closing = marks

    assert read(around.format(f"{opening}{FORGED}{closing}"))[1] == FORGED
    assert read(around.format(f"{opening}Employees  receive 5 days{closing}")) == (
        around.format(f"{opening}{STORED}{closing}"),
        None,
    )


@pytest.mark.parametrize(
    "text",
    [
        f"It says « {FORGED} ».",
        f"It says ‹ {FORGED} ›.",
        f"It says ' {FORGED} '.",
        f'It says " {FORGED} ".',
        f"It says “{FORGED}.",
        f'It says "{FORGED}.',
        f"It says {FORGED}”.",
        f"It says {FORGED}».",
        f"It says »{FORGED}.",
        f"It says 「{FORGED}.",
        f'It says"{FORGED}" here.',
        f'"employees "{FORGED}" days"',
        f'"employees" {FORGED}"',
        f'“employees "{FORGED}" leave”',
        f"„employees „{FORGED}“ leave“",
        f"»employees »{FORGED}» leave»",
        f"'employees 'receive' {FORGED}'",
        f"'The employees' leave, {FORGED}'",
        f"'5 days' and '{FORGED}'",
        f"'{FORGED}' and '5 days'",
        f'The 5" pipe, "{FORGED}"',
        f'It says _"{FORGED}"_.',
        '"5 days""receive',
        f"It says **‘{FORGED}’**.",
    ],
)
def test_a_forged_quotation_is_found_out(text):
    assert read(text)[1] is not None


@pytest.mark.parametrize(
    "text",
    [
        "They don't sell the staff's days.",
        "They don’t sell the staff’s days, nor the employees’ leave.",
        "The '90s were the employees' leave.",
        "The `citewell`'s days and the employees' leave.",
        "The `citewell`'s leave and the '90s employees' leave.",
        "Rock 'n' roll is paid.",
        'A 5" pipe, 7\' long and 6" wide.',
        'A 5" pipe is "paid".',
        "A 5”-pipe is paid.",
        "Users » Add.",
        "Leave › Days.",
        'צה"ל',
        'Users `"x` and `y"z`.',
        "Users \"…\" and '!' are.",
        "He is 5' 7\" tall.",
        'Tier 2 employees receive "5 days of annual leave.',
        "”Tier 2 employees receive 5 days of annual leave",
    ],
)
def test_other_marks_are_left_as_they_are(text):
    assert read(text) == (text, None)


def test_the_first_quotation_that_is_not_found_is_told():
    assert read('It "nowhere one" and "nowhere two".')[1] == "nowhere one"
    assert read('It "nowhere one" and “two.')[1] == "nowhere one"
    assert read("It says “two.")[1] == "It says “two."


@pytest.mark.parametrize("marks", ['""', "“”", "„“", "«»", "»«", "””", "''", "‘’"])
def test_a_quotation_may_stand_in_a_quotation(marks):
    opening, closing = marks

    def nested(inner):
        return f"{opening}Tier 2 {opening}employees{closing} receive {inner}.{closing}"

    stored = f"{opening}Tier 2 employees receive 5 days{closing}"
    assert read(nested("5 days")) == (stored, None)
    assert read(f"{nested('5 days')} {nested('5 days')}") == (f"{stored} {stored}", None)
    assert read(nested("9 days"))[1] == nested("9 days")[1:-1]
    assert read(nested("9 days") + nested("5 days"))[1] is not None


def test_the_question_may_be_quoted():
    assert read("'martians' get leave", "Do Martians?") == ("'martians' get leave", None)
    assert read("'martians' get leave")[1] == "martians"


def test_what_is_stored_takes_the_place_of_every_quotation():
    assert read("a 'TIER 2' b \"annual  leave\" c") == ("a 'Tier 2' b \"annual leave\" c", None)
    assert read('"Tier 2 employees receive … of annual leave"')[0] == (
        '"Tier 2 employees receive … of annual leave"'
    )


@given(st.text(st.sampled_from("a5s '\"“”„«»‹›‘’‚「」`.*"), max_size=40))
def test_every_text_is_read(text):
    found, missing = read(text)

    assert isinstance(found, str)
    assert missing is None or missing in text


@pytest.mark.parametrize(
    "unit", ["'a ", "a' ", "'", '"', "“", "« a", "'a' ", "„a", "」", '"a "b" ', "'a 'b' "]
)
def test_reading_takes_bounded_time(unit):
    text = unit * (4000 // len(unit))

    assert len(read(text)[0]) <= len(text)
