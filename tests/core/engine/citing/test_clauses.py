import pytest

from citewell.engine.citing.clauses import clause_texts, clauses, excepts, with_leads


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
        ("Cakes are not sold.", [({"cakes", "sold"}, True)]),
        ("It was so, cakes are sold", [({"cakes", "sold"}, False)]),
        ("All cakes except plum cakes are sold",
         [({"cakes", "sold"}, False), ({"cakes", "plum", "sold"}, True)]),
        ("All cakes, except for plum cakes, are sold",
         [({"cakes"}, False), ({"cakes", "plum"}, True)]),
        ("Kuchen wird außer Montag verkauft",
         [({"kuche", "verka"}, False), ({"kuche", "verka", "monta"}, True)]),
        ("Cakes are not sold except plums", [({"cakes", "sold"}, True),
         ({"cakes", "sold", "plums"}, False)]),
        ("Cakes are sold except", [({"cakes", "sold"}, False), ({"cakes", "sold"}, True)]),
    ],
)  # fmt: skip
def test_an_exception_says_two_things(text, said):
    language = "de" if "wird" in text else "en"

    found = [(set(stems), negated) for stems, negated in clauses(text, language)]

    assert found[: len(said)] == said


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
