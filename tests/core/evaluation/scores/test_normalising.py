"""What is compared is words, whatever their case, punctuation and script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.evaluation.scores.normalising import says, spoken, tokens

ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cat's hat, an old one.", "cats hat old one"),
        ("A  10-year\tplan", "10year plan"),
        ("Straße", "strasse"),
        ("“Quoted” — «twice»…", "quoted twice"),
        ("25 €", "25 €"),
        ("$25", "25"),
        ("二十八日です", "二 十 八 日 で す"),
        ("the a an", ""),
        ("ﬁne", "fine"),
    ],
)
def test_tokens_are_those_of_squad(text, expected):
    assert tokens(text) == tuple(expected.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is **28 days** long.", "28 Days"),
        ("It\u2019s open", "it's open"),
        ("A party, an\n art.", "art"),
        ("from 2010\u20132014", "2010-2014"),
        ("We use C++ here", "c++"),
        ("有給休暇は二十八日です。", "二十八日"),
        ("สวัสดีครับ", "ครับ"),
        ("set snake_case, _not_ camel", "not camel"),
    ],
)
def test_words_are_said_whatever_their_look(text, words):
    assert says(text, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a party", "art"),
        ("125 days", "25 days"),
        ("25.5 days", "25"),
        ("1,025 days", "025 days"),
        ("refunds", "refund"),
        ("not at all", "no"),
        ("", "a"),
        ("anything", ""),
        ("anything", " * "),
    ],
)
def test_words_are_said_as_a_whole(text, words):
    assert not says(text, words)


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_can_be_compared(text, words):
    assert says(text, words) in {True, False}
    assert all(tokens(text))
    assert "\n" not in spoken(text)


@given(ANY_TEXT)
def test_whoever_says_something_says_it(text):
    assert says(text, text) == bool(spoken(text))


@given(st.text("abcdefgh ijklmno"))
def test_case_does_not_matter(text):
    assert tokens(text.upper()) == tokens(text)
    assert spoken(text.upper()) == spoken(text)
