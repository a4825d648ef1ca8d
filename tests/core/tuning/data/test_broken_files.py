"""Each broken file is told with its line, its field, what was expected and what mends it."""

import json

import pytest
from click.testing import CliRunner

from citewell.cli.main import cli
from citewell.errors import ConfigError
from citewell.tuning.data.loading import load

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def lines(*values):
    return "".join(
        (one if isinstance(one, str) else json.dumps(one, ensure_ascii=True)) + "\n"
        for one in values
    ).encode()


def chat(*said):
    return {"messages": [{"role": role, "content": content} for role, content in said]}


USER, BOT = ("user", "Hi"), ("assistant", "Hello")
DEEP = "[" * 100_000

# Name of the file, its content, the line, the field, and what must be said.
BROKEN = {
    "nothing": ("a.jsonl", b"", 0, "", "holds no example; expected one a line: write some"),
    "blank lines": ("a.jsonl", b"\n \n\t\n", 0, "", "holds no example"),
    "no suffix": ("train", lines(GOOD), 0, "", "has no suffix; expected one of .jsonl"),
    "other suffix": ("a.xlsx", b"PK\x03\x04", 0, "", 'ends with ".xlsx"'),
    "compressed": ("a.jsonl", b"\x1f\x8b\x08\x00", 0, "", "is compressed (gzip)"),
    "zipped": ("a.csv", b"PK\x03\x04rest", 0, "", "is compressed (zip)"),
    "utf-16": ("a.jsonl", json.dumps(GOOD).encode("utf-16"), 0, "", "is UTF-16 text"),
    "latin-1": (
        "a.jsonl",
        lines(GOOD) + b'{"text": "caf\xe9"}\n',
        2,
        "",
        "is not UTF-8 text; expected that encoding: save the file with it",
    ),
    "cut off": ("a.jsonl", lines(GOOD, '{"messages": ['), 2, "", "is no JSON"),
    "python": ("a.jsonl", lines("{'messages': []}"), 1, "", "put double quotes around names"),
    "an array": ("a.jsonl", b'[\n{"text": "a"}\n]', 1, "", "name the file .json"),
    "a list": ("a.jsonl", lines(GOOD, [1]), 2, "", "is a list; expected a JSON object"),
    "a text": ("a.jsonl", lines(GOOD, '"x"'), 2, "", "is a text; expected a JSON object"),
    "null": ("a.jsonl", lines(GOOD, "null"), 2, "", "is null; expected a JSON object"),
    "not a number": ("a.jsonl", lines('{"text": NaN}'), 1, "", "is no JSON"),
    "nested": ("a.jsonl", lines(GOOD, DEEP), 2, "", "is no JSON"),
    "nested array": ("a.json", b'[{"text": ' + DEEP.encode(), 1, "", "is no JSON"),
    "lines named json": ("a.json", lines(GOOD, GOOD), 0, "", "name it .jsonl"),
    "two arrays": (
        "a.json",
        b'[{"text": "a"}]\n[{"text": "b"}]',
        1,
        "",
        "is followed by something else",
    ),
    "an object": ("a.json", b'{\n"a": 1}', 0, "", "is no JSON array"),
    "empty json": ("a.json", b" ", 0, "", "holds nothing"),
    "no comma": ("a.json", b'[{"text": "a"}\n{"text": "b"}]', 2, "", "is not followed by a comma"),
    "open array": ("a.json", b'[{"text": "a"},\n', 2, "", "is no JSON"),
    "number in array": ("a.json", b'[{"text": "a"},\n 7]', 2, "", "is a number"),
    "unknown form": (
        "a.jsonl",
        lines({"question": "q", "answer": "a"}),
        1,
        "",
        "rename question to prompt and answer to completion",
    ),
    "misspelt": ("a.jsonl", lines({"mesages": []}), 1, "", "rename mesages to messages"),
    "no field": ("a.jsonl", lines({}), 1, "", "has no field; expected one of these forms"),
    "two forms": (
        "a.jsonl",
        lines(GOOD, {"instruction": "do", "output": "done"}),
        2,
        "",
        "is instruction+output; expected messages, as the rows before",
    ),
    "messages are text": ("a.jsonl", lines({"messages": "Hi"}), 1, "messages", "is a text"),
    "message is text": ("a.jsonl", lines({"messages": ["Hi"]}), 1, "messages[0]", "is a text"),
    "no message": ("a.jsonl", lines({"messages": []}), 1, "messages", "is empty"),
    "unknown role": (
        "a.jsonl",
        lines(GOOD, chat(("usr", "Hi"), BOT)),
        2,
        "messages[0].role",
        '"usr" is no role; expected system, user or assistant: write user',
    ),
    "no role": (
        "a.jsonl",
        lines({"messages": [{"content": "Hi"}]}),
        1,
        "messages[0].role",
        "is missing",
    ),
    "role is number": ("a.jsonl", lines(chat((3, "Hi"))), 1, "messages[0].role", "is a number"),
    "tool": (
        "a.jsonl",
        lines(chat(USER, ("tool", "42"), BOT)),
        1,
        "messages[1].role",
        "is a call of a tool",
    ),
    "no content": (
        "a.jsonl",
        lines({"messages": [{"role": "user"}]}),
        1,
        "messages[0].content",
        "is missing; expected a text",
    ),
    "null content": (
        "a.jsonl",
        lines(chat(USER, ("assistant", None))),
        1,
        "messages[1].content",
        "is missing",
    ),
    "an image": (
        "a.jsonl",
        lines(chat(("user", [{"type": "image_url", "image_url": "x"}]), BOT)),
        1,
        "messages[0].content[0]",
        "is of the type image_url; expected text alone",
    ),
    "deep parts": (
        "a.jsonl",
        lines(chat(("user", [{"type": "text", "text": [{"type": "text", "text": []}]}]), BOT)),
        1,
        "messages[0].content[0].text",
        "is a list; expected a text",
    ),
    "assistant first": (
        "a.jsonl",
        lines(chat(BOT, USER, BOT)),
        1,
        "messages[0].role",
        "the assistant begins",
    ),
    "twice the user": (
        "a.jsonl",
        lines(chat(USER, USER, BOT)),
        1,
        "messages[1].role",
        "user follows user; expected user and assistant in turn",
    ),
    "late system": (
        "a.jsonl",
        lines(chat(USER, BOT, ("system", "Be kind."), USER, BOT)),
        1,
        "messages[2].role",
        "system is not first",
    ),
    "no answer": (
        "a.jsonl",
        lines(chat(USER, BOT, USER)),
        1,
        "messages[2].role",
        "the last message is the user's; expected an answer of the assistant at the end",
    ),
    "blank answer": (
        "a.jsonl",
        lines(GOOD, chat(USER, ("assistant", " \n"))),
        2,
        "messages[1]",
        "is empty; expected a text",
    ),
    "control character": (
        "a.jsonl",
        lines(chat(("user", "a\x07b"), BOT)),
        1,
        "messages[0]",
        "holds the control character U+0007",
    ),
    "hidden direction": (
        "a.jsonl",
        lines(chat(("user", "a\u202eb"), BOT)),
        1,
        "messages[0]",
        "holds the control character U+202E",
    ),
    "hidden tags": (
        "a.jsonl",
        lines(chat(("user", "a\U000e0041b"), BOT)),
        1,
        "messages[0]",
        "holds the control character U+E0041",
    ),
    "lost characters": (
        "a.jsonl",
        lines(chat(("user", "caf\ufffd"), BOT)),
        1,
        "messages[0]",
        "stands for characters that were lost",
    ),
    "end of a turn": (
        "a.jsonl",
        lines(chat(USER, ("assistant", "Hello<|im_end|>"))),
        1,
        "messages[1]",
        "holds <|im_end|>, which ends a turn",
    ),
    "conversation role": (
        "a.jsonl",
        lines({"conversations": [{"from": "humen", "value": "Hi"}]}),
        1,
        "conversations[0].from",
        "write user",
    ),
    "instruction is list": (
        "a.jsonl",
        lines({"instruction": ["do"], "output": "done"}),
        1,
        "instruction",
        "is a list; expected a text",
    ),
    "output is number": (
        "a.jsonl",
        lines({"instruction": "do", "output": 4}),
        1,
        "output",
        "is a number; expected a text",
    ),
    "vote is a word": (
        "a.jsonl",
        lines({"prompt": "q", "completion": "a", "label": "maybe"}),
        1,
        "label",
        'is "maybe"; expected true or false',
    ),
    "vote is a list": (
        "a.jsonl",
        lines({"prompt": "q", "completion": "a", "label": [1]}),
        1,
        "label",
        "is a list; expected true or false",
    ),
    "half a character": (
        "a.json",
        b'[{"text": "a", "documents": ["\\ud800"]}]',
        1,
        "documents",
        "holds a control character",
    ),
    "same answers": (
        "a.jsonl",
        lines({"prompt": "q", "chosen": "a b", "rejected": "a  b"}),
        1,
        "rejected",
        "says what chosen says",
    ),
    "preference of messages": (
        "a.jsonl",
        lines({"prompt": "q", "chosen": [{"role": "user", "content": "a"}], "rejected": "b"}),
        1,
        "chosen",
        "is not the assistant's",
    ),
    "prompt ends with an answer": (
        "a.jsonl",
        lines(
            {"prompt": chat(USER, BOT)["messages"], "completion": "a", "label": True},
        ),
        1,
        "prompt[1].role",
        "what is answered ends with the assistant",
    ),
    "documents are numbers": (
        "a.jsonl",
        lines(GOOD | {"documents": [1, 2]}),
        1,
        "documents",
        "expected a list of names",
    ),
    "too many fields": (
        "a.csv",
        b"prompt,completion\nq,a,b\n",
        2,
        "",
        "has 3 fields; expected 2, as the header",
    ),
    "half a row": ("a.csv", b"prompt,completion\nq\n", 2, "", "has prompt; expected one of"),
    "empty table": ("a.csv", b"", 0, "", "holds nothing; expected a header and rows"),
    "open quote": ("a.csv", b'prompt,completion\n"q,a\n', 2, "", "is no row of a table"),
    "column twice": (
        "a.csv",
        b"prompt,completion,prompt\nq,a,b\n",
        1,
        "prompt",
        "is the name of two columns",
    ),
    "header alone": ("a.csv", b"prompt,completion\n", 0, "", "holds no example"),
    "latin-1 table": ("a.csv", b"prompt,completion\ncaf\xe9,a\n", 2, "", "is not UTF-8 text"),
    "no parquet": ("a.parquet", b"PAR0 nothing", 0, "", "is no Parquet file"),
}


