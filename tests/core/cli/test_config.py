"""`citewell config`: what is wrong, in words and as JSON."""

import json

import pytest

from citewell.cli.main import run

GOOD = """
[library.docs]
use = "files"
path = "docs"

[journal]
url = { env = "CITEWELL_TEST_JOURNAL" }
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CITEWELL_TEST_JOURNAL", raising=False)
    (tmp_path / "docs").mkdir()
    path = tmp_path / "citewell.toml"
    path.write_text(GOOD)
    return path


def test_a_good_file_is_valid_and_notes_what_is_missing(config, capsys):
    assert run(["config", "check"]) == 0

    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == f"{config} is valid"
    assert any(line.startswith("note: journal.url: its secret is not there") for line in shown)


def test_every_problem_is_shown(config, capsys):
    config.write_text('[model.a]\nuse = "gpt"\n[library.b]\nuse = "files"\n')

    assert run(["config", "check"]) == 1

    shown = capsys.readouterr()
    assert "is valid" not in shown.out
    assert 'model.a.use: no model is called "gpt"' in shown.err
    assert "library.b.path: required setting is missing" in shown.err
    assert all(line.startswith("error: ") for line in shown.err.splitlines())


@pytest.mark.parametrize(
    ("setting", "fix"),
    [
        ('labels = { "**" = ["everyone"], "./hr/**" = ["people"] }', 'leave out "./"'),
        ('labels = { "**" = ["everyone"], "../hr/**" = ["people"] }', '"../"'),
        ("labels = { '**' = ['everyone'], 'hr\\**' = ['people'] }", '"/" between folders'),
        ('exclude = ["./hr/"]', 'leave out "./"'),
        ('include = ["./hr/"]', 'leave out "./"'),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused(config, capsys, setting, fix):
    config.write_text(f'[library.docs]\nuse = "files"\npath = "docs"\n{setting}\n')

    assert run(["config", "check"]) == 1

    (problem,) = capsys.readouterr().err.splitlines()
    assert f"library.docs.{setting.split()[0]}" in problem
    assert fix in problem


def test_brackets_in_a_pattern_are_no_matter(config, capsys):
    config.write_text(
        f'{GOOD}[library.eng]\nuse = "files"\npath = "eng"\n'
        'labels = { "[[]eng]/**" = ["people"] }\n'
    )

    assert run(["config", "check"]) == 0

    assert capsys.readouterr().err == ""


def test_programs_get_json(config, capsys):
    assert run(["config", "check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "citewell.config/1"
    assert (found["file"], found["valid"], found["problems"]) == (str(config), True, [])
    assert len(found["notes"]) == 1

    config.write_text("a = 1")
    assert run(["config", "check", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["valid"] is False
    assert "a: unknown setting" in found["problems"][0]


def test_another_file_can_be_checked(config, tmp_path, capsys):
    other = tmp_path / "other.toml"
    other.write_text("[library")

    assert run(["config", "check", "--config", str(other)]) == 1

    assert f"{other}: this is not TOML" in capsys.readouterr().err


def test_without_a_file_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["config", "check"]) == 1

    assert "citewell init" in capsys.readouterr().err


def test_deep_opens_every_component(config, tmp_path, capsys):
    assert run(["config", "check", "--deep"]) == 0

    (tmp_path / "place").write_text("a file, where a folder is needed")
    config.write_text(GOOD + '[retriever.main]\nuse = "lexical"\npath = "place"\n')
    assert run(["config", "check"]) == 0
    assert run(["config", "check", "--deep"]) == 1
    assert "place" in capsys.readouterr().err


def test_deep_embeds_a_word(config, tmp_path, capsys):
    import ggufs

    model = tmp_path / "embed.gguf"
    ggufs.write_model(model)
    config.write_text(f'{GOOD}[embedder.near]\nuse = "llamacpp"\npath = "{model}"\n')
    assert run(["config", "check", "--deep"]) == 0

    model.write_bytes(model.read_bytes()[:5000])
    assert run(["config", "check"]) == 0
    assert run(["config", "check", "--deep"]) == 1
    assert "embed.gguf" in capsys.readouterr().err


def test_deep_lets_a_reranker_score_a_word(config, tmp_path, capsys):
    import onnx_models

    folder = onnx_models.write_cross_encoder(tmp_path / "cross")
    config.write_text(f'{GOOD}[reranker.cross]\nuse = "onnx"\npath = "{folder}"\n')
    assert run(["config", "check", "--deep"]) == 0

    (folder / "model.onnx").write_bytes(b"")
    assert run(["config", "check"]) == 0
    assert run(["config", "check", "--deep"]) == 1
    assert "cross/model.onnx" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "library", "fix"),
    [
        ("missing", 'use = "files"', "does not exist; name a folder that can be read"),
        ("file", 'use = "files"', "is not a folder; name a folder that can be read"),
        ("folder", 'use = "git"', "it is not a git clone; name the folder that holds .git"),
    ],
)
def test_deep_and_doctor_see_a_library_that_cannot_be_listed(
    config, tmp_path, capsys, kind, library, fix
):
    if kind == "folder":
        (tmp_path / "place").mkdir()
    elif kind == "file":
        (tmp_path / "place").write_text("a file, where a folder is needed")
    config.write_text(f'[library.handbook]\n{library}\npath = "place"\n')

    assert run(["config", "check", "--deep"]) == 1
    checked = capsys.readouterr().err
    assert run(["doctor"]) == 1
    examined = capsys.readouterr().out

    assert checked.startswith("error: library.handbook: ")
    assert fix in checked
    (wrong,) = [line for line in examined.splitlines() if line.startswith("wrong ")]
    assert wrong.startswith("wrong components: library.handbook: ")
    assert fix in wrong


@pytest.mark.parametrize("is_file", [False, True])
def test_a_library_without_its_folder_is_noted(config, tmp_path, capsys, is_file):
    (tmp_path / "docs").rmdir()
    if is_file:
        (tmp_path / "docs").write_text("a file, where a folder is needed")

    assert run(["config", "check"]) == 0

    (note,) = [line for line in capsys.readouterr().out.splitlines() if "library.docs" in line]
    assert note == (
        f'note: library.docs: "{tmp_path / "docs"}" is not a folder, or not yet; sync needs it'
    )


def test_the_schema_is_printed(config, capsys):
    assert run(["config", "schema"]) == 0

    assert json.loads(capsys.readouterr().out)["title"] == "citewell.toml"
