"""Each example of a settings file is valid, and those of `citewell init` are what it writes."""

from pathlib import Path

import pytest

from citewell.cli.starters import NEEDS, starter
from citewell.engine.settings import load_settings

CONFIG = Path(__file__).resolve().parent.parent / "config"
EXAMPLES = sorted(CONFIG.glob("*.toml"))


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
