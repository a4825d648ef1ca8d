from decimal import Decimal

import pytest

from citewell.engine.citing.clauses import (
    Clause,
    clause_texts,
    clauses,
    excepts,
    values,
    with_leads,
    without_values,
)


@pytest.mark.parametrize(
    ("units", "read"),
    [
        (
            ["Not covered:", "- a", "- b"],
            ["Not covered:", "- a", "Not covered - a", "- b", "Not covered - b"],
        ),
        (
            ["Covered:", "1. a", "2) b"],
            ["Covered:", "1. a", "Covered 1. a", "2) b", "Covered 2) b"],
        ),
        (["Not so.", "- a"], ["Not so.", "- a"]),
        (["- a", "Covered:"], ["- a", "Covered:"]),
        (["Covered:", "- a", "All.", "- b"], ["Covered:", "- a", "Covered - a", "All.", "- b"]),
        (["Covered:", "All.", "- b"], ["Covered:", "All.", "- b"]),
        (["x" * 400 + ":", "* a"], ["x" * 400 + ":", "* a", "x" * 300 + " * a"]),
        ([":", "- a"], [":", "- a", " - a"]),
        (["Is it so?", "No.", "- a"], ["no Is it so?", "- a"]),
        (["Is it so?", "Yes, it is."], ["Is it so?", "it is."]),
        (["Is it so?", "A: No: never."], ["no Is it so?", "never."]),
        (["Is it so?", "No - never."], ["no Is it so?", "never."]),
        (["Is it so?", "No cakes are sold."], ["Is it so?", "No cakes are sold."]),
        (["Is it so?", "No, only here."], ["Is it so?", "only here."]),
        (["Is it so?", "No, onlyness."], ["no Is it so?", "onlyness."]),
        (["Is it so?", "Answer. NO"], ["no Is it so?"]),
        (["Is it so?", "Sí"], ["Is it so?"]),
        (["Is it so?", "Nobody knows."], ["Is it so?", "Nobody knows."]),
        (["Is it so?", "Is it?", "No"], ["Is it so?", "no Is it?"]),
        (["Is it so?", "No. Is it?", "Yes"], ["no Is it so?", "Is it?"]),
        (["It is so.", "No."], ["It is so.", "No."]),
        (["Is it so?"], ["Is it so?"]),
        ([], []),
    ],
)
def test_items_are_read_with_their_lead(units, read):
    assert list(with_leads(units)) == read


@pytest.mark.parametrize(
    "lead",
    ["If it does not start:", "Why the build fails:", "Wenn nichts geht:", "Parts that fail:"],
)
def test_a_condition_leads_to_no_denied_item(lead):
    assert list(with_leads([lead, "- a"])) == [lead, "- a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Cakes are not sold.", [({"cakes", "sold"}, True, set())]),
        ("It was so, cakes are sold", [({"cakes", "sold"}, False, set())]),
        ("All cakes except plum cakes are sold",
         [({"cakes", "sold"}, False, set()),
          ({"cakes", "plum", "sold"}, True, {"plum", "cakes", "sold"})]),
        ("All cakes, except for plum cakes, are sold",
         [({"cakes"}, False, set()), ({"cakes", "plum"}, True, {"plum", "cakes"})]),
        ("Kuchen wird außer Montag verkauft",
         [({"kuche", "verka"}, False, set()),
          ({"kuche", "verka", "monta"}, True, {"monta", "verka"})]),
        ("Cakes are not sold except plums", [({"cakes", "sold"}, True, set()),
         ({"cakes", "sold", "plums"}, False, {"plums"})]),
        ("Cakes are sold without cream except plums",
         [({"cakes", "sold", "cream"}, False, set()),
          ({"cakes", "sold", "cream", "plums"}, False, {"plums"})]),
        ("Cakes are sold except", [({"cakes", "sold"}, False, set()),
         ({"cakes", "sold"}, True, set())]),
    ],
)  # fmt: skip
def test_an_exception_says_two_things(text, said):
    language = "de" if "wird" in text else "en"

    found = [(one.stems, one.denies, one.about) for one in clauses(text, language)]

    assert found[: len(said)] == said


def clause(text, language="en"):
    (found,) = clauses(text, language)
    return found


def test_a_clause_says_what_is_lacking_and_its_bounds():
    assert clause("Cakes are sold without cream") == Clause(
        frozenset({"cakes", "sold", "cream"}), denies=False, lacks=True
    )
    assert clause("They never sold over 1.234 cakes", "de").bounds == {(Decimal(1234), True)}
    assert clause("Kuchen nicht ohne Sahne", "de") == Clause(
        frozenset({"kuche", "sahne"}), denies=True, lacks=True
    )
    lacking, contrary = clauses("Cakes sold without cream except plums", "en")
    assert (lacking.lacks, lacking.is_negated) == (True, True)
    assert (contrary.lacks, contrary.is_negated) == (False, False)


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("They sold cakes", True),
        (' "It sold cakes', True),
        ("Theyre sold cakes", False),
        ("Cakes they sold", False),
    ],
)
def test_a_clause_may_begin_with_a_pronoun(text, goes_on):
    assert clause(text).goes_on == goes_on