def test_there_are_at_least_forty():
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_told_with_its_place_and_its_fix(case, tmp_path):
    name, content, line, field, said = BROKEN[case]
    file = tmp_path / name
    file.write_bytes(content)

    loaded = load(file)

    (problem, *_) = loaded.errors
    assert (problem.line, problem.field) == (line, field)
    assert problem.file == file
    assert problem.expected
    assert problem.fix
    assert said in problem.text
    assert f"{file}: " in problem.text
    assert "\n" not in problem.text


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("command", ["split", "merge"])
def test_of_a_broken_file_nothing_is_written(case, command, tmp_path):
    name, content, *_, said = BROKEN[case]
    file = tmp_path / name
    file.write_bytes(content)
    out = [str(tmp_path / "out.jsonl")] if command == "merge" else []

    result = CliRunner().invoke(cli, ["data", command, str(file), *out])

    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_bytes() == content


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_cleaned_of_what_is_wrong(case, tmp_path):
    name, content, line, _, said = BROKEN[case]
    file, out = tmp_path / name, tmp_path / "out.jsonl"
    file.write_bytes(content)
    is_read = load(file).broken_off is None
    arguments = ["data", "clean", str(file), str(out), "--no-private", "--no-near", "--json"]

    result = CliRunner().invoke(cli, arguments)

    assert file.read_bytes() == content
    if not is_read:
        # What was not read must not be lost without a word.
        assert isinstance(result.exception, ConfigError)
        assert said in str(result.exception)
        assert not out.exists()
        return
    found = json.loads(result.stdout)
    is_mended = out.exists() and found["mended"]
    assert out.exists() == (found["examples"] > 0)
    assert (line or None) in {one["line"] for one in found["dropped"]} or is_mended
    assert not out.exists() or not load(out).errors


def test_what_stands_behind_a_broken_place_is_not_lost_without_a_word(tmp_path):
    rows = [json.dumps({"text": f"text {number}"}) for number in range(100)]
    file = tmp_path / "a.json"
    file.write_text("[" + ",\n".join(rows[:5]) + "\n" + ",\n".join(rows[5:]) + "]")

    result = CliRunner().invoke(cli, ["data", "clean", str(file), str(tmp_path / "b.jsonl")])

    assert "line 6: is not followed by a comma" in str(result.exception)
    assert "nothing behind it was read" in str(result.exception)
    assert [*tmp_path.iterdir()] == [file]
