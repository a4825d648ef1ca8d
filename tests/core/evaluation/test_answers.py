"""Answers that were paid for are kept, whatever they say."""

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citewell import Outcome
from citewell.errors import CitewellError
from citewell.evaluation.answers import Key, open_answers, question_key
from citewell.types.evaluation import Response

KEY = Key("question", "arm")


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_kept_as_it_is(tmp_path, text):
    response = Response(outcome=Outcome.ANSWERED, output=text, text=text)
    with open_answers(tmp_path / "answers.sqlite") as answers:
        answers.add(KEY, response)

        assert answers.get(KEY) == response


def test_half_a_character_is_replaced_and_the_answer_kept(tmp_path):
    with open_answers(tmp_path / "answers.sqlite") as answers:
        answers.add(KEY, Response(outcome=Outcome.ANSWERED, output="half \ud83d of it"))

        assert answers.get(KEY).output == "half \ufffd of it"


def test_what_was_kept_is_there_when_the_file_is_opened_again(tmp_path):
    response = Response(outcome=Outcome.REFUSED)
    with open_answers(tmp_path / "eval" / "answers.sqlite") as answers:
        answers.add(KEY, response)

    with open_answers(tmp_path / "eval" / "answers.sqlite") as answers:
        assert answers.get(KEY) == response
        assert answers.get(Key("question", "another arm")) is None


def test_an_answer_that_cannot_be_read_is_as_none(tmp_path):
    path = tmp_path / "answers.sqlite"
    with open_answers(path) as answers:
        answers.add(KEY, Response(outcome=Outcome.ANSWERED))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answers SET response = '{'")

    with open_answers(path) as answers:
        assert answers.get(KEY) is None


@pytest.mark.parametrize("content", [b"no database at all", b"\0" * 5000])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(content)

    refused = pytest.raises(CitewellError, match="holds no answers of an evaluation")
    with refused, open_answers(path):
        pass


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "answers.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")

    with pytest.raises(CitewellError, match="is of a newer Citewell"), open_answers(path):
        pass


def test_a_variant_is_another_question():
    assert question_key("Why?") != question_key("Why?", variant="swapped")
