"""What says the same is found once, and what only looks alike is kept."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.tuning.data.examples import Example, Kind, Message
from citewell.tuning.data.likeness import twins

ASKED = "How many days of leave does an employee of the company get in a full calendar year?"
ANSWER = "An employee of the company gets 28 days of leave in a full calendar year of work."


def talk(asked=ASKED, answer=ANSWER, line=0):
    messages = (Message("user", asked), Message("assistant", answer))
    return Example(kind=Kind.CHAT, messages=messages, line=line)


def found(*examples, is_near=True):
    return [
        (one.example.line, one.of.line, one.is_exact) for one in twins(examples, is_near=is_near)
    ]


def test_blanks_make_no_difference():
    again = talk(f" {ASKED}\n", ANSWER.replace(" ", "  "), line=2)

    assert found(talk(line=1), again, is_near=False) == [(2, 1, True)]


def test_a_changed_word_at_the_end_is_nearly_the_same():
    assert found(talk(line=1), talk(answer=f"{ANSWER[:-1]} done.", line=2)) == [(2, 1, False)]


@pytest.mark.parametrize(
    "other",
    [
        talk(answer=ANSWER.replace("28", "30"), line=2),
        talk(asked="Where does an employee ask for it?", line=2),
        talk(answer="The documents do not say.", line=2),
        talk(answer="No.", line=2),
    ],
    ids=["another number", "another question", "another answer", "a short answer"],
)
def test_what_says_something_else_is_no_twin(other):
    assert found(talk(line=1), other) == []


def test_the_same_passages_make_no_twins():
    passage = f'<passage number="1" title="Leave" place="">\n{ANSWER * 9}\n</passage>'
    where = talk(f"{passage}\n\nWhere is leave asked for?", "In the portal [1].", line=1)
    when = talk(f"{passage}\n\nWhen does the year begin?", "In April [1].", line=2)

    assert found(where, when) == []


def test_what_all_are_told_makes_no_twins():
    told = Message("system", f"{ASKED} {ANSWER} " * 9)
    first, second = (
        Example(
            kind=Kind.CHAT,
            messages=(told, Message("user", asked), Message("assistant", "Yes.")),
            line=line,
        )
        for line, asked in enumerate(("Is it open?", "Is it closed?"), 1)
    )

    assert found(first, second) == []


def test_the_other_vote_is_no_twin():
    votes = [
        Example(kind=Kind.VOTE, messages=(Message("user", "q"),), answer="a", is_good=good, line=at)
        for at, good in enumerate((True, False, True), 1)
    ]

    assert found(*votes, is_near=False) == [(3, 1, True)]


def test_yes_and_no_are_not_alike():
    assert found(talk(answer="Yes.", line=1), talk(answer="No.", line=2)) == []


def test_another_name_says_something_else():
    first, second = (
        talk(f"{ASKED} Who is asked, as {name} is away?", f"{ANSWER} It is {name} who decides.", at)
        for at, name in enumerate(("Anna Weber", "Otto Braun"), 1)
    )

    assert found(first, second) == []


def test_another_mark_says_the_same():
    first, second = (talk(answer=f"{ANSWER[:-1]} [{mark}].", line=mark) for mark in (1, 2))

    assert found(first, second) == [(2, 1, False)]


def test_signs_without_words_are_not_alike():
    texts = [Example(kind=Kind.TEXT, text=text, line=at) for at, text in enumerate(("+-", "**"), 1)]

    assert found(*texts) == []


def test_another_indent_is_another_code():
    code = [
        Example(kind=Kind.TEXT, text=text, line=at)
        for at, text in enumerate(("if x:\n    y()\nz()", "if x:\n    y()\n    z()"), 1)
    ]

    assert found(*code, is_near=False) == []


def test_among_many_the_same_are_found():
    kinds = ["red", "blue", "green", "white", "black", "grey", "pink", "brown", "violet", "orange"]
    rows = [
        talk(f"Which {a} lamp of ours stands on the {b} table today?", f"The {a} lamp, {b}.", line)
        for line, (a, b) in enumerate(product(kinds, kinds))
    ]
    # Behind the first 64 of one group, an index is asked for those that may be alike.
    later = rows[95]
    again = talk(f"{later.messages[0].content} Please.", later.messages[1].content, 999)

    assert found(*rows, again) == [(999, 95, False)]


@given(st.lists(st.sampled_from("abcde"), max_size=30))
def test_of_equal_examples_the_first_stays(letters):
    examples = [talk(letter, letter, line=at) for at, letter in enumerate(letters)]

    gone = {line for line, _, _ in found(*examples)}

    kept = [letter for at, letter in enumerate(letters) if at not in gone]
    assert kept == [*dict.fromkeys(letters)]
