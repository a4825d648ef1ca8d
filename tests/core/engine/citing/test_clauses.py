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
        ("Cakes are not sold.", [({"cakes", "sold"}, 1, set())]),
        ("It was so, cakes are sold", [({"cakes", "sold"}, 0, set())]),
        ("All cakes except plum cakes are sold",
         [({"cakes", "sold"}, 0, set()),
          ({"cakes", "plum", "sold"}, 1, {"plum", "cakes", "sold"})]),
        ("All cakes, except for plum cakes, are sold",
         [({"cakes"}, 0, set()), ({"cakes", "plum"}, 1, {"plum", "cakes"})]),
        ("Kuchen wird außer Montag verkauft",
         [({"kuche", "verka"}, 0, set()),
          ({"kuche", "verka", "monta"}, 1, {"monta", "verka"})]),
        ("Cakes are not sold except plums", [({"cakes", "sold"}, 1, set()),
         ({"cakes", "sold", "plums"}, 0, {"plums"})]),
        ("Cakes are not sold without cream except plums",
         [({"cakes", "sold", "witho", "cream"}, 2, set()),
          ({"cakes", "sold", "witho", "cream", "plums"}, 0, {"plums"})]),
        ("Cakes are sold except", [({"cakes", "sold"}, 0, set()), ({"cakes", "sold"}, 1, set())]),
    ],
)  # fmt: skip
def test_an_exception_says_two_things(text, said):
    language = "de" if "wird" in text else "en"

    assert list(clauses(text, language))[: len(said)] == said


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
    assert list(values(text, "en")) == [Clause(frozenset(stems), one) for stems, one in said]
    assert without_values(text) == rest


def test_values_are_read_in_their_language():
    assert next(iter(clauses("Der Hund: no", "de"))) == ({"hund"}, 1, frozenset())


def test_clauses_hold_values_once():
    assert list(clauses("Free parking: no\nDogs may enter", "en")) == [
        (frozenset({"free", "parki"}), 1, frozenset()),
        (frozenset({"dogs", "enter"}), 0, frozenset()),
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
    assert clause_texts("", "en", fewest=1) == []
    assert clause_texts(" , ;", "en", fewest=1) == []
    assert clause_texts("it, is", "en", fewest=1) == ["it  is"]
