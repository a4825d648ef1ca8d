import json
import tomllib
import zipfile

import pytest

from packages import ROOT, size_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEAVY = {"haystack-ai", "litellm", "torch", "llama-cpp-python", "numpy", "scipy"}
MEGABYTE = 10**6


def package_folders():
    roots = [ROOT / "core", ROOT / "plugins", ROOT / "adapters"]
    return sorted(path.parent for root in roots for path in root.glob("*/__init__.py"))


def test_every_package_folder_is_listed_for_the_wheel():
    listed = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    folders = [path.relative_to(ROOT).as_posix() for path in package_folders()]

    assert sorted(listed) == folders


def test_every_package_is_under_the_import_contracts():
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    packages = {path.name for path in package_folders()}

    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == packages
    for contract in contracts[:2]:
        listed = contract.get("modules") or contract["forbidden_modules"]
        assert set(listed) == packages - {"citewell"}


def test_wheel_holds_every_file_of_every_package(wheel):
    expected = {
        path.relative_to(folder.parent).as_posix()
        for folder in package_folders()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert packed == expected


def test_every_package_says_that_it_is_typed(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())

    assert {f"{folder.name}/py.typed" for folder in package_folders()} <= packed


def test_every_entry_point_can_be_imported(installed, tmp_path):
    code = (
        "from importlib.metadata import entry_points\n"
        "for point in entry_points(group='citewell.v1'):\n"
        "    print(point.name, point.load().__name__)\n"
    )

    done = installed.run("python", "-c", code, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    points = dict(line.split() for line in done.stdout.splitlines())
    assert points == PROJECT["project"]["entry-points"]["citewell.v1"]


def test_base_install_stays_small(installed, tmp_path):
    listed = installed.run("python", "-m", "pip", "list", "--format", "json", cwd=tmp_path)

    names = {package["name"].lower() for package in json.loads(listed.stdout)}

    assert not names & HEAVY
    beyond_bare = size_of(installed.folder) - installed.bare_bytes
    assert beyond_bare / MEGABYTE < 150


def test_base_install_answers_from_a_folder(installed, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "leave.md").write_text("# Leave\n\nEvery employee has 28 days of leave a year.\n")

    done = installed.run(
        *["citewell", "ask", "How many days of leave do I have?", "--docs", docs], cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert "28 days of leave" in done.stdout
    assert "leave.md" in done.stdout


@pytest.mark.parametrize(("example", "extra"), [("gguf", "llamacpp"), ("api", "litellm")])
def test_a_model_without_its_extra_names_the_command(installed, tmp_path, example, extra):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "leave.md").write_text("Every employee has 28 days of leave a year.\n")
    config = (ROOT / "config" / f"{example}.toml").read_text(encoding="utf-8")
    (tmp_path / "citewell.toml").write_text(
        config.replace('fallback = ["quotes"]', "").replace('api_key = { env = "', "# ")
    )
    command = f'pip install "citewell[{extra}]"'

    checked = installed.run("citewell", "config", "check", cwd=tmp_path)
    installed.run("citewell", "sync", cwd=tmp_path)
    asked = installed.run("citewell", "ask", "How many days of leave?", cwd=tmp_path)
    examined = installed.run("citewell", "doctor", cwd=tmp_path)

    assert checked.returncode == 0
    assert command in checked.stdout + checked.stderr
    assert asked.returncode == 1
    assert command in asked.stderr
    assert examined.returncode == 1
    assert f"needs an extra; run: {command}" in examined.stdout
    assert not any("Traceback" in done.stderr for done in (checked, asked, examined))


@pytest.mark.parametrize("extra", sorted(PROJECT["project"]["optional-dependencies"]))
def test_all_joins_every_extra(extra):
    (joined,) = PROJECT["project"]["optional-dependencies"]["all"]

    assert extra == "all" or extra in joined.removeprefix("citewell[").removesuffix("]").split(",")
