"""`citewell deploy`: what a run made answers from now on, and the settings stay as they were."""

import tomllib

import pytest

import tunings
from citewell.cli.main import run

CONFIG = """\
# Our assistant.
data_dir = "data"            # kept here

[library.docs]
use = "files"
path = "docs"

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"           # no weights

[profile.default]
retriever = "main"
model = "quotes"             # until we train
fallback = []

[model.other]
use = "scripted"

[profile.sorting]
model = "other"
choices = ["a", "b"]
"""


@pytest.fixture
def config(folder):
    (folder / "docs").mkdir()
    path = folder / "citewell.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def trained(folder, config, said):
    """Return a function that trains once more."""

    def train(**settings):
        path = tunings.recipe(folder, export='files = ["adapter", "Q8_0"]')
        more = "".join(f"\n[{name}]\n{text}\n" for name, text in settings.items())
        path.write_text(path.read_text() + more)
        assert said("tune", "run", "tiny.toml")[0] == 0

    return train


def test_what_a_run_made_answers_and_comments_stay(trained, config, said):
    trained()

    code, out, err = said("deploy", "tiny-1")

    assert (code, err) == (0, "")
    assert out == "[model.tiny] is of run tiny-1\nprofile default: tiny answers instead of quotes\n"
    text = config.read_text()
    for comment in ("# Our assistant.", "# kept here", "# no weights", "# until we train"):
        assert comment in text
    found = tomllib.loads(text)
    assert found["profile"]["default"]["model"] == "tiny"
    assert found["model"]["tiny"] == {
        "use": "llamacpp",
        "path": "base/base.gguf",
        "lora": {"tuned": "data/runs/tiny-1/export/adapter.gguf"},
    }
    assert tomllib.loads(CONFIG)["profile"]["sorting"] == found["profile"]["sorting"]
    assert run(["config", "check"]) == 0


def test_the_file_the_section_and_the_profile_can_be_chosen(trained, config, said):
    trained()

    code, out, _ = said(
        "deploy", "tiny-1", "--file", "Q8_0", "--model", "small", "--profile", "sorting"
    )

    found = tomllib.loads(config.read_text())
    assert code == 0
    assert "profile sorting: small answers instead of other" in out
    assert found["model"]["small"]["path"] == "data/runs/tiny-1/export/Q8_0.gguf"
    assert found["profile"]["default"]["model"] == "quotes"


def test_the_recipe_says_where_it_goes_and_what_is_typed_wins(trained, config, said):
    trained(deploy='model = "tuned"\nprofile = "sorting"\nfile = "Q8_0"')

    _, first, _ = said("deploy", "tiny-1")
    _, second, _ = said("deploy", "tiny-1", "--model", "other-name", "--profile", "default")

    assert "profile sorting: tuned answers instead of other" in first
    assert "profile default: other-name answers instead of quotes" in second


def test_a_later_run_takes_the_place_of_an_earlier_one(trained, config, said):
    trained()
    trained()
    said("deploy", "tiny-1")

    code, out, _ = said("deploy", "tiny-2")

    assert code == 0
    assert "profile default: tiny answers as before" in out
    assert "runs/tiny-2/export" in config.read_text()
    assert "runs/tiny-1/export" not in config.read_text()


def test_what_the_user_added_to_a_section_stays(trained, config, said):
    trained()
    trained()
    said("deploy", "tiny-1")
    text = config.read_text().replace(
        "[model.tiny]\n", "[model.tiny]\n# proven only\nrequire_proof = true   # always\n"
    )
    config.write_text(text)

    adapter = said("deploy", "tiny-2")
    kept = config.read_text()
    merged = said("deploy", "tiny-2", "--file", "Q8_0")

    assert (adapter[0], merged[0]) == (0, 0)
    assert "# proven only\nrequire_proof = true   # always\n" in kept
    assert kept == text.replace("tiny-1", "tiny-2")
    assert tomllib.loads(config.read_text())["model"]["tiny"] == {
        "require_proof": True,
        "use": "llamacpp",
        "path": "data/runs/tiny-2/export/Q8_0.gguf",
    }


def test_a_stale_adapter_goes_also_where_it_has_a_table_of_its_own(trained, config, said):
    trained()
    said("deploy", "tiny-1")
    text = config.read_text()
    line = 'lora = {tuned = "data/runs/tiny-1/export/adapter.gguf"}\n'
    assert line in text
    table = line.replace("lora = {", "gpu_layers = 0\n[model.tiny.lora]\n").replace("}", "")

    for kind in ("Q8_0", "adapter"):
        config.write_text(text.replace(line, table))
        assert said("deploy", "tiny-1", "--file", kind)[0] == 0

        found = tomllib.loads(config.read_text())["model"]["tiny"]
        assert ("lora" in found, found["gpu_layers"]) == (kind == "adapter", 0)


def test_what_is_deployed_needs_no_base_and_no_trainer(trained, config, folder, said):
    trained(deploy='model = "tuned"')
    (folder / "base").rename(folder / "elsewhere")
    recipe = folder / "data" / "runs" / "tiny-1" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace('"steps"', '"unsloth"'))

    code, out, _ = said("deploy", "tiny-1", "--file", "Q8_0")

    assert code == 0
    assert "[model.tuned] is of run tiny-1" in out


