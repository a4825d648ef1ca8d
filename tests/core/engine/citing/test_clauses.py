import pytest

from citewell.engine.citing.clauses import denied_words, denies_the_contrary, with_leads


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
    ("text", "denied"),
    [
        ("not allowed", True),
        ("Smoking isn't ever really to be allowed", False),
        ("Smoking is not to be ever allowed", True),
        ("allowed, not wanted", False),
        ("It is not so. Smoking in the office is allowed", False),
        ("allowed here and not allowed there", True),
        ("wanted", False),
    ],
)
def test_a_word_is_denied_shortly_before_it(text, denied):
    assert ("allowed" in denied_words(text, "en")) == denied


def test_negating_words_are_those_of_the_language():
    assert denied_words("nicht never public", "de") == {"never", "public"}
    assert denied_words("nicht required never public", "en") == {"public"}


def test_only_words_with_an_opposite_can_be_denied():
    assert denied_words("not blue, not required", "en") == {"required"}


def test_a_denied_word_says_what_its_opposite_says():
    assert denies_the_contrary("It is not required", frozenset({"optional"}), "en")
    assert not denies_the_contrary("It is required", frozenset({"optional"}), "en")
    assert not denies_the_contrary("It is not required", frozenset({"required"}), "en")
    assert not denies_the_contrary("It is not blue", frozenset({"optional"}), "en")
    assert not denies_the_contrary("It is not required", frozenset({"optional"}), "de")
