import pytest

import trainings
from citewell.children import ChildFailed
from citewell.training import ExampleKind
from citewell_trl.rows import read_rows

USER, ANSWER = trainings.said("user", "Why?"), trainings.said("assistant", "So.")


def read(tmp_path, kind, *rows):
    return read_rows(trainings.write(tmp_path / "rows.jsonl", rows), kind)


def test_the_last_answer_of_a_chat_is_the_completion(tmp_path):
    (row,) = read(tmp_path, ExampleKind.CHAT, {"messages": [USER, ANSWER, USER, ANSWER]})

    assert row.columns == {"prompt": [USER, ANSWER, USER], "completion": [ANSWER]}


def test_other_keys_are_not_learnt_from(tmp_path):
    vote = {"prompt": [USER], "completion": [ANSWER], "label": False}

    (row,) = read(tmp_path, ExampleKind.VOTE, {**vote, "source": "journal", "line": 3})

    assert row.columns == vote


def test_rows_know_their_lines_past_empty_ones(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('\n{"text": "one"}\n  \n{"text": "two"}\n', encoding="utf-8")

    assert [row.line for row in read_rows(path, ExampleKind.TEXT)] == [2, 4]


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("chat", {"messages": [USER]}, "without an answer"),
        ("chat", {"messages": [ANSWER]}, "without an answer"),
        ("chat", {"messages": []}, "messages is no list of messages"),
        ("chat", {"text": "x"}, "messages is no list of messages"),
        ("chat", {"messages": [{"role": "tool", "content": "x"}, ANSWER]}, r"messages\[0\]\.role"),
        ("chat", {"messages": [USER, {"role": "assistant"}]}, r"messages\[1\]\.content is no text"),
        ("chat", {"messages": ["Why?", ANSWER]}, r"messages\[0\] is no message"),
        ("text", {"text": ""}, "text is no text"),
        ("text", ["x"], "is no JSON object"),
        ("preference", {"prompt": [USER], "chosen": [ANSWER]}, "rejected is no list"),
        ("vote", {"prompt": [USER], "completion": [ANSWER], "label": 1}, "neither true nor false"),
    ],
)
def test_a_row_that_is_none_of_its_kind_is_named_with_its_line(tmp_path, kind, row, said):
    with pytest.raises(ChildFailed, match=rf"rows\.jsonl:1: .*{said}"):
        read(tmp_path, ExampleKind(kind), row)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "holds no examples"), (b"\n\n", "holds no examples"), (b"{", "rows.jsonl:1: is no JSON"),
     (b'{"text": "\xff"}', "no UTF-8")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content, said):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)

    with pytest.raises(ChildFailed, match=said):
        read_rows(path, ExampleKind.TEXT)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ChildFailed, match=r"none\.jsonl: cannot be read: .*check the path"):
        read_rows(tmp_path / "none.jsonl", ExampleKind.TEXT)
