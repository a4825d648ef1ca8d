"""A recipe is checked as a whole: each thing that is wrong is told with its key and its fix."""

import os
import re
from pathlib import Path

import pytest

import tunings
from citewell.engine.registry import Registry
from citewell.errors import ConfigError
from citewell.tuning.recipes.reading import load_recipe, name_from

GOOD = """\
base = "base"
license = "mit"

[data]
train = "train.jsonl"
validation = "valid.jsonl"

[trainer]
use = "steps"
steps = 5

[export]
use = "files"
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        tunings.install(tmp_path_factory.mktemp("site"), patch)
        return Registry.load()


@pytest.fixture
def folder(tmp_path):
    """Return a folder with what the good recipe names."""
    tunings.recipe(tmp_path)
    tunings.write(tmp_path / "pairs.jsonl", map(tunings.pair, range(30)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_text("{}")
    (tmp_path / "pickled" / "tokenizer.json").write_text("{}")
    (tmp_path / "pickled" / "pytorch_model.bin").write_bytes(b"x")
    (tmp_path / "listed").mkdir()
    (tmp_path / "listed" / "config.json").write_text("[]")
    return tmp_path


def problems(folder, registry, content):
    path = folder / "broken.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        load_recipe(path, registry)
    return [one.removeprefix(str(path)) for one in caught.value.problems]


def test_a_good_recipe_names_files_from_its_own_folder(folder, registry):
    path = folder / "Good one.toml"
    path.write_text(GOOD)

    found = load_recipe(path, registry)

    assert (found.name, found.base, found.license) == ("good-one", folder / "base", "mit")
    assert found.data.train == folder / "train.jsonl"
    assert (found.trainer.config.steps, found.export.config.files) == (5, ["adapter"])
    assert (found.attempts, found.deploy.model, found.content) == (3, None, GOOD.encode())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Support Bot v2.toml", "support-bot-v2"), ("äöü.toml", "recipe"), ("a" * 99, "a" * 64)],
)
def test_a_name_that_is_none_is_made_of_the_name_of_the_file(name, expected):
    assert name_from(Path(name)) == expected


# What is put in place of what, and what must be said.
BROKEN = {
    "unknown key": ("license", "licence", 'licence: unknown setting; did you mean "license"?'),
    "unknown section": ("[export]", "[exports]", 'exports: unknown setting; did you mean "export"'),
    "unknown key of data": (
        "validation",
        "valdation",
        'data.valdation: unknown setting; did you mean "validation"? settings of [data]: train',
    ),
    "unknown key of the trainer": (
        "steps = 5",
        "stps = 5",
        'trainer.stps: unknown setting; did you mean "steps"? settings of "steps": use, steps',
    ),
    "wrong type": ("steps = 5", 'steps = "5"', "trainer.steps: expected a valid integer, got"),
    "out of range": (
        "steps = 5",
        "steps = 0",
        "trainer.steps: expected greater than or equal to 1, got 0",
    ),
    "wrong word": (
        'use = "files"',
        'use = "files"\nfiles = ["Q8"]',
        "export.files[0]: expected 'adapter', 'merged' or 'Q8_0', got \"Q8\"",
    ),
    "no attempts": (
        'license = "mit"',
        "attempts = 0",
        "attempts: expected greater than or equal to 1, got 0",
    ),
    "a name with blanks": (
        'license = "mit"',
        'name = "My Bot"',
        'name: "My Bot" is no name; expected at most 64 lower-case letters, digits, - and _',
    ),
    "no base": ('base = "base"', "", "base: required setting is missing"),
    "base not there": (
        'base = "base"',
        'base = "bse"',
        "bse is not there; expected the folder of a model, with config.json: put one there, or",
    ),
    "base is a file": ('base = "base"', 'base = "train.jsonl"', "train.jsonl is no folder"),
    "base without config": (
        'base = "base"',
        'base = "empty"',
        "empty holds no config.json; expected the folder of a model in Hugging Face form",
    ),
    "base with another config": (
        'base = "base"',
        'base = "listed"',
        "config.json holds no JSON object; expected one: save it again",
    ),
    "pickled weights": (
        'base = "base"',
        'base = "pickled"',
        "holds no *.safetensors but pytorch_model.bin, which could run code; expected weights as",
    ),
    "no data": (
        '[data]\ntrain = "train.jsonl"\nvalidation = "valid.jsonl"\n',
        "",
        "data: required section is missing; add [data] with train",
    ),
    "no training file": ('train = "train.jsonl"', "", "data.train: required setting is missing"),
    "training file not there": (
        "train.jsonl",
        "trian.jsonl",
        "trian.jsonl is not there; expected a file: name another, or make it",
    ),
    "training file is a folder": ("train.jsonl", "base", "base is a folder; expected a file"),
    "one file for both": (
        "valid.jsonl",
        "./train.jsonl",
        "train.jsonl is train too; expected another file: run citewell data split",
    ),
    "questions not there": (
        "[trainer]",
        'questions = ["q.jsonl"]\n[trainer]',
        "data.questions[0]: ",
    ),
    "data of another kind": (
        "steps = 5",
        'learns = "preference"',
        "train.jsonl holds examples of the kind chat; expected preference, of which [trainer]",
    ),
    "preferences for a chat": (
        'train.jsonl"\nvalidation = "valid.jsonl"\n',
        'pairs.jsonl"\n\n[form]\nchoices = ["a"]\n',
        "pairs.jsonl holds examples of the kind preference; expected chat, whose answers have",
    ),
    "no trainer": (
        '[trainer]\nuse = "steps"\nsteps = 5\n',
        "",
        "trainer: required section is missing; add [trainer] with use",
    ),
    "no use": ('use = "steps"', "", "trainer.use: required setting is missing"),
    "unknown trainer": (
        '"steps"',
        '"stpes"',
        'trainer.use: no trainer is called "stpes"; did you mean "steps"?',
    ),
    "unknown exporter": (
        '"files"',
        '"safetensors"',
        'export.use: no exporter is called "safetensors"',
    ),
    "several trainers": ("[trainer]", "[[trainer]]", "trainer: expected a table, [trainer]"),
    "data as a text": (
        '[data]\ntrain = "train.jsonl"\nvalidation = "valid.jsonl"\n',
        'data = "train.jsonl"\n',
        "data: expected a table, [data]",
    ),
    "two makers": (
        'license = "mit"',
        'adapter = "base"',
        "adapter: stands beside [trainer]; expected one of them: delete the other",
    ),
    "form without form": (
        "[trainer]",
        '[form]\ninstructions = "x"\n[trainer]',
        "form: expected choices or output_schema, and one of them alone",
    ),
    "wrong schema": (
        "[trainer]",
        '[form]\noutput_schema = { type = "objekt" }\n[trainer]',
        "form: output_schema at $.type",
    ),
    "no model name": (
        'use = "files"',
        'use = "files"\n[deploy]\nmodel = "Über"',
        'deploy.model: "Über" is no name; expected at most 64 lower-case letters',
    ),
    "no price": (
        'license = "mit"',
        "price_per_hour = inf",
        "price_per_hour: expected",
    ),
    "a negative price": (
        'license = "mit"',
        "price_per_hour = -1",
        "price_per_hour: expected greater than or equal to 0, got -1",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_told_with_its_key_and_its_fix(folder, registry, old, new, said):
    assert old in GOOD
    before = sorted(path for path in folder.rglob("*"))

    found = problems(folder, registry, GOOD.replace(old, new, 1))

    assert any(said in one.replace(f"{folder}{os.sep}", "") for one in found), found
    assert all(re.match(r": [\w.\[\]]+: ", one) for one in found), found
    assert sorted(folder.rglob("*")) == sorted([*before, folder / "broken.toml"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"base = \n", "this is not TOML: invalid value (at line 1, column 8)"),
        (b'base = "a"\nbase = "b"\n', "this is not TOML: cannot overwrite a value (at line 2"),
        (b'base = "a"\nname = "caf\xe9"\n', "line 2: expected text in UTF-8"),
        (b"x = " + b"[" * 99_999, "this is not TOML: "),
        (b"#" * 1_000_001, "larger than 1,000,000 bytes"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(folder, registry, content, said):
    (only,) = problems(folder, registry, content)

    assert only.startswith(f": {said}")


def test_a_file_that_is_not_there_is_named(tmp_path, registry):
    with pytest.raises(ConfigError, match=r"no\.toml: cannot be read: no such file"):
        load_recipe(tmp_path / "no.toml", registry)


def test_everything_that_is_wrong_is_told_at_once(folder, registry):
    content = GOOD.replace("license", "licence").replace("steps = 5", "steps = -1")

    found = problems(folder, registry, content.replace("train.jsonl", "none.jsonl"))

    assert len(found) == 3


def test_an_adapter_of_another_trainer_needs_no_data(folder, registry):
    tunings.adapter(folder / "lora")
    path = folder / "handed.toml"
    path.write_text('base = "base"\nadapter = "lora"\n[export]\nuse = "files"\n')

    found = load_recipe(path, registry)

    assert (found.adapter, found.trainer, found.data) == (folder / "lora", None, None)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda lora: (lora / "adapter_config.json").unlink(), "lora holds no adapter_config.json"),
        (
            lambda lora: (lora / "adapter_model.safetensors").rename(lora / "adapter_model.pt"),
            "holds no adapter_model.safetensors but adapter_model.pt, which could run code",
        ),
    ],
)
def test_a_folder_that_is_no_adapter_is_refused(folder, registry, broken, said):
    broken(tunings.adapter(folder / "lora"))

    (only,) = problems(folder, registry, 'base = "base"\nadapter = "lora"\n')

    assert only.startswith(": adapter: ")
    assert said in only
