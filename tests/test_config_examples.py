"""Each example of a settings file is valid, and those of `citewell init` are what it writes."""

import json
import shutil
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import trainings
import tunings
from citewell.cli.starters import NEEDS, starter
from citewell.cli.tune.starters import TASKS, recipe_text
from citewell.engine.registry import Registry
from citewell.engine.settings import load_settings
from citewell.tuning.recipes.reading import load_recipe
from citewell.tuning.recipes.recipe import DataFiles, Recipe
from citewell.tuning.recipes.tables import Deploy
from citewell.tuning.runs.checking import check

CONFIG = Path(__file__).resolve().parent.parent / "config"
EXAMPLES = sorted(CONFIG.glob("*.toml"))
RECIPES = sorted((CONFIG / "recipes").glob("*.toml"))


def test_there_is_one_for_each_use():
    names = {path.stem for path in EXAMPLES}

    assert names == {
        *("quickstart", "facts", "behaviour", "both", "labels", "git", "journal"),
        *("gguf", "lora", "api", "chain", "classify", "ray"),
        *("slack", "discord"),
        *("s3", "github", "haystack", "hybrid", "rerank", "web", "postgres", "history"),
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid(path):
    settings = load_settings(path, strict=True)

    assert settings.default_profile == "default"
    assert path.read_text(encoding="utf-8").startswith("# "), "say what it is for"


@pytest.mark.parametrize("need", NEEDS)
def test_init_writes_the_example(need):
    stored = (CONFIG / f"{need}.toml").read_text(encoding="utf-8")

    assert stored == starter(need, docs="docs").text


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_valid(path, tmp_path):
    recipe = Path(shutil.copytree(CONFIG / "recipes", tmp_path / "config" / "recipes")) / path.name
    told = tomllib.loads(recipe.read_text(encoding="utf-8"))
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    shutil.copytree(trainings.base(), (recipe.parent / told["base"]).resolve())
    for name in ("train", "validation"):
        data = recipe.parent / told["data"][name]
        if not data.exists():
            tunings.write(data, map(tunings.chat, range(3)))

    found = load_recipe(recipe, Registry.load())

    assert found.name == path.stem
    assert recipe.read_text(encoding="utf-8").startswith("# "), "say what it is for"


@pytest.mark.parametrize("task", TASKS)
def test_tune_init_writes_the_recipe(task):
    stored = (CONFIG / "recipes" / f"{task}.toml").read_text(encoding="utf-8")

    assert stored == recipe_text(task, base="models/base")


def test_the_tiny_recipe_can_be_learnt_and_answers_for_the_settings_that_it_names():
    folder = CONFIG / "recipes"
    told = tomllib.loads((folder / "tiny.toml").read_text(encoding="utf-8"))
    profile = tomllib.loads((CONFIG / "classify.toml").read_text(encoding="utf-8"))["profile"]
    data = DataFiles(train=folder / "tiny-train.jsonl", validation=folder / "tiny-validation.jsonl")
    recipe = Recipe(
        file=folder / "tiny.toml",
        base_dir=folder,
        content=b"",
        name="tiny",
        base=folder,
        data=data,
        deploy=Deploy(),
    )

    found = check(recipe, lambda *_: None)

    assert found.errors == found.warnings == []
    assert told["form"].items() <= profile["default"].items()
    for path in (data.train, data.validation):
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        assert {row["completion"] for row in rows} == set(told["form"]["choices"])
