"""`citewell fit`: a weight that does not hold on other questions changes nothing."""

import json

import pytest

from citewell.cli.main import run
from citewell.engine.settings import load_settings
from topics import write_topics


@pytest.fixture
def config(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = write_topics(tmp_path)
    capsys.readouterr()
    return file


def test_the_weight_is_judged_on_other_questions_and_written(config, capsys):
    assert run(["fit", "both", "--questions", "questions.jsonl"]) == 0
    shown = capsys.readouterr().out
    assert "fitted on 12 questions, judged on 12 others" in shown
    assert "words alone" in shown
    assert "to use it: citewell fit both --questions questions.jsonl --write" in shown
    assert "fusion" not in config.read_text()

    assert run(["fit", "both", "--questions", "questions.jsonl", "--write", "--json"]) == 0

    printed = capsys.readouterr().out
    found = json.JSONDecoder().raw_decode(printed)[0]
    assert found["schema"] == "citewell.fit/1"
    assert [row["name"] for row in found["rows"]][:2] == ["words alone", "vectors alone"]
    assert found["rows"][-1]["score"]["mean"] > 0.9
    written = load_settings(config).retrievers["both"].section.config.fusion
    assert written.model_dump() == found["fusion"]
    assert 'embedder = "words"  # that is enough here' in config.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["main", "-q", "questions.jsonl"], "does not find by words and by vectors"),
        (["bth", "-q", "questions.jsonl"], 'did you mean "both"'),
        (["both", "-q", "few.jsonl"], "holds 1 question; expected at least 20"),
        (["both", "-q", "none.jsonl"], "none.jsonl: cannot be read: no such file"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_a_line(config, capsys, arguments, said):
    (config.parent / "few.jsonl").write_text('{"question": "a", "documents": ["b"]}')

    assert run(["fit", *arguments]) == 1

    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_questions_of_which_nothing_right_is_found_fit_nothing(config, capsys):
    lines = [
        json.dumps({"question": f"what is it {number}?", "documents": [f"tpic{number}.md"]})
        for number in range(24)
    ]
    (config.parent / "wrong.jsonl").write_text("\n".join(lines))
    before = config.read_text()

    assert run(["fit", "both", "-q", "wrong.jsonl", "--write"]) == 1

    note, error = capsys.readouterr().err.splitlines()
    assert note == (
        "note: wrong.jsonl names 24 documents that the index does not have, and that count as not "
        "found: tpic0.md, tpic1.md, tpic2.md, ..."
    )
    assert "for no question is a right passage found" in error
    assert config.read_text() == before
