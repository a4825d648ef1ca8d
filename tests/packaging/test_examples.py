"""The examples of the docs are packages of strangers: they work beside the wheel, and are typed."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from packages import ROOT, build_wheel, new_environment

EXAMPLES = sorted(path.parent for path in (ROOT / "docs" / "examples").glob("*/pyproject.toml"))
LIBRARY = """
[library.handbook]
use = "files"
path = "handbook"
"""


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """The examples, far from this checkout."""
    folder = tmp_path_factory.mktemp("examples")
    ignored = shutil.ignore_patterns("__pycache__")
    return [shutil.copytree(one, folder / one.name, ignore=ignored) for one in EXAMPLES]


@pytest.fixture(scope="module")
def beside(tmp_path_factory, wheel, copies):
    """An environment with Citewell's wheel and those of the examples, installed as anybody does."""
    wheels = [build_wheel(one, tmp_path_factory.mktemp(one.name)) for one in copies]
    environment = new_environment(tmp_path_factory.mktemp("beside"))
    environment.install("--no-compile", wheel, *wheels, "pytest", "hatchling", "editables")
    return environment


@pytest.fixture
def from_checkout(beside, wheel):
    """The same environment with an editable install of this checkout in place of the wheel."""
    beside.install("--no-deps", "--no-build-isolation", "--editable", ROOT)
    yield beside
    beside.install("--no-deps", "--force-reinstall", wheel)


def is_typed(environment, folder, cache):
    """Tell what the two checkers say of a package, run from its own folder."""
    python = environment.folder / "bin" / "python"
    checks = [[*("mypy", "--cache-dir", cache, "--python-executable", python), "src", "tests"]]
    if find_spec("pyright") is not None:
        checks.append(["pyright", "--pythonpath", python, "src", "tests"])
    for module, *arguments in checks:
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return True


# The contract of the adapter plays hundreds of scenarios over HTTP.
@pytest.mark.timeout(1800)
def test_each_passes_its_tests_beside_the_wheel(beside, copies):
    for folder in copies:
        done = beside.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)

        assert done.returncode == 0, done.stdout + done.stderr
        # What a chat service cannot do its contract skips; there is nothing else to skip.
        assert "skipped" not in done.stdout or folder.name == "citewell-telegram"
    where = "import citewell, citewell_email; print(citewell.__file__, citewell_email.__file__)"
    shown = beside.run("python", "-c", where, cwd=copies[0]).stdout.split()
    assert all(path.startswith(str(beside.folder)) for path in shown)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
def test_the_settings_of_each_readme_are_valid(example, beside, tmp_path):
    text = (example / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "handbook").mkdir()

    for block in blocks:
        library = "" if "[library." in block or "[retriever." in block else LIBRARY
        (tmp_path / "citewell.toml").write_text(block + library, encoding="utf-8")
        done = beside.run("citewell", "config", "check", cwd=tmp_path)

        assert done.returncode == 0, done.stdout + done.stderr
    assert blocks


@pytest.mark.timeout(900)
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_each_is_typed_beside_a_wheel(beside, copies, tmp_path):
    assert all(is_typed(beside, folder, tmp_path) for folder in copies)


@pytest.mark.timeout(900)
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_each_is_typed_beside_an_editable_install(from_checkout, copies, tmp_path):
    assert all(is_typed(from_checkout, folder, tmp_path) for folder in copies)


def test_examples_use_the_public_interface_alone():
    own = r"^\s*(?:from|import) (citewell\b[\w.]*)"
    allowed = {"citewell", "citewell.blocks", "citewell.chat", "citewell.testing"}

    imported = {
        name
        for path in (ROOT / "docs" / "examples").rglob("*.py")
        for name in re.findall(own, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }

    assert imported == allowed & imported
    assert "citewell" in imported
