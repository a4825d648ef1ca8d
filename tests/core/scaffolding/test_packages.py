"""A package that was just written passes its own tests, its types and its linter, and is used."""

import re
import tomllib

import pytest

from citewell.scaffolding.kinds import KINDS
from packages import ROOT
from scaffolds import needs_checkers, new_package


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a function that writes and installs a package of a kind, once."""
    packages = {}

    def make(kind):
        if kind not in packages:
            packages[kind] = new_package("my-own", kind, tmp_path_factory.mktemp(kind))
        return packages[kind]

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_its_own_tests(kind, made, tmp_path):
    done = made(kind).run("-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 't'}")

    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ passed", done.stdout)
    skipped = re.findall(r"^SKIPPED .*$", done.stdout, re.MULTILINE)
    assert all("not claimed" in line for line in skipped)


@needs_checkers
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_linted_and_formatted(kind, made):
    package = made(kind)

    linted = package.run("-m", "ruff", "check", "--no-cache", "--config", "pyproject.toml")
    formatted = package.run("-m", "ruff", "format", "--no-cache", "--diff")

    assert linted.returncode == 0, linted.stdout
    assert formatted.returncode == 0, formatted.stdout


@pytest.fixture(scope="module")
def mypy_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


@needs_checkers
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_typed(kind, made, mypy_cache):
    done = made(kind).run("-m", "mypy", "--cache-dir", mypy_cache)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_holds_what_a_package_needs(kind, made):
    package = made(kind)
    project = tomllib.loads((package.folder / "pyproject.toml").read_text(encoding="utf-8"))
    names = {path.relative_to(package.folder).as_posix() for path in package.folder.rglob("*")}

    assert project["project"]["entry-points"]["citewell.v1"] == {"my-own": "citewell_my_own.plugin"}
    assert project["tool"]["mypy"]["strict"]
    assert {
        *("README.md", "CHANGELOG.md", ".gitignore", ".github/workflows/tests.yml"),
        *("src/citewell_my_own/py.typed", "example/citewell.toml", f"tests/test_{kind}.py"),
    } <= names
    assert not [name for name in names if "jinja" in name or "{" in name]


@needs_checkers
@pytest.mark.parametrize("name", ["a", "x2-y_3", "n" * 40])
def test_a_package_is_linted_whatever_its_name_is(name, tmp_path):
    package = new_package(name, "command", tmp_path)

    linted = package.run("-m", "ruff", "check", "--no-cache")

    assert linted.returncode == 0, linted.stdout


def test_the_how_to_tells_of_every_kind():
    page = (ROOT / "docs" / "how-to" / "make-a-plugin.md").read_text(encoding="utf-8")

    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE))

    assert told.keys() == KINDS.keys()
    assert all(kind.description in told[name] for name, kind in KINDS.items())
