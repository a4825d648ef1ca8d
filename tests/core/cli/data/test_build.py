"""`citewell data build` and `trace`: from documents and votes to examples, and back."""

import json
import re

import pytest

from citewell.cli.main import run
from citewell.evaluation.questions import load_questions
from citewell.tuning.data.loading import load
from towns import write_towns

ASKED = "When was the library in Bonn founded?"


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    """Return a folder with an indexed library."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    write_towns(tmp_path)
    assert run(["sync"]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def data(capsys):
    """Return a function that runs a command, and returns its code and what it said."""

    def said(*words):
        code = run(["data", *map(str, words)])
        return code, *capsys.readouterr()

    return said


def test_documents_become_examples_that_are_sound(folder, data):
    code, out, err = data("build", "train.jsonl")

    assert (code, err) == (0, "")
    loaded = load(folder / "train.jsonl")
    assert len(loaded.examples) >= 30
    assert not loaded.problems
    assert f"train.jsonl: {len(loaded.examples)} examples of 18 documents: " in out
    assert data("check", "train.jsonl")[0] == 0


def test_parts_of_what_was_built_share_no_document(folder, data):
    data("build", "train.jsonl")

    code, _, _ = data("split", "train.jsonl", "--validation", "20%")

    assert code == 0
    names = "train-train.jsonl", "train-validation.jsonl"
    parts = [load(folder / name) for name in names]
    documents = [{name for one in part.examples for name in one.documents} for part in parts]
    assert documents[0].isdisjoint(documents[1])
    assert data("check", names[0], "--validation", names[1])[0] == 0


def test_an_evaluation_is_kept_out(folder, data):
    assert run(["eval", "init", "--number", "10", "--no-gaps"]) == 0
    asked = load_questions(folder / "questions.jsonl")
    data("build", "train.jsonl", "--keep-out", "questions.jsonl")

    kept_out = {name for one in asked for name in one.documents}
    learnt = {name for one in load(folder / "train.jsonl").examples for name in one.documents}
    assert learnt.isdisjoint(kept_out)
    assert data("check", "train.jsonl", "--questions", "questions.jsonl")[0] == 0


def test_reviewed_questions_become_examples(folder, data):
    row = {
        "question": ASKED,
        "documents": ["bonn.md"],
        "quotes": ["The library in Bonn was founded in 1851 by Anna Weber."],
    }
    draft = {**row, "question": "Who founded the library in Bonn?", "is_draft": True}
    (folder / "asked.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(draft) + "\n")

    code, out, _ = data("build", "a.jsonl", "--from", "asked.jsonl", "--refused", "0%")

    assert code == 0
    assert "left out 1: a draft that nobody accepted" in out
    assert "a.jsonl: 1 example of 1 document: 1 answered" in out


def test_votes_become_examples(folder, data, capsys):
    from citewell.engine.settings import load_settings
    from citewell.journal.database import open_engine
    from citewell.journal.feedback import Feedback, Vote
    from citewell.journal.journal import journal_url

    assert run(["ask", ASKED]) == 0
    assert run(["ask", "How many films does the library in Essen lend?"]) == 0
    references = re.findall(r"\bwhy ([0-9a-hjkmnp-tv-z]{10})\b", capsys.readouterr().out)
    settings = load_settings(folder / "citewell.toml")
    assert run(["why", references[0]]) == 0
    engine = open_engine(journal_url(settings.journal_url, settings.data_dir))
    for reference, is_helpful in zip(references, (True, False), strict=True):
        vote = Vote(answer=reference, voter="ann", is_helpful=is_helpful, at=1.0)
        Feedback(engine).add(vote)
    engine.dispose()
    capsys.readouterr()

    code, out, err = data("build", "v.jsonl", "--from-journal", "--kind", "votes")

    assert code == 0
    assert "v.jsonl: 2 examples" in out
    assert "these are words of people" in err
    assert [one.is_good for one in load(folder / "v.jsonl").examples] in (
        [True, False],
        [False, True],
    )
    traced = data("trace", "v.jsonl", "--line", "1")
    assert traced[0] == 0
    assert f"answer {load(folder / 'v.jsonl').examples[0].origin[7:]} of " in traced[1]


def test_examples_say_where_they_came_from(folder, data):
    data("build", "train.jsonl")

    code, out, _ = data("trace", "train.jsonl", "--sample", "20")

    assert code == 0
    assert "20 examples looked up, 0 not as it was" in out
    found = json.loads(data("trace", "train.jsonl", "--sample", "20", "--json")[1])
    assert len(found["examples"]) == 20
    assert all(one["passages"] and not one["gone"] for one in found["examples"])


def test_what_changed_is_told(folder, data):
    data("build", "train.jsonl")
    line = next(
        one.line
        for one in load(folder / "train.jsonl").examples
        if one.documents == ("docs:bonn.md",)
    )
    (folder / "docs" / "bonn.md").write_text("# Bonn\n\nNothing.\n")
    assert run(["sync"]) == 0

    code, out, _ = data("trace", "train.jsonl", "--line", line)

    assert code == 1
    assert "not there any more, or not for this reader: passage" in out


def test_the_numbers_are_data_for_programs(folder, data):
    found = json.loads(data("build", "train.jsonl", "--json")[1])

    assert found["schema"] == "citewell.data-build/1"
    assert found["examples"] == sum(found["teaches"].values())
    assert found["documents"] == 18


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "defalt"), 'did you mean "default"?'),
        (("--profile", "free"), 'profile "free" has no retriever'),
        (("--from-journal",), "no example can be made"),
        (("--kind", "votes"), "--kind votes needs --from-journal"),
        (("--as", "nobody"), "nothing is indexed that this reader may read"),
        (("--refused", "120%"), "is no share"),
    ],
)
def test_what_cannot_be_built_writes_nothing(folder, data, words, said):
    code, out, err = data("build", "a.jsonl", *words)

    assert code != 0
    assert said in out + err
    assert not (folder / "a.jsonl").exists()
