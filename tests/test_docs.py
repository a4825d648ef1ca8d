"""The documentation is true: its parts are generated, its examples run."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import commands
import trainings
import tunings
from citewell.engine.registry import Registry
from citewell.engine.settings import load_settings
from citewell.tuning.recipes.reading import load_recipe
from scripts import generate_docs

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# What these configure is installed where they are tested, see `tests/packaging`.
OURS = [page for page in PAGES if ROOT / "docs" / "examples" not in page.parents]

LIBRARY = """
[library.handbook]
use = "files"
path = "handbook"
"""


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", generate_docs.pages(), ids=name_of)
def test_generated_parts_are_current(page):
    text = page.read_text(encoding="utf-8")

    renewed = generate_docs.renewed(text)

    assert generate_docs.without_ids(renewed) == generate_docs.without_ids(text), "run: make docs"


@pytest.mark.parametrize("page", OURS, ids=name_of)
def test_config_examples_are_valid(page, tmp_path):
    for number, example in enumerate(blocks(page, "toml")):
        config = tmp_path / f"{number}.toml"
        library = "" if "[library." in example else LIBRARY
        config.write_text(example + library, encoding="utf-8")

        assert load_settings(config).registry.plugins


def test_recipe_examples_are_valid(tmp_path):
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    examples = [example for page in PAGES for example in blocks(page, "toml recipe")]
    for number, example in enumerate(examples):
        told = tomllib.loads(example)
        folder = tmp_path / str(number)
        shutil.copytree(trainings.base(), folder / told["base"])
        data = told["data"]
        for name in (data["train"], data["validation"], *data["questions"]):
            tunings.write(folder / name, [tunings.chat(1)])
        (folder / "recipe.toml").write_text(example, encoding="utf-8")

        assert load_recipe(folder / "recipe.toml", Registry.load()).license

    assert examples


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_examples_can_be_read(page):
    for example in blocks(page, "python"):
        assert compile(example, str(page), "exec")


@pytest.fixture
def machine(tmp_path):
    return commands.Machine(tmp_path)


ASKED = "How many days of leave do I have?\n/quit\n"
TYPED = {"init": "\n" * 9, "chat": ASKED, "try": ASKED}


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "tutorial.md"], ids=name_of)
def test_commands_of_the_first_pages_work(page, machine):
    asked = ""
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    for line in lines:
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if line[:2] != "$ " or Path(words.pop(0)).name != "citewell" or "docs/" in words:
            continue
        if words[0] == "why":
            words[1] = commands.reference(asked)

        done = machine.citewell(*words, typed=TYPED.get(words[0], ""))

        assert done.returncode == 0, (line, done.stdout, done.stderr)
        asked = done.stdout if words[0] == "ask" else asked
    assert "28 days of leave" in asked


FILE_TYPE = ROOT / "docs" / "how-to" / "add-a-file-type.md"


def test_the_file_type_of_the_how_to_passes_the_contract_that_it_shows(tmp_path):
    loader, test = blocks(FILE_TYPE, "python")
    (tmp_path / "log_loader.py").write_text(loader, encoding="utf-8")
    (tmp_path / "test_log.py").write_text(test, encoding="utf-8")

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_log.py"),
            f"--basetemp={tmp_path / 'pytest'}",
        ],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)


def test_the_file_type_of_the_how_to_works(machine):
    page = FILE_TYPE
    (machine.work / "log_loader.py").write_text(blocks(page, "python")[0], encoding="utf-8")
    (machine.handbook / "night.log").write_text(
        "22:14 door opened\n23:02 the backup server restarted after a power cut\n"
    )
    (machine.work / "citewell.toml").write_text(blocks(page, "toml")[0] + LIBRARY)

    trusted = machine.citewell("plugins", "trust", "log_loader.py", typed="y\n")
    synced = machine.citewell("sync")
    asked = machine.citewell("ask", "Why did the backup server restart?")

    assert trusted.returncode == 0, trusted.stderr
    assert synced.returncode == 0, synced.stderr
    assert "after a power cut" in asked.stdout
    assert "night.log" in asked.stdout
