"""`citewell reindex`: new vectors beside those in use, then the settings change."""

import json

import pytest

from citewell.cli.main import run
from citewell.engine.settings import load_settings
from citewell_embedded.hybrid import HybridRetriever
from topics import write_topics

OTHER = '\n[embedder.other]\nuse = "scripted"\nseed = 7\ndimension = {dimension}\n'


@pytest.fixture
def two(tmp_path, monkeypatch, capsys):
    """Return settings with a second embedder, which nothing uses yet."""
    monkeypatch.chdir(tmp_path)
    file = write_topics(tmp_path)
    file.write_text(file.read_text() + OTHER.format(dimension=300))
    capsys.readouterr()
    return file


def named(config):
    return load_settings(config).retrievers["both"].section.config.embedder


def test_the_settings_change_once_the_new_vectors_are_there(two, capsys):
    assert run(["reindex", "both", "--embedder", "other", "--questions", "questions.jsonl"]) == 0

    shown = capsys.readouterr().out
    assert "retriever both: every passage has its vector" in shown
    assert "nDCG@10 on 24 questions: " in shown
    assert shown.splitlines()[-1].endswith("citewell.toml: retriever.both.embedder is other")
    assert named(two) == "other"
    assert '"other"  # that is enough here' in two.read_text()


def test_an_embedder_that_finds_worse_is_not_used_unless_that_is_wanted(two, capsys):
    text = two.read_text().replace("dimension = 300", "dimension = 2")
    two.write_text(text.replace("[embedder.words]", "fusion = { words = 0.0 }\n[embedder.words]"))
    asked = ["reindex", "both", "-e", "other", "-q", "questions.jsonl"]

    assert run([*asked, "--json"]) == 1

    shown = capsys.readouterr()
    found = json.loads(shown.out)["compared"]
    assert found["after"] < found["before"]
    assert found["difference"]["high"] < 0
    assert "finds worse" in shown.err
    assert named(two) == "words"
    assert run([*asked, "--force"]) == 0
    assert named(two) == "other"


def test_what_has_vectors_already_is_not_embedded_again(two, capsys):
    assert run(["reindex", "both"]) == 0

    assert "every passage has its vector" in capsys.readouterr().out
    assert named(two) == "words"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["main"], 'retriever "main" has no vectors; there is nothing to embed'),
        (["main", "-e", "other"], "retriever.main"),
        (["none", "-e", "other"], "there is no [retriever.none] in the settings"),
        (["both", "-e", "othr"], 'did you mean "other"'),
        (["both", "-q", "none.jsonl"], "none.jsonl: cannot be read"),
    ],
)
def test_what_cannot_be_reindexed_is_said_in_a_line(two, capsys, arguments, said):
    before = two.read_text()

    assert run(["reindex", *arguments]) == 1

    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert two.read_text() == before


def test_an_embedder_that_fails_half_way_goes_on_from_there(two, capsys):
    broken = OTHER.format(dimension=300) + "texts = 5\n"
    two.write_text(two.read_text().replace(OTHER.format(dimension=300), broken))

    assert run(["reindex", "both", "-e", "other"]) == 1
    assert "the scripted embedder fails, as it shall" in capsys.readouterr().err
    assert named(two) == "words"
    assert run(["ask", "what is topic3?"]) == 0

    two.write_text(two.read_text().replace("texts = 5\n", ""))
    assert run(["reindex", "both", "-e", "other"]) == 0
    assert named(two) == "other"


def test_an_embedder_that_embeds_no_question_is_not_compared_and_not_used(two, capsys):
    passages = _passages()
    text = two.read_text().replace("dimension = 300", f"dimension = 300\ntexts = {passages}")
    two.write_text(text)

    assert run(["reindex", "both", "-e", "other", "-q", "questions.jsonl"]) == 1

    error = capsys.readouterr().err
    assert (
        'error: nothing can be compared, questions are found by words alone: embedder "other"'
        in (error)
    )
    assert named(two) == "words"


def _passages():
    from contextlib import closing
    from sqlite3 import connect

    with closing(connect(".citewell/retriever/both/passages.sqlite")) as store:
        return store.execute("SELECT count(*) FROM visible_passages").fetchone()[0]


def test_vectors_in_use_outlive_every_other_embedder_that_is_refused(two, capsys):
    second = OTHER.format(dimension=2).replace("other", "third").replace("7", "8")
    text = two.read_text().replace("dimension = 300", "dimension = 2") + second
    two.write_text(text.replace("[embedder.words]", "fusion = { words = 0.0 }\n[embedder.words]"))

    for name in ("other", "third"):
        assert run(["reindex", "both", "-e", name, "-q", "questions.jsonl"]) == 1
    capsys.readouterr()

    assert run(["ask", "what is topic3?"]) == 0
    assert "words alone" not in capsys.readouterr().out


def test_what_is_written_to_the_settings_meanwhile_stays(two, monkeypatch):
    reindex = HybridRetriever.reindex

    async def edited(self, told):
        two.write_text(two.read_text() + '\n[model.second]\nuse = "extractive"\n')
        await reindex(self, told)

    monkeypatch.setattr(HybridRetriever, "reindex", edited)
    assert run(["reindex", "both", "-e", "other"]) == 0

    assert named(two) == "other"
    assert "second" in load_settings(two).models
