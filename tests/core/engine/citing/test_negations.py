import pytest

from citewell.engine.citing.negations import (
    denied_words,
    denies,
    denies_the_contrary,
    is_denied_next,
    is_negated,
    lacking,
    lacks,
    negators,
)


def test_a_language_without_lists_has_no_negators():
    assert negators.__wrapped__("xx") == frozenset()
    assert {"not", "prohibited"} < negators("en")
    assert "nicht" in negators("de")


def test_a_negator_may_be_written_with_letters_that_look_alike():
    assert is_negated("It is n\u043et so.", "en")


@pytest.mark.parametrize("text", ["It does not.", "They don't.", "NEVER", "without pay", "can’t"])
def test_negation_is_seen(text):
    assert is_negated(text, "en")


@pytest.mark.parametrize("text", ["It does.", "nothingness", "a knot", "notable"])
def test_affirmation_is_seen(text):
    assert not is_negated(text, "en")


def test_contractions_negate_in_english_only():
    assert not is_negated("don't", "de")
    assert is_negated("nicht", "de")


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("Smoking is prohibited.", True),
        ("Smoking is not prohibited.", False),
        ("Smoking is not strictly prohibited.", False),
        ("It is not so that it is prohibited.", True),
        ("Smoking isn't prohibited, but never liked.", True),
        ("It never denied that it was prohibited.", True),
        ("Denied and refused.", True),
        ("Cakes are sold, except on Monday.", False),
        ("Smoking is not only prohibited.", True),
        ("Smoking is not only for guests.", False),
        ("It is not just so and not.", True),
        ("He is just not here.", True),
        ("It is not so only.", True),
    ],
)
def test_a_denial_that_is_denied_denies_nothing(text, negated):
    assert is_negated(text, "en") == negated


@pytest.mark.parametrize(
    ("text", "language", "denied", "lacking"),
    [
        ("Enter.", "en", False, False),
        ("Do not enter.", "en", True, False),
        ("Enter without it.", "en", False, True),
        ("Do not enter without it.", "en", True, True),
        ("It is prohibited without it.", "en", True, True),
        ("Without it never enter.", "en", True, True),
        ("Nicht ohne", "de", True, True),
        ("Pas sans", "fr", True, True),
        ("No sin", "es", True, True),
        ("It is sin and sans", "en", False, False),
    ],
)
def test_what_is_lacking_is_not_denied(text, language, denied, lacking):
    assert (denies(text, language), lacks(text, language)) == (denied, lacking)
    assert is_negated(text, language) == (denied or lacking)


def test_a_language_has_words_for_without():
    assert lacking.__wrapped__("en") == {"without"}
    assert lacking.__wrapped__("xx") == frozenset()


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("not allowed", True),
        ("Smoking isn't ever really to be allowed", False),
        ("Smoking is not to be ever allowed", True),
        ("allowed, not wanted", False),
        ("Smoking is not good: smoking allowed", False),
        ("No pets, smoking allowed", False),
        ("It is not so. Smoking in the office is allowed", False),
        ("allowed here and not allowed there", True),
        ("not only allowed", False),
        ("wanted", False),
    ],
)
def test_a_word_is_denied_shortly_before_it(text, denied):
    assert ("allowed" in denied_words(text, "en")) == denied


def test_negating_words_are_those_of_the_language():
    assert denied_words("nicht never public", "de") == {"never", "public"}
    assert denied_words("nicht required never public", "en") == {"public"}
    assert denied_words("blue, not blue", "en") == {"blue"}


def test_a_denied_word_says_what_its_opposite_says():
    assert denies_the_contrary("It is not required", frozenset({"optional"}), "en")
    assert not denies_the_contrary("It is required", frozenset({"optional"}), "en")
    assert not denies_the_contrary("It is not required", frozenset({"required"}), "en")
    assert not denies_the_contrary("It is not blue", frozenset({"optional"}), "en")
    assert denies_the_contrary("It is not locked", frozenset({"unlocked"}), "en")
    assert not denies_the_contrary("It is not required", frozenset({"optional"}), "de")


@pytest.mark.parametrize(
    ("text", "language", "denied"),
    [
        ("It is not true that ", "en", True),
        ("We don't ", "en", True),
        ("You must never ", "en", True),
        ("It is prohibited to ", "en", True),
        ("It is not at all by any means that ", "en", False),
        ("Customers without an account ", "en", False),
        ("No worries, ", "en", False),
        ("If you do not have a badge, ", "en", False),
        ("Not so; ", "en", False),
        ("It is not only true that ", "en", False),
        ("Es ist nicht wahr, dass nie ", "de", True),
        ("It is not true that ", "de", False),
        ("It is not true that ", "xx", False),
        ("", "en", False),
    ],
)
def test_a_denial_may_end_a_text(text, language, denied):
    assert is_denied_next(text, language) == denied
