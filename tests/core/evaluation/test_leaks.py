"""A question that stands in tuning data is found, in whatever shape, and others are not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import ConfigError
from citewell.evaluation.leaks import leaks
from citewell.types.evaluation import EvalItem

QUESTION = "How many days of parental leave does every employee have in Berlin?"


def items(*questions):
    return [EvalItem(id=str(at), question=one, answers=("x",)) for at, one in enumerate(questions)]


def found(tmp_path, content, name="tuning.jsonl", questions=(QUESTION,)):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    return leaks(items(*questions), [file])


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.jsonl", '{"a": 1}\n' + json.dumps({"messages": [{"content": QUESTION}]}), 2),
        ("a.jsonl", json.dumps({"prompt": f"Context: leave.\n\n{QUESTION}", "completion": ""}), 1),
        ("a.jsonl", json.dumps({"instruction": f"Answer. {QUESTION} Be short."}), 1),
        ("a.jsonl", f"{{broken {QUESTION}", 1),
        ("a.json", '[\n {"input": "a"},\n {"input": "' + QUESTION + '"}\n]', 3),
        ("a.csv", f'prompt,completion\n"a\nb",c\n"{QUESTION}",28\n', 4),
        ("a.txt", f"one\ntwo\n{QUESTION.upper()}\n", 3),
        ("a.md", f"\ufeff{QUESTION}", 1),
        ("a.txt", QUESTION.replace("Berlin", "\u201eBerlin\u2019s\u201c"), 1),
    ],
)
def test_a_question_is_found_word_for_word(tmp_path, name, content, line):
    (leak,) = found(tmp_path, content, name)

    assert (leak.id, leak.line, leak.similarity) == ("0", line, 1.0)
    assert leak.file.name == name


def test_a_question_in_other_words_is_found_with_its_likeness(tmp_path):
    other = "In Berlin, how many days of parental leave has every employee?"

    (leak,) = found(tmp_path, json.dumps({"prompt": other}))

    assert 0.9 <= leak.similarity < 1
    assert leak.text == other


@pytest.mark.parametrize(
    "text",
    [
        "How many days of sick leave are there?",
        "parental leave",
        "Every employee in Berlin is told how leave is asked for, and many days go by.",
        "",
    ],
)
def test_what_is_not_alike_is_no_leak(tmp_path, text):
    assert found(tmp_path, json.dumps({"prompt": text})) == []


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        (
            "When was the old library in Bonn founded by Anna Weber?",
            "When was the old library in Essen founded by Anna Weber?",
        ),
        (
            "How many days of paid leave does the policy of 2023 grant to us?",
            "How many days of paid leave does the policy of 2024 grant to us?",
        ),
    ],
)
def test_another_name_or_number_asks_for_something_else(tmp_path, asked, other):
    (tmp_path / "a.txt").write_text(other + "\n" + asked.lower().replace("?", " please?"))

    found = leaks([EvalItem(id="q", question=asked)], [tmp_path / "a.txt"])

    assert [one.line for one in found] == [2]


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        (
            "How long is the Warranty Period for Premium Phones of our shop?",
            "How long is the warranty period for the premium phone of our shop?",
        ),
        (
            "Wie lange gilt die Garantie der alten Geräte in unserem Laden?",
            "Wie lange gilt die Garantie für alte Gerät in unserem Laden?",
        ),
    ],
)
def test_a_name_in_another_form_is_the_same(tmp_path, asked, other):
    (tmp_path / "a.txt").write_text(other, encoding="utf-8")

    assert leaks([EvalItem(id="q", question=asked)], [tmp_path / "a.txt"])


def test_a_long_text_that_happens_to_hold_all_words_is_no_leak(tmp_path):
    words = QUESTION.rstrip("?").split()
    text = " ".join(f"{word} and some more that nobody asked for" for word in words)

    assert found(tmp_path, json.dumps({"completion": text})) == []


def test_a_file_in_which_no_text_could_be_found_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")

    with pytest.raises(ConfigError, match=r"is no text; .* citewell data merge .*a\.jsonl"):
        leaks([EvalItem(id="q", question="Is it found?")], [tmp_path / "a.parquet"])


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        leaks(items(QUESTION), [tmp_path / "none.jsonl"])


@given(
    questions=st.lists(st.text(min_size=1).filter(lambda text: any(map(str.isalnum, text)))),
    around=st.text(alphabet="abc .\n", max_size=20),
)
def test_a_question_alone_in_a_text_is_always_found(tmp_path_factory, questions, around):
    file = tmp_path_factory.mktemp("tuning") / "a.jsonl"
    lines = (json.dumps({"prompt": f"{around} \n {one} \n {around}"}) for one in questions)
    file.write_text("\n".join(lines), encoding="utf-8")

    leaked = {leak.question for leak in leaks(items(*questions), [file]) if leak.similarity == 1}

    assert leaked == set(questions)
