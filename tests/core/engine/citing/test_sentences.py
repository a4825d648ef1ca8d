import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.engine.citing.sentences import MAX_SENTENCE_CHARS, Sentences, split_sentences


def cut(text, language="en"):
    """Feed `text` word by word."""
    sentences = Sentences(language)
    found = []
    for token in _tokens(text):
        found += sentences.add(token)
    return found + list(sentences.flush())


def _tokens(text):
    token = ""
    for character in text:
        if token and token.isspace() != character.isspace():
            yield token
            token = ""
        token += character
    if token:
        yield token


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One here. Two here.", ["One here.", " Two here."]),
        ("One here! Two here? Three.", ["One here!", " Two here?", " Three."]),
        ("In 1999.[1] Next one.", ["In 1999.[1]", " Next one."]),
        ("In 1999. [1] Next one.", ["In 1999. [1]", " Next one."]),
        ("In 1999. [1] [2] Next one.", ["In 1999. [1] [2]", " Next one."]),
        ("In 1999. [1, 2] Next one.", ["In 1999. [1, 2]", " Next one."]),
        ("In 1999. [1](http://x) Next one.", ["In 1999. [1](http://x)", " Next one."]),
        ("In 1999 [1]. Next one.", ["In 1999 [1].", " Next one."]),
        ("In 1999.[1]Next one.", ["In 1999.[1]", "Next one."]),
        ("In 1999.【1】 Next one.", ["In 1999.【1】", " Next one."]),
        ("One. [sic] Next.", ["One.", " [sic] Next."]),
        ("One. [1", ["One. [1"]),
        (
            'He said "a" and "It is. So." Then left.',
            ['He said "a" and "It is. So."', " Then left."],
        ),
        ('It left the U.S. "Two weeks" it was.', ["It left the U.S.", ' "Two weeks" it was.']),
        ('He said "It is. So then." Then left.', ['He said "It is. So then."', " Then left."]),
        ("He said “It is. So then.” Then left.", ["He said “It is. So then.”", " Then left."]),
        ("One (It is. So then.) two. Three.", ["One (It is. So then.) two.", " Three."]),
        ('One here. "Two here." Three.', ["One here.", ' "Two here."', " Three."]),
        ("**One here.** Two here.", ["**One here.**", " Two here."]),
        ("Dr. Smith met Mr. Jones. They left.", ["Dr. Smith met Mr. Jones.", " They left."]),
        ("It costs approx. five euros. Yes.", ["It costs approx. five euros.", " Yes."]),
        ("See e.g. Figure 2. Next.", ["See e.g. Figure 2.", " Next."]),
        ("Use `a. B` here. Next.", ["Use `a. B` here.", " Next."]),
        ("Use ``a ` b. C`` here. Next.", ["Use ``a ` b. C`` here.", " Next."]),
        ("An open ` tick. Next one.", ["An open ` tick. Next one."]),
        ("これは文です。[1]次の文です。", ["これは文です。[1]", "次の文です。"]),
        ("これは文です。 次の文です。", ["これは文です。", " 次の文です。"]),
        ("これは文です。next one here.", ["これは文です。", "next one here."]),
        ("。 次の文です。", ["。", " 次の文です。"]),
        ("Wait… Next one.", ["Wait… Next one."]),
        ("  ", []),
        ("", []),
    ],
)
def test_sentences_end_where_they_end(text, sentences):
    assert cut(text) == sentences


def test_an_unknown_language_is_read_as_english():
    assert cut("One here. Two here.", "tlh") == ["One here.", " Two here."]


def test_a_quotation_that_never_ends_does_not_swallow_everything():
    text = 'He said "' + "word " * 250 + "end. Next one. And more."

    assert cut(text)[1:] == [" Next one.", " And more."]


def test_a_quotation_is_waited_for_as_long_as_is_likely():
    longest = '"' + "x" * 998 + "."

    assert cut(f'{longest} Next one."') == [f'{longest} Next one."']
    assert cut(f'"x{longest[1:]} Next one.') == [f'"x{longest[1:]}', " Next one."]


def test_an_endless_sentence_is_cut_at_its_last_blank():
    assert cut("word " * 1000) == ["word " * 800, "word " * 199 + "word"]
    assert cut("a" * 2500 + " " + "b" * 2000) == ["a" * 2500 + " ", "b" * 2000]


def test_an_endless_sentence_is_cut_behind_a_mark():
    assert cut("a" * 2500 + "[1]" + "b" * 2000) == ["a" * 2500 + "[1]", "b" * 2000]


def test_an_endless_sentence_is_not_cut_near_its_beginning():
    text = "a" * 1500 + " " + "b" * 3000

    assert cut(text) == [text]
    assert cut("a " + "b" * 5000) == ["a " + "b" * 5000]


def test_a_sentence_is_cut_as_soon_as_it_is_too_long():
    assert list(Sentences("en").add("x" * MAX_SENTENCE_CHARS)) == ["x" * MAX_SENTENCE_CHARS]


def test_sentences_end_as_before_once_one_was_cut():
    text = "word " * 801 + "one here. Two here."

    assert cut(text) == ["word " * 800, "word one here.", " Two here."]


def test_more_marks_than_anybody_writes_do_not_end_a_sentence():
    text = f"これは文です。{'[1]' * 80} 次の文です。"

    assert cut(text) == [text]


@given(st.text(st.sampled_from('ab. !?[1]`"“”()。A'), max_size=60))
def test_nothing_is_lost(text):
    assert "".join(cut(text)).rstrip() == ("" if not text.strip() else text.rstrip())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One here. Two here.", ["One here.", "Two here."]),
        ('One here. "Two here." Three.', ["One here.", '"Two here."', "Three."]),
        (" One.\n\nTwo. ", ["One.", "Two."]),
        ("é à. Ü ö.", ["é à.", "Ü ö."]),
        ("lone \ud800. Next.", ["lone \ud800.", "Next."]),
        ('x (Three. "Two here. One', ["x (Three.", '"Two here.', "One"]),
        ('x (Three. "', ['x (Three. "']),
        ("", []),
        ("  ", []),
    ],
)
def test_stored_text_is_split_with_offsets(text, sentences):
    assert [text[start:end] for start, end in split_sentences(text, "en")] == sentences


@pytest.mark.parametrize("language", ["xx", "", "\ud800"])
def test_a_language_that_nobody_knows_is_read_as_english(language):
    text = "Mr. Smith ran. He hid."

    assert list(split_sentences(text, language)) == list(split_sentences(text, "en"))
