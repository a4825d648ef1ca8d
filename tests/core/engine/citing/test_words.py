import pytest

from citewell.engine.citing.words import (
    content_stems,
    nouns_of_rate,
    opposites,
    stem,
    stopwords,
    telling_words,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("Kenya's leave and the dogs’ food", ["kenya", "leave", "and", "the", "dogs", "food"]),
        ("don't isn’t", ["don't", "isn't"]),
        ("well-known snake_case", ["well", "known", "snake", "case"]),
        ("ﬁrst Ｆｕｌｌ STRASSE Straße", ["first", "full", "strasse", "strasse"]),
        ("次の文 one", ["次", "の", "文", "one"]),
        ("1,234 A320", ["1", "234", "a320"]),
        ("", []),
    ],
)
def test_words_are_folded(text, expected):
    assert list(words(text)) == expected


def test_a_stem_is_five_letters():
    assert stem("approval") == stem("approve") == "appro"
    assert stem("day") == "day"


def test_content_leaves_out_stopwords_and_numbers():
    assert content_stems("The 30 days of paid leave", "en") == ["days", "paid", "leave"]
    assert content_stems("der Urlaub ist lang", "de") == ["urlau", "lang"]
    assert content_stems("Cakes aren't, or weren’t, sold", "en") == ["cakes", "sold"]
    assert content_stems("the leave", "xx") == ["the", "leave"]


def test_telling_words_hold_numbers():
    assert telling_words("The 30 days, 1,234", "en") == {"days", "30", "1", "234"}


def test_a_language_without_lists_has_empty_ones():
    assert stopwords("xx") == frozenset()
    assert "the" in stopwords("en")


def test_opposites_hold_both_ways():
    assert opposites("more") == {"less", "fewer"}
    assert opposites("increased") == {"decreased", "unincreased"}
    assert "increased" in opposites("decreased")
    assert "disallow" in opposites("allow")
    assert opposites("blue") == frozenset()


def test_a_prefix_turns_a_longer_word():
    assert opposites("locked") == {"unlocked"}
    assert opposites("unlocked") == {"locked", "ununlocked"}
    assert opposites("lock") == opposites("unless") == opposites("units") == frozenset()


def test_a_rate_excludes_the_others():
    others = {"hourly", "weekly", "monthly", "quarterly", "yearly", "annually"}
    assert opposites("daily") == others | {"undaily"}
    assert "annually" not in opposites("yearly")
    assert "yearly" not in opposites("annually")
    assert "daily" in opposites("annually")


def test_a_rate_has_a_noun():
    assert nouns_of_rate("annually") == ("year", "years")
    assert nouns_of_rate("blue") == ()


def test_letters_of_another_script_beside_latin_ones_are_read_as_what_they_look_like():
    assert list(words("n\u043et \u0421\u0430nnot \u03bf\u03c5t")) == ["not", "cannot", "out"]
    assert list(words("\u043d\u0435 \u03bc\u03b5 \u03bcm")) == [
        "\u043d\u0435",
        "\u03bc\u03b5",
        "\u03bcm",
    ]
