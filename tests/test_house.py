"""Rules of the house that no linter knows."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import citewell
from citewell.globs import Globs

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))


def kept(suffix=""):
    """Return our own files; without git, because a source archive has none."""
    ignored = Globs([".git", *(ROOT / ".gitignore").read_text(encoding="utf-8").split()])
    found = []
    for place, folders, names in os.walk(ROOT):
        below = Path(place).relative_to(ROOT)
        folders[:] = [one for one in folders if not ignored.matches(f"{(below / one).as_posix()}/")]
        found += [
            ROOT / below / one
            for one in names
            if one.endswith(suffix) and not ignored.matches((below / one).as_posix())
        ]
    return sorted(path for path in found if path.is_file())


def test_no_file_that_git_keeps_is_passed_over():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("a source archive, not a clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )

    names = {ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file()}

    assert names
    assert names <= set(kept())


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_has_its_contract_test(plugin):
    test = ROOT / "tests" / "plugins" / plugin / "test_contract.py"

    tree = ast.parse(test.read_text(encoding="utf-8"))
    bases = {
        ast.unparse(base).rpartition(".")[2]
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }

    assert any(base.endswith("Contract") for base in bases)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_plugins_import_public_modules_alone(plugin):
    offered = {f"citewell.{name}" for name in citewell.__all__}
    public = {"citewell", "citewell.testing"} | (offered & set(sys.modules))
    imported = set()
    for path in (ROOT / "plugins" / plugin).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)

    own = {name for name in imported if name.split(".")[0] == "citewell"}

    assert own <= public


def test_a_suppressed_check_says_why():
    bare = re.compile(r"#\s*(noqa(?!: [A-Z0-9, ]+ - \w)|type: ignore(?!\[))")

    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in kept(".py")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]

    assert found == []


def test_no_file_speaks_of_the_machine_it_was_written_on():
    word = re.compile(
        r"(?<![\w.-])/(work|root|tmp/[a-z]|home/\w|opt/(wheels|pypi))\b|localhost:\d{4}"
    )

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in kept()
        if path != Path(__file__)
        and path.suffix in {".md", ".py", ".toml", ".lock", ".json", ".cfg", ""}
        and (match := word.search(path.read_text(encoding="utf-8", errors="ignore")))
    ]

    assert found == []


def test_locks_name_no_place_to_download_from():
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")

        pinned = re.findall(r"^[\w.-]+(?:\[[\w,-]+\])?==\S+", text, flags=re.MULTILINE)

        assert len(pinned) > 20
        assert not re.search(r"https?:|file:|^\s*-(?!-hash=)", text, flags=re.MULTILINE)


def locked(name: str) -> dict[str, set[str]]:
    """Return the packages of a lock, with their extras."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    lines = re.findall(r"^([\w.-]+)(?:\[([\w, -]+)\])?==", text, flags=re.MULTILINE)
    return {package: set(re.split(", ?", extras)) for package, extras in lines}


def test_what_is_needed_with_an_extra_is_locked_with_it():
    """Else pip before 23.3, which Python 3.11 brings, takes the newest and finds no hash."""
    packages = locked("test")

    wanted = [
        requirement
        for installed in metadata.distributions()
        if canonicalize_name(installed.name) in packages
        for line in installed.requires or ()
        if (requirement := Requirement(line)).extras
        and (requirement.marker is None or requirement.marker.evaluate({"extra": ""}))
    ]

    assert wanted
    assert all(one.extras <= packages[canonicalize_name(one.name)] for one in wanted)


def test_lock_holds_what_the_project_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    needed = {re.match(r"[\w.-]+", line)[0].lower() for line in project["dependencies"]}

    assert needed <= locked("run").keys()


@pytest.mark.parametrize("page", kept(".md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)

    missing = [
        target
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
        if not (page.parent / target).exists()
    ]

    assert missing == []
