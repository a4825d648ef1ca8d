"""The file of labels: each is kept at once, none is lost, and what is wrong is said by line."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import CitewellError, ConfigError, Outcome, Response
from citewell.evaluation.labels import (
    Label,
    add_label,
    load_labels,
    take_back,
    text_hash,
    verdicts,
)

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
WHOLE = st.text(st.characters(exclude_categories=["Cs"]))
HASH = text_hash(Response(outcome=Outcome.ANSWERED, text="28 days."))


def label(question="How long?", verdict="right", **changed):
    values = {"question": question, "text_hash": HASH, "verdict": verdict, "who": "ann", "at": AT}
    return Label(**values | changed)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "labels.jsonl"


def written(file, *lines):
    file.write_bytes(b"".join(line if isinstance(line, bytes) else line.encode() for line in lines))


def line_of(**changed):
    values = {"question": "a", "text_hash": HASH, "verdict": "right", "who": "ann", "at": str(AT)}
    return json.dumps(values | changed) + "\n"


def test_without_a_file_there_is_no_label(file):
    assert load_labels(file) == []


def test_a_label_is_read_as_it_was_kept_and_says_all_there_is_to_say(file):
    add_label(file, label())
    add_label(file, label(verdict="wrong", who="bob"))

    assert load_labels(file) == [label(), label(verdict="wrong", who="bob")]
    assert json.loads(file.read_text().splitlines()[0]) == {
        "question": "How long?",
        "text_hash": HASH,
        "verdict": "right",
        "who": "ann",
        "at": "2026-11-30T12:00:00Z",
    }


@given(WHOLE.filter(bool), WHOLE)
def test_any_question_and_any_name_come_back(tmp_path_factory, question, who):
    file = tmp_path_factory.mktemp("labels") / "labels.jsonl"
    kept = label(question, who=who)

    add_label(file, kept)

    assert load_labels(file) == [kept]
    assert file.read_bytes().count(b"\n") == 1


def test_a_line_that_somebody_left_open_is_not_written_on(file):
    written(file, line_of().rstrip())

    add_label(file, label())

    assert len(load_labels(file)) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: input data was truncated"),
        ("[]", "line 2: expected `object`, got `array`"),
        ("{}", "line 2: object missing required field `question`"),
        (line_of(verdict="maybe"), "line 2: invalid enum value 'maybe'"),
        (line_of(verdict=None), "line 2: expected `str`, got `null`"),
        (line_of(text_hash="28 days"), "line 2: expected `str` matching regex"),
        (line_of(at="yesterday"), "line 2: invalid RFC3339 encoded datetime"),
        (line_of(at="2026-11-30T12:00:00"), "line 2: expected `datetime` with a timezone"),
        (line_of(question=""), "line 2: expected `str` of length >= 1"),
        (line_of(score=1), "line 2: object contains unknown field `score`"),
        (b"\xff\n", "line 2: is not UTF-8 text"),
        ("[" * 100_000, "line 2:"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_lost(file, line, said):
    written(file, line_of(), line)
    before = file.read_bytes()

    with pytest.raises(ConfigError, match=r"labels\.jsonl: line 2") as error:
        load_labels(file)

    assert said in str(error.value)
    assert file.read_bytes() == before


def test_of_many_wrong_lines_the_first_are_named(file):
    written(file, *["{\n"] * 9)

    with pytest.raises(ConfigError) as error:
        load_labels(file)

    lines = str(error.value).splitlines()
    assert len(lines) == 6
    assert "4 more lines like these" in lines[-1]


def test_blank_lines_and_foreign_line_ends_do_no_harm(file):
    written(file, b"\xef\xbb\xbf", line_of().rstrip(), "\r\n\r\n", line_of(who="bob"))

    assert [one.who for one in load_labels(file)] == ["ann", "bob"]


def test_what_cannot_be_read_or_written_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        load_labels(tmp_path)
    with pytest.raises(CitewellError, match="cannot be written: Is a directory"):
        add_label(tmp_path, label())
    with pytest.raises(CitewellError, match="cannot be written: No such file"):
        add_label(tmp_path / "none" / "labels.jsonl", label())


def test_the_last_label_of_a_person_is_taken_back_and_every_other_byte_stays(file):
    first, second, other = line_of(), line_of(verdict="wrong"), line_of(who="bob")
    written(file, first, "\n", second, other, "no label\n")

    take_back(file, ("a", HASH), who="ann")
    assert file.read_bytes() == (first + "\n" + other + "no label\n").encode()

    take_back(file, ("a", HASH), who="ann")
    take_back(file, ("a", HASH), who="ann")
    assert file.read_bytes() == ("\n" + other + "no label\n").encode()


def test_a_label_is_on_the_disk_before_the_process_can_die(file):
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from citewell.evaluation.labels import add_label, load_labels\n"
        "path = Path(sys.argv[1])\n"
        "add_label(path, load_labels(path)[0])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    add_label(file, label())

    done = subprocess.run([sys.executable, "-c", code, str(file)], check=False)

    assert done.returncode == -9
    assert load_labels(file) == [label(), label()]


# --- what a label is about -------------------------------------------------------------------


def test_a_text_has_one_name_whichever_arm_and_whatever_the_blank_space_around_it():
    one = Response(outcome=Outcome.ANSWERED, text="28 days.", model="tuned", cost=1.0)
    other = Response(outcome=Outcome.UNSOURCED, text=" 28 days.\n")

    assert text_hash(one) == text_hash(other)
    assert text_hash(one) != text_hash(Response(outcome=Outcome.ANSWERED, text="29 days."))


def test_refusals_are_one_text_and_failures_are_none():
    refusal = Response(outcome=Outcome.REFUSED)
    assert text_hash(refusal) == text_hash(Response(outcome=Outcome.REFUSED, text="no"))
    assert text_hash(refusal) != HASH
    assert text_hash(Response(outcome=Outcome.FAILED, text="28 days.")) is None
    assert text_hash(Response(outcome=Outcome.ANSWERED, text=" \n")) is None


def test_what_a_person_said_last_counts_and_of_several_the_most():
    subject = ("How long?", HASH)

    assert verdicts([label(), label(verdict="wrong")]) == {subject: False}
    assert verdicts([label(), label(verdict="wrong", who="bob")]) == {}
    votes = [label(), label(verdict="wrong", who="bob"), label(who="cas"), label(who="cas")]
    assert verdicts(votes) == {subject: True}
