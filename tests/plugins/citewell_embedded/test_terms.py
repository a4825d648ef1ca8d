import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_embedded.terms import LANGUAGES, analyzer, language_key, normalized, query_terms


def indexed(text, language="en"):
    return set(analyzer(language, stemming=True).analyze(normalized(text)))


def asked(text, language="en"):
    return query_terms(text, language, stemming=True)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("36413", "Net sales of $36,413 million"),
        ("36,413", "36413"),
        ("36,413", "36'413"),
        ("$18.0", "18.0 billion"),
        ("3.11", "needs Python 3.11"),
        ("Q3 2023", "in Q3 2023, sales"),
        ("third quarter", "the Q3 report"),
        ("Q3", "in the third fiscal quarter"),
        ("Beyonce", "Beyoncé sang"),
        ("résumé", "resume"),
        ("running", "runs"),
        ("file", "ﬁle"),
        ("cooperation", "co\u00adoperation"),
        ("\uff12\uff10\uff12\uff13", "2023"),
        ("東京", "東京都に行く"),
        ("citewell.toml", "edit `citewell.toml`"),
        ("max chars", "max_chars"),
    ],
)
def test_question_meets_text(question, text):
    assert set(asked(question)) & indexed(text)


def test_whole_numbers_are_terms_beside_their_parts():
    assert asked("36,413") == ["36", "413", "36413"]
    assert "3\ua78f10" in asked("3.10")
    assert "3\ua78f1" not in asked("3.10")


def test_stopwords_are_left_out_unless_there_is_nothing_else():
    assert asked("What is the price of the fox?") == ["price", "fox"]
    assert asked("to be or not to be") == ["to", "be", "or", "not"]
    assert asked("¿?") == []


def test_each_term_is_looked_for_once():
    assert asked("fox Fox foxes FOX") == ["fox"]


def test_languages_have_their_own_stems():
    assert asked("Häuser", "de") == asked("Hauses", "de")
    assert asked("die Katzen und der Hund", "de") == ["katz", "hund"]
    assert asked("running runs", "other") == ["running", "runs"]


@pytest.mark.parametrize(
    ("code", "key"),
    [("en", "en"), ("pt-BR", "pt"), ("DE_at", "de"), ("nb", "no"), ("zh", "other"), ("", "other")],
)
def test_language_codes(code, key):
    assert language_key(code) == key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_can_be_analyzed(language):
    for stemming in (True, False):
        assert analyzer(language, stemming=stemming).analyze("fox 2023")
        assert query_terms("fox 2023", language, stemming=stemming)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_asked_for_meets_itself(text):
    terms = asked(text)

    assert set(terms) <= indexed(text)
    assert len(terms) == len(set(terms))
