import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_postgres.rows import loaded_text, stored_text
from citewell_postgres.words import (
    MAX_WORD_CHARS,
    SIMPLE,
    asked,
    configuration_for,
    counted,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Paid 36,413 by 1.2.2024", ["paid", "36", "413", "36413", "by", "1", "2", "2024"]),
        ("Beyonc\u00e9's r\u00e9sum\u00e9", ["beyonce", "s", "resume"]),
        ("\u6771\u4eac\u90fd", ["\u6771\u4eac", "\u4eac\u90fd"]),
        ("snake_case and/or e-mail", ["snake", "case", "and", "or", "e", "mail"]),
        ("zero\u200bwidth \ufb01ne", ["zerowidth", "fine"]),
        ("nul\0inside \ud800", ["nul", "inside"]),
        ("the third quarter", ["the", "q3"]),
        ("x" * (MAX_WORD_CHARS + 1), []),
    ],
)
def test_a_question_becomes_words(text, words):
    found = asked(text, "english")

    assert [word for word in found if "\ua78f" not in word] == words


def test_a_passage_has_a_quarter_by_both_its_names():
    assert counted("Third quarter", "english") == {"third": 1, "quarter": 1, "q3": 1}


def test_accents_stay_for_a_stemmer_that_knows_them():
    assert asked("d\u00e9j\u00e0", "french") == ["d\u00e9j\u00e0"]
    assert asked("d\u00e9j\u00e0", SIMPLE) == ["deja"]


@pytest.mark.parametrize(
    ("language", "configuration"),
    [("en", "english"), ("pt-BR", "portuguese"), ("nb", "norwegian"), ("zz", SIMPLE), ("", SIMPLE)],
)
def test_a_language_has_its_configuration(language, configuration):
    available = {"english", "portuguese", "norwegian"}

    assert configuration_for(language, available) == configuration
    assert configuration_for("de", available) == SIMPLE


@given(ANY_TEXT)
def test_any_text_becomes_words_that_the_server_can_be_asked_about(text):
    for configuration in ("english", "german", SIMPLE):
        for word in (*asked(text, configuration), *counted(text, configuration)):
            assert word.encode()
            assert "\0" not in word


@given(ANY_TEXT)
def test_any_text_comes_back_as_it_was(text):
    stored = stored_text(text)

    assert stored.encode().decode() == stored
    assert "\0" not in stored
    assert loaded_text(stored) == text
