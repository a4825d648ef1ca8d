from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import ConfigError
from citewell.library.labelling import Labelling

RULES = [
    ("**", frozenset({"everyone"})),
    ("hr/**", frozenset({"people-team"})),
    ("hr/public/**", frozenset({"everyone", "press"})),
    ("*.key.md", frozenset({"admins"})),
]


@pytest.mark.parametrize("rules", list(permutations(RULES)))
def test_the_order_of_the_rules_opens_nothing(rules):
    labelling = Labelling(rules)

    assert labelling.of("readme.md") == {"everyone"}
    assert labelling.of("hr/pay.md") == {"people-team"}
    assert labelling.of("hr/deep/er/pay.md") == {"people-team"}
    assert labelling.of("hr/public/jobs.md") == {"everyone", "press"}
    assert labelling.of("a/root.key.md") == {"admins"}
    assert labelling.of("hr/root.key.md") == {"people-team"}


def test_among_equals_the_last_decides():
    assert Labelling([("a*", frozenset({"x"})), ("a?", frozenset({"y"}))]).of("ab") == {"y"}


def test_a_leading_slash_says_nothing_more():
    rules = [("/hr/**", frozenset({"x"})), ("hr/a/**", frozenset({"y"}))]

    assert Labelling(rules).of("hr/a/b.md") == {"y"}


def test_a_document_without_a_match_has_no_labels():
    assert Labelling([("hr/**", frozenset({"x"}))]).of("it/a.md") == frozenset()
    assert Labelling([]).of("a.md") == frozenset()


def test_letters_differ_by_case():
    assert Labelling([("HR/**", frozenset({"x"}))]).of("hr/a.md") == frozenset()


def test_a_pattern_that_takes_back_matches_nothing():
    assert Labelling([("!hr/**", frozenset({"x"}))]).of("hr/a.md") == frozenset()


def test_patterns_that_match_no_document_are_named():
    labelling = Labelling([*RULES, ("HR/**", frozenset({"x"})), ("/readme.md", frozenset({"y"}))])

    assert labelling.unmatched(["readme.md", "hr/a.md"]) == ["hr/public/**", "HR/**", "*.key.md"]
    assert Labelling([("**", frozenset({"everyone"}))]).unmatched(["a.md"]) == []


def test_a_malformed_pattern_is_a_config_error():
    with pytest.raises(ConfigError, match='labels: "!" is not a glob pattern'):
        Labelling([("!", frozenset({"x"}))])


CHANNEL = frozenset({"slack:C1"})
OPEN = ("**", frozenset({"everyone"}))


@pytest.mark.parametrize(
    ("rules", "labels"),
    [
        ([], CHANNEL),
        ([OPEN], CHANNEL),
        ([("**", frozenset({"everyone", "stays-here"}))], CHANNEL | {"stays-here"}),
        ([("**", frozenset({"support"}))], {"support"}),
        ([OPEN, ("C1/**", frozenset({"everyone"}))], {"everyone"}),
        ([OPEN, ("C2/**", frozenset({"everyone"}))], CHANNEL),
    ],
)
def test_what_the_source_says_holds_unless_a_pattern_says_otherwise(rules, labels):
    labelling = Labelling(rules)

    assert labelling.given("C1/1.talk", CHANNEL) == labels
    assert labelling.given("C1/1.talk", None) == labelling.of("C1/1.talk")


@given(
    own=st.frozensets(st.sampled_from(["a", "b", "everyone"])),
    labels=st.frozensets(st.sampled_from(["a", "b", "everyone"])),
)
def test_the_pattern_of_everything_opens_to_everyone_nothing_that_is_restricted(own, labels):
    given_labels = Labelling([("**", labels)]).given("x", own)

    assert "everyone" not in given_labels or "everyone" in own
