import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import trainings
from citewell import MissingExtra
from citewell.training import ExampleKind
from citewell_trl.plugin import check, register_trainers
from citewell_trl.settings import TrlConfig


@pytest.mark.parametrize(
    ("method", "kinds"),
    [
        ("sft", {ExampleKind.CHAT, ExampleKind.TEXT}),
        ("dpo", {ExampleKind.PREFERENCE}),
        ("kto", {ExampleKind.VOTE}),
    ],
)
def test_the_method_says_what_is_learnt_from(method, kinds):
    (spec,) = register_trainers()

    assert spec.learns(TrlConfig(method=method)) == kinds


@pytest.mark.parametrize("package", ["torch", "trl", "peft"])
async def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, package):
    find_spec = importlib.util.find_spec

    def hidden(name, *arguments):
        return None if name == package else find_spec(name, *arguments)

    monkeypatch.setattr("citewell_trl.plugin.find_spec", hidden)
    with pytest.raises(MissingExtra, match=rf'{package}, .*pip install "citewell\[train\]"'):
        async with trainings.opened(tmp_path):
            pass


def test_what_is_heavy_stays_out_of_this_process():
    heavy = "{'torch', 'transformers', 'trl', 'peft', 'datasets', 'numpy'}"
    modules = "citewell_trl.plugin, citewell_trl.trainer, citewell_trl.child, citewell_trl.lengths"
    code = f"import sys, {modules}; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


def test_what_keeps_a_base_from_learning_is_told_at_once(tmp_path):
    config = TrlConfig(chat_template=Path("none.jinja"))

    (about_template, about_base) = check(config, tmp_path / "none", tmp_path)

    assert about_template[0] == "chat_template"
    assert "none.jinja is not there" in about_template[1]
    assert about_base[0] == ""
    assert "none: is not there; expected a model" in about_base[1]