def test_a_section_of_a_run_that_began_without_settings_is_of_a_run(folder, said):
    tunings.recipe(folder)
    for _ in range(2):
        said("tune", "run", "tiny.toml")
    (folder / "docs").mkdir()
    (folder / "citewell.toml").write_text(CONFIG)
    said("deploy", "tiny-1")

    code, out, _ = said("deploy", "tiny-2")

    assert code == 0
    assert "profile default: tiny answers as before" in out


def test_a_section_of_somebody_else_is_not_replaced(trained, config, said):
    trained()

    code, _, err = said("deploy", "tiny-1", "--model", "quotes")

    assert code == 1
    assert "[model.quotes] is there already, and is of no run; name another with --model" in err
    assert config.read_text() == CONFIG


def test_the_section_alone_can_be_written(trained, config, said):
    trained()

    _, out, _ = said("deploy", "tiny-1", "--no-switch")

    found = tomllib.loads(config.read_text())
    assert "next: name tiny in a profile, and run: citewell eval run" in out
    assert (found["profile"]["default"]["model"], "tiny" in found["model"]) == ("quotes", True)


def test_a_gate_lets_nothing_pass_that_was_not_evaluated(trained, config, said):
    trained()
    config.write_text(f"{CONFIG}\n[gate]\n")

    code, _, err = said("deploy", "tiny-1")

    assert code == 1
    assert "the gate refuses, and nothing is changed" in err
    assert "run: citewell deploy tiny-1 --no-switch --model OTHER" in err
    assert config.read_text() == f"{CONFIG}\n[gate]\n"


def test_a_gate_lets_no_other_file_into_a_section_that_answers(trained, config, said):
    trained()
    trained()
    said("deploy", "tiny-1")
    gated = f"{config.read_text()}\n[gate]\n"
    config.write_text(gated)

    code, _, err = said("deploy", "tiny-2", "--no-switch")
    beside = said("deploy", "tiny-2", "--no-switch", "--model", "next")

    assert code == 1
    assert "the gate refuses, and nothing is changed" in err
    assert beside[0] == 0
    found, before = tomllib.loads(config.read_text()), tomllib.loads(gated)
    assert found["model"].pop("next")["lora"]["tuned"] == "data/runs/tiny-2/export/adapter.gguf"
    assert found == before


def test_by_force_it_answers_or_is_not_forced(trained, config, said):
    trained()

    code, _, err = said("deploy", "tiny-1", "--no-switch", "--force", "--why", "a test")

    assert code == 2
    assert "--force lets it answer; leave out --no-switch, or --force" in err


def test_by_force_it_passes_and_the_reason_is_kept(trained, config, said):
    trained()
    config.write_text(f"{CONFIG}\n[gate]\n")

    unexplained = said("deploy", "tiny-1", "--force")
    forced = said("deploy", "tiny-1", "--force", "--why", "a test")

    assert unexplained[0] == 2
    assert "--force needs --why" in unexplained[2]
    assert forced[0] == 0
    assert tomllib.loads(config.read_text())["profile"]["default"]["model"] == "tiny"


def test_a_file_that_has_changed_since_its_proof_does_not_answer(trained, config, folder, said):
    trained()
    with (folder / "data/runs/tiny-1/export/adapter.gguf").open("ab") as file:
        file.write(b"x")

    code, _, err = said("deploy", "tiny-1")

    assert code == 1
    assert "has changed since it was proven; run: citewell tune export tiny-1" in err
    assert config.read_text() == CONFIG


@pytest.mark.parametrize(
    ("words", "said_so"),
    [
        (["tiny-9"], 'no run is called "tiny-9"; did you mean "tiny-1"'),
        (["tiny-1", "--file", "adaptr"], 'no file of the kind "adaptr"; did you mean "adapter"'),
        (["tiny-1", "--profile", "defalt"], "there is no [profile.defalt]"),
        (["tiny-1", "--model", "Ü"], "expected a name of at most 64"),
    ],
)
def test_what_cannot_be_deployed_is_told_and_nothing_changes(trained, config, said, words, said_so):
    trained()

    code, _, err = said("deploy", *words)

    assert code == 1
    assert said_so in err
    assert config.read_text() == CONFIG


def test_a_run_without_files_says_how_to_make_some(folder, config, said):
    tunings.recipe(folder, export=None)
    said("tune", "run", "tiny.toml")

    code, _, err = said("deploy", "tiny-1")

    assert code == 1
    assert "run tiny-1 has no file that a model loads; run: citewell tune export tiny-1" in err


def test_a_profile_of_another_form_than_was_learnt_is_noted(trained, folder, said):
    rows = [{"prompt": f"Message {at}", "completion": "a"} for at in range(60)]
    tunings.recipe(folder)
    tunings.write(folder / "train.jsonl", rows[:30])
    tunings.write(folder / "valid.jsonl", rows[30:])
    trained(form='choices = ["a", "b", "c"]')

    _, _, err = said("deploy", "tiny-1", "--profile", "sorting")

    assert "note: [profile.sorting] has other choices than the [form] that was learnt" in err


def test_a_run_that_answers_is_deleted_by_force_alone(trained, folder, said):
    trained()
    (folder / "base" / "base.gguf").touch()
    said("deploy", "tiny-1")

    code, _, err = said("runs", "rm", "tiny-1")

    assert code == 1
    assert "run tiny-1 is used by [model.tiny] of the settings; deploy another run first" in err
    assert said("runs", "rm", "tiny-1", "--force")[0] == 0
