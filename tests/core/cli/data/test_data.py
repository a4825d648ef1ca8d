"""`citewell data`: what its commands say, write, and leave alone."""

import json

import pytest

from citewell.cli.main import run
from citewell.evaluation.questions import save_questions
from citewell.tuning.data.loading import load
from citewell.types.evaluation import EvalItem

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def row(number, **more):
    messages = [
        {"role": "user", "content": f"What is thing {number}?"},
        {"role": "assistant", "content": f"Thing {number} is number {number} of all."},
    ]
    return {"messages": messages, "documents": [f"{str(number)[-1]}.md"], **more}


ROWS = [row(number) for number in range(40)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder of the test's own, without colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def data(capsys):
    """Return a function that runs a command, and returns its code and what it said."""

    def said(*words):
        code = run(["data", *map(str, words)])
        return code, *capsys.readouterr()

    return said


def write(folder, rows, name="a.jsonl"):
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_sound_file_passes(folder, data):
    write(folder, ROWS)

    code, out, err = data("check", "a.jsonl")

    assert (code, err) == (0, "")
    assert "a.jsonl: 40 sound examples, messages; about " in out
    assert "nothing is wrong" in out


def test_an_error_fails_and_a_warning_only_strictly(folder, data):
    write(folder, [*ROWS, ROWS[3]])
    write(folder, [*ROWS, "{"], "b.jsonl")

    assert data("check", "a.jsonl")[0] == 0
    assert data("check", "a.jsonl", "--strict")[0] == 1
    code, out, _ = data("check", "a.jsonl", "b.jsonl")
    assert code == 1
    assert "warning: a.jsonl: line 41: says what line 4 says" in out
    assert "error: b.jsonl: line 41: is no JSON" in out
    assert "1 error, of: json 1" in out


def test_the_first_problems_are_shown_and_all_of_them_on_demand(folder, data):
    write(folder, ["{"] * 30)

    assert "10 more; see all with --all" in data("check", "a.jsonl")[1]
    assert data("check", "a.jsonl", "--all")[1].count("is no JSON") == 30


def test_what_a_model_is_tested_with_is_not_to_be_learnt(folder, data):
    write(folder, [*ROWS, row("lamp")])
    write(folder, [row(7)], "valid.jsonl")
    save_questions(folder / "q.jsonl", [EvalItem(question="What is thing lamp?", answers=("5",))])

    code, out, _ = data("check", "a.jsonl", "--validation", "valid.jsonl", "--questions", "q.jsonl")

    assert code == 1
    assert "a.jsonl: line 8: says what valid.jsonl, line 1 says" in out
    assert 'a.jsonl: line 41: asks "What is thing lamp?", a question of q.jsonl' in out


def test_a_secret_is_never_shown(folder, data):
    write(folder, [*ROWS, row(SECRET)])

    outputs = [
        *data("check", "a.jsonl", "--all")[1:],
        *data("check", "a.jsonl", "--json")[1:],
        *data("clean", "a.jsonl", "b.jsonl", "--json")[1:],
    ]

    assert not any(SECRET in text for text in outputs)
    assert SECRET not in (folder / "b.jsonl").read_text()


def test_problems_are_data_for_programs(folder, data):
    write(folder, [*ROWS, {"prompt": "q"}])

    code, out, _ = data("check", "a.jsonl", "--json")

    found = json.loads(out)
    assert code == 1
    assert found["schema"] == "citewell.data-check/1"
    (problem,) = found["problems"]
    assert (problem["file"], problem["line"], problem["field"]) == ("a.jsonl", 41, None)
    assert problem["concern"] == "schema"
    assert problem["is_error"]
    assert problem["said"] == "has prompt"
    assert found["files"][0]["examples"] == 40
    assert found["not_looked_for"] == []


def test_a_missing_package_is_named_and_the_rest_is_done(folder, data, monkeypatch):
    write(folder, [*ROWS, ROWS[3]])
    monkeypatch.setattr("citewell.engine.extras.missing_packages", lambda *_: ["datasketch"])

    code, out, err = data("check", "a.jsonl")

    assert code == 0
    assert "line 41: says what line 4 says" in out
    expected = "not looked for: near-duplicates, secrets, personal data"
    assert f'{expected}; run: pip install "citewell[data]"' in err


def test_examples_are_shown_message_by_message(folder, data):
    talk = row(1, origin="handbook 3")
    talk["messages"][0]["content"] = "two\nlines \x1b[31m"
    write(folder, [ROWS[0], talk])

    _, out, err = data("preview", "a.jsonl")

    assert "line 1, of 0.md\n  user\n    What is thing 0?\n  assistant\n    Thing 0" in out
    assert "note: 1 error elsewhere; run: citewell data check a.jsonl" in err
    assert "\x1b" not in out


def test_one_line_can_be_shown(folder, data):
    write(folder, ROWS)

    assert data("preview", "a.jsonl", "--line", "9")[1].startswith("line 9, of 8.md\n")
    code, _, err = data("preview", "a.jsonl", "--line", "99")
    assert code == 1
    assert "line 99 of a.jsonl holds no sound example" in err


def test_a_draw_is_the_same_again(folder, data):
    write(folder, ROWS)

    first, again, other = (
        data("preview", "a.jsonl", "--random", "--seed", seed)[1] for seed in (1, 1, 2)
    )

    assert first == again != other


def test_a_plot_shows_how_long_examples_are(folder, data):
    write(folder, [*ROWS, row("9" * 2000)])

    _, out, _ = data("stats", "a.jsonl")

    assert "of 10 documents; the most from:" in out
    assert "tokens an example, estimated:" in out
    bars = [line for line in out.splitlines() if "━" in line]
    assert bars[0].endswith("  40")
    assert bars[-1].endswith("  1")


def test_statistics_are_data_for_programs(folder, data):
    write(folder, ROWS)

    found = json.loads(data("stats", "a.jsonl", "--json")[1])

    assert (found["form"], found["kind"], found["examples"]) == ("messages", "chat", 40)
    assert found["documents"] == 10
    assert sum(number for _, number in found["tokens"]["bins"]) == 40


def test_what_is_left_out_is_told_with_its_line(folder, data):
    write(folder, [*ROWS, "{", ROWS[2], row("a\x07b")])
    before = (folder / "a.jsonl").read_bytes()

    code, out, _ = data("clean", "a.jsonl", "b.jsonl")

    assert code == 0
    assert "left out: line 41: is no JSON" in out
    assert "left out: line 42: says what line 3 says" in out
    assert "b.jsonl: 41 examples, 1 mended, 2 left out (json 1, duplicate 1)" in out
    assert len(load(folder / "b.jsonl").examples) == 41
    assert (folder / "a.jsonl").read_bytes() == before


def test_where_nothing_is_left_nothing_is_written(folder, data):
    write(folder, ["{", SECRET])

    code, _, err = data("clean", "a.jsonl", "b.jsonl")

    assert code == 1
    assert "nothing of a.jsonl is left; b.jsonl is not written" in err
    assert not (folder / "b.jsonl").exists()


@pytest.mark.parametrize("command", ["clean", "merge"])
def test_a_file_that_is_there_stays(folder, data, command):
    write(folder, ROWS)
    write(folder, ROWS[:1], "b.jsonl")

    code, _, err = data(command, "a.jsonl", "b.jsonl")

    assert code == 1
    assert "b.jsonl is there already; expected a new file" in err
    assert len(load(folder / "b.jsonl").examples) == 1
    assert data(command, "a.jsonl", "b.jsonl", "--force")[0] == 0
    assert len(load(folder / "b.jsonl").examples) == 40


def test_another_suffix_or_folder_is_refused_before_anything_is_read(folder, data):
    write(folder, ROWS)

    assert "expected a name that ends with .jsonl" in data("clean", "a.jsonl", "b.csv")[2]
    assert "there is no folder away" in data("clean", "a.jsonl", "away/b.jsonl")[2]


def test_parts_share_no_document(folder, data):
    write(folder, ROWS)

    code, out, _ = data("split", "a.jsonl", "--validation", "20%", "--test", "10%")

    assert code == 0
    assert "a-train.jsonl: 28 examples (70%) of 7 documents" in out
    parts = [load(folder / f"a-{name}.jsonl") for name in ("train", "validation", "test")]
    assert [len(one.examples) for one in parts] == [28, 8, 4]
    documents = [{name for e in one.examples for name in e.documents} for one in parts]
    assert sum(map(len, documents)) == 10 == len(set().union(*documents))


def test_rows_that_name_no_document_are_not_split(folder, data):
    write(folder, [{"text": f"text {number}", "source": number % 4} for number in range(40)])

    code, _, err = data("split", "a.jsonl")
    assert code == 1
    assert "a.jsonl: line 1: names no document" in err
    assert not (folder / "a-train.jsonl").exists()
    assert data("split", "a.jsonl", "--by", "source", "--validation", "25%")[0] == 0


@pytest.mark.parametrize("share", ["0%", "100%", "-3%", "x"])
def test_a_share_that_leaves_nothing_is_refused(folder, data, share):
    write(folder, ROWS)

    code, _, err = data("split", "a.jsonl", f"--validation={share}")

    assert code == 2
    assert "expected" in err


def test_files_of_several_forms_become_one(folder, data):
    write(folder, ROWS[:5])
    (folder / "b.csv").write_text("prompt,completion\nWhat?,That.\nWhat?,That.\n")

    code, out, _ = data("merge", "a.jsonl", "b.csv", "all.jsonl")

    assert code == 0
    assert "all.jsonl: 6 examples of 2 files, 1 left out as they stand there twice" in out
    assert len(load(folder / "all.jsonl").examples) == 6


def test_what_teaches_something_else_is_not_merged(folder, data):
    write(folder, ROWS[:5])
    write(folder, [{"text": "one"}], "b.jsonl")

    code, _, err = data("merge", "a.jsonl", "b.jsonl", "all.jsonl")

    assert code == 1
    assert "a.jsonl holds chat examples, b.jsonl holds text examples; expected one kind" in err
    assert not (folder / "all.jsonl").exists()


def test_the_file_that_is_read_is_never_written(folder, data):
    write(folder, [*ROWS, "{"])
    before = (folder / "a.jsonl").read_bytes()

    for words in (("clean", "a.jsonl", "./a.jsonl"), ("merge", "a.jsonl", "a.jsonl")):
        code, _, err = data(*words, "--force")
        assert code == 1
        assert "is read, and would be written" in err
    assert (folder / "a.jsonl").read_bytes() == before


def test_a_file_is_no_validation_of_itself(folder, data):
    write(folder, ROWS)

    code, out, _ = data("check", "a.jsonl", "--validation", "a.jsonl")

    assert code == 1
    assert "40 errors, of: leak 40" in out


def test_statistics_of_nothing_fail(folder, data):
    code, _, err = data("stats", "away.jsonl")

    assert code == 1
    assert "away.jsonl: cannot be read" in err


def test_a_file_that_is_not_there_is_named(data):
    code, out, _ = data("check", "away.jsonl")

    assert code == 1
    assert "away.jsonl: cannot be read: no such file or directory" in out


@pytest.mark.parametrize("command", ["check", "preview", "stats", "clean", "split", "merge"])
def test_each_command_shows_an_example(data, command):
    code, out, _ = data(command, "--help")

    assert code == 0
    assert f"citewell data {command} " in out