@pytest.mark.parametrize(
    ("one", "other", "agrees"),
    [
        ("Cakes are sold", "Cakes are sold", True),
        ("Cakes are not sold", "Cakes are sold", False),
        ("Cakes are sold without cream", "Cakes are not sold with cream", True),
        ("Cakes are not sold without cream", "Cakes are not sold", True),
        ("Cakes are not sold without cream", "Cakes are not sold without cream", True),
        ("Cakes are not sold without cream", "Cakes are sold without cream", False),
        ("Cakes are not sold without cream", "Cakes are sold with cream", False),
        ("No more than 5 cakes are sold", "Up to 5 cakes are sold", True),
        ("No more than 5 cakes are sold", "No more than 5 cakes are sold", True),
        ("No more than 5 cakes are sold", "More than 5 cakes are sold", False),
        ("No more than 5 cakes are sold", "Up to 6 cakes are sold", False),
        ("Over 5 cakes are sold", "Under 5 cakes are sold", False),
        ("Over 5 cakes are sold", "Under 5, over 5 cakes are sold", True),
        ("Over 5 cakes are sold", "5 cakes are sold", True),
    ],
)
def test_clauses_agree(one, other, agrees):
    assert clause(one).agrees(clause(other)) == agrees
    assert clause(other).agrees(clause(one)) == agrees


@pytest.mark.parametrize(
    ("text", "said", "rest"),
    [
        ("Parking: no", [({"parki"}, 1)], ""),
        ("Wi-Fi: yes\nParking : NO.\nPool: Sí", [({"fi", "wi"}, 0), ({"parki"}, 1),
         ({"pool"}, 0)], "\n.\n"),
        ("| Free parking | No |", [({"free", "parki"}, 1)], ""),
        ("Pool | Yes\n|Parking|no| \nBar", [({"pool"}, 0), ({"parki"}, 1)], "\n\nBar"),
        ("| Parking | No | Yes |", [], "| Parking | No | Yes |"),
        ("| 1 | Parking | No |", [], "| 1 | Parking | No |"),
        ("| Parking: no |", [], "| Parking: no |"),
        ("Wi-Fi: yes; parking: no", [({"fi", "wi"}, 0), ({"parki"}, 1)], ";"),
        ("Parking: no dogs", [], "Parking: no dogs"),
        ("Parking: none", [], "Parking: none"),
        ("Parking\n: no", [], "Parking\n: no"),
        ("It: no", [], ""),
        ("x" * 81 + ": no", [], "x" * 81 + ": no"),
        ("Cars: parking: no", [], "Cars: parking: no"),
    ],
)  # fmt: skip
def test_a_plain_yes_or_no_is_what_stands_before_it(text, said, rest):
    assert list(values(text, "en")) == [Clause(frozenset(stems), bool(one)) for stems, one in said]
    assert without_values(text) == rest


def test_values_are_read_in_their_language():
    assert next(iter(clauses("Der Hund: no", "de"))) == Clause(frozenset({"hund"}), denies=True)


def test_clauses_hold_values_once():
    assert list(clauses("Free parking: no\nDogs may enter", "en")) == [
        Clause(frozenset({"free", "parki"}), denies=True),
        Clause(frozenset({"dogs", "enter"}), denies=False),
    ]


def test_an_exception_is_noticed():
    assert excepts("All EXCEPT one")
    assert not excepts("exceptional")


def test_short_clauses_join_the_next():
    assert clause_texts("Yes, cakes sold; see: 5 and pies", "en", fewest=2) == [
        "Yes  cakes sold",
        " see  5   pies",
    ]
    assert clause_texts("Staff: 50", "en", fewest=1) == ["Staff  50"]
    assert clause_texts("Without a valid permit, cars may park", "en", fewest=2) == [
        "Without a valid permit  cars may park"
    ]
    assert clause_texts("Ohne einen gültigen Ausweis, kein Eintritt", "de", fewest=1) == [
        "Ohne einen gültigen Ausweis  kein Eintritt"
    ]
    assert clause_texts("Permits without stamps, cars", "en", fewest=1) == [
        "Permits without stamps",
        " cars",
    ]
    assert clause_texts("", "en", fewest=1) == []
    assert clause_texts(" , ;", "en", fewest=1) == []
    assert clause_texts("it, is", "en", fewest=1) == ["it  is"]
    assert clause_texts("(open Monday)", "en", fewest=2) == [" open Monday "]
