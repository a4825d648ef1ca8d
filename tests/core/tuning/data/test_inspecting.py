"""What a file holds beyond its form: too long, twice, secret, or in what a model is tested with."""

import json

import pytest
from msgspec.structs import replace

from citewell.errors import ConfigError
from citewell.evaluation.questions import save_questions
from citewell.tuning.data.cleaning import clean
from citewell.tuning.data.inspecting import Limits, asked_in, between, by_concern, inspect
from citewell.tuning.data.lengths import counter, measured
from citewell.tuning.data.loading import load
from citewell.tuning.data.private import Private
from citewell.tuning.data.problems import Concern
from citewell.types.evaluation import EvalItem

LIMITS = Limits(count=counter(None), is_near=True)


def quiet(*_):
    pass


@pytest.fixture
def loaded(tmp_path):
    """Return a function that writes rows into a file and reads it."""

    def read(*rows, name="train.jsonl"):
        file = tmp_path / name
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return load(file)

    return read


def row(asked, answer, *documents):
    return {"prompt": asked, "completion": answer, "documents": [*documents]}


ROWS = [
    row(f"What is thing {n}?", f"Thing {n} is number {n} of all.", f"{n}.md") for n in range(30)
]


def said(problems, concern):
    return {one.line: one.text for one in problems if one.concern is concern}


def test_a_sound_file_has_no_problem(loaded):
    with Private() as private:
        assert inspect(loaded(*ROWS), replace(LIMITS, private=private, context=99), quiet) == []


def test_what_is_longer_than_the_context_is_told(loaded):
    found = inspect(loaded(*ROWS, row("q", "long " * 200)), replace(LIMITS, context=100), quiet)

    (text,) = said(found, Concern.LENGTH).values()
    assert "line 31: has 260 tokens; expected at most 100" in text


def test_tokens_are_those_of_a_tokenizer(loaded, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    (example,) = loaded(row("a a a", "a a")).examples

    assert counter(tmp_path)(example) == counter(tmp_path / "tokenizer.json")(example) == 5 + 10


def test_what_stands_there_twice_is_told_with_both_lines(loaded):
    found = inspect(loaded(*ROWS, ROWS[4]), LIMITS, quiet)

    assert "line 31: says what line 5 says" in said(found, Concern.DUPLICATE)[31]
    assert not any(one.is_error for one in found)


def test_a_secret_is_an_error_and_an_address_a_warning(loaded):
    key, address = "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "bob@acme.de"
    with Private() as private:
        found = inspect(
            loaded(*ROWS, row("key?", key), row("who?", address)),
            replace(LIMITS, private=private),
            quiet,
        )

    assert {(one.line, one.field, one.is_error) for one in found} == {
        (31, "messages[1]", True),
        (32, "messages[1]", False),
    }
    assert not any(key in one.text or address in one.text for one in found)


def test_a_file_with_few_examples_is_told(loaded):
    assert said(inspect(loaded(*ROWS[:5]), LIMITS, quiet), Concern.NUMBER)


def test_what_validates_must_not_be_trained_on(loaded):
    train = loaded(*ROWS)
    other = loaded(
        row("What is thing 3?", "Thing 3 is number 3 of all.", "x.md"),
        row("Something else?", "Yes.", "7.md"),
        name="valid.jsonl",
    )

    found = said(between(train, other, LIMITS, quiet), Concern.LEAK)

    assert sorted(found) == [4, 8]
    assert f"says what {other.path}, line 1 says" in found[4]
    assert f"is of the document 7.md, as rows of {other.path} are" in found[8]


def test_a_question_of_an_evaluation_must_not_be_trained_on(loaded, tmp_path):
    questions = tmp_path / "questions.jsonl"
    asked = "Where does the red lamp stand?"
    save_questions(questions, [EvalItem(question=asked, answers=("There",))])

    found = said(asked_in(loaded(*ROWS, row(asked, "There.")), questions), Concern.LEAK)

    assert [*found] == [31]
    assert f'asks "{asked}", a question of' in found[31]


def test_a_leak_is_found_in_a_table_too(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    asked = "Where does the red lamp stand?"
    rows = [*ROWS, row(asked, "There.")]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet", compression="zstd")
    save_questions(tmp_path / "questions.jsonl", [EvalItem(question=asked, answers=("There",))])

    found = asked_in(load(tmp_path / "a.parquet"), tmp_path / "questions.jsonl")

    assert [one.line for one in found] == [31]


def test_a_secret_in_a_name_is_found(loaded):
    key = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    with Private() as private:
        found = inspect(loaded(*ROWS, row("q", "a", key)), replace(LIMITS, private=private), quiet)

    assert [(one.line, one.field, one.concern) for one in found] == [
        (31, "documents", Concern.SECRET)
    ]


def test_a_tokenizer_that_cuts_counts_all(loaded, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.enable_truncation(2)
    words.enable_padding(length=99)
    words.save(str(tmp_path / "tokenizer.json"))
    (example,) = loaded(row("a a a", "a a")).examples

    assert counter(tmp_path)(example) == 5 + 10


def test_a_tokenizer_that_cannot_count_is_named(loaded, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0}, unk_token="?"))
    words.save(str(tmp_path / "tokenizer.json"))
    (example,) = loaded(row("b", "b")).examples

    with pytest.raises(ConfigError, match="cannot count the tokens of a text"):
        counter(tmp_path)(example)


def test_problems_are_counted_by_what_they_are_about(loaded):
    found = inspect(loaded(*ROWS[:5], ROWS[0]), LIMITS, quiet)

    assert by_concern(found) == {Concern.DUPLICATE: 1, Concern.NUMBER: 1}


def test_cleaning_leaves_what_nothing_is_wrong_with(loaded):
    dirty = loaded(
        *ROWS,
        ROWS[3],
        row(" padded ", "a\u0007b\r\n"),
        row("key?", "AKIAIOSFODNN7EXAMPLE"),
        {"prompt": "q", "completion": 3},
        row("who?", "bob@acme.de"),
        row("q", "long " * 200),
    )
    with Private() as private:
        cleaned = clean(dirty, replace(LIMITS, private=private, context=100), keeps_personal=False)

    assert [one.line for one in cleaned.examples] == [*range(1, 31), 32]
    assert [one.content for one in cleaned.examples[-1].messages] == ["padded", "ab"]
    assert cleaned.mended == 1
    assert {one.line: one.concern for one in cleaned.dropped} == {
        31: Concern.DUPLICATE,
        33: Concern.SECRET,
        34: Concern.FIELD,
        35: Concern.PERSONAL,
        36: Concern.LENGTH,
    }


def test_cleaning_leaves_no_secret_in_a_name(loaded):
    dirty = loaded(*ROWS, row("q", "a", "AKIAIOSFODNN7EXAMPLE"))
    with Private() as private:
        cleaned = clean(dirty, replace(LIMITS, private=private))

    assert [(one.line, one.concern) for one in cleaned.dropped] == [(31, Concern.SECRET)]


def test_lengths_fall_into_bins_that_hold_them_all():
    lengths = measured([1, 2, 3, 50, 100])

    assert (lengths.shortest, lengths.p50, lengths.longest, lengths.total) == (1, 3, 100, 156)
    assert sum(number for _, number in lengths.bins) == 5
    assert lengths.bins[0] == (10, 3)
    assert lengths.bins[-1] == (100, 1)
    assert measured([]) is None
    assert measured([7]).bins == ((7, 1),)
