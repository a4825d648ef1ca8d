"""First-party plugins are what a stranger could have written.

The core is built without them; each is copied out, gets a project file of its own and is built as
a package of its own; then their contract tests run beside the core, far from this checkout.
"""

import re
import shutil
import tempfile
import tomllib
from importlib.util import find_spec

import pytest

from packages import ROOT, build_wheel, new_environment

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/__init__.py"))
# What their contract tests need beside themselves.
SUPPORT = (
    "tests/support/ggufs.py",
    "tests/support/github_server.py",
    "tests/support/judges.py",
    "tests/support/meaning.py",
    "tests/support/onnx_models.py",
    "tests/support/openai_server.py",
    "tests/support/websites.py",
    "scripts/random_gguf.py",
    "scripts/tiny_base.py",
)
NEEDED = (
    *("aiohttp", "flask", "flask-cors", "gguf", "hypothesis", "moto[s3]", "pytest"),
    *("onnx", "pytest-asyncio", "reportlab"),
)

ALONE = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1"

[project.entry-points."citewell.v1"]
{entry} = "{module}"

[tool.hatch.build.targets.wheel]
packages = ["{name}"]
"""

PYTEST = """
[pytest]
addopts = -ra --import-mode=importlib
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
pythonpath = .
"""


def core_alone(folder):
    """Copy the core out, with a project file that names no plugin."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    own = [line for line in text.splitlines() if not re.search('"(plugins|adapters)/', line)]
    entries = PROJECT["project"]["entry-points"]["citewell.v1"]
    named = {f'{entry} = "{module}"' for entry, module in entries.items() if "_" in module}
    kept = [line for line in own if line not in named]
    shutil.copytree(ROOT / "core", folder / "core", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    (folder / "pyproject.toml").write_text("\n".join(kept), encoding="utf-8")
    return folder


def plugin_alone(plugin, folder):
    """Copy a plugin out and give it a project file."""
    entries = PROJECT["project"]["entry-points"]["citewell.v1"]
    (entry,) = (name for name, module in entries.items() if module.split(".")[0] == plugin.name)
    shutil.copytree(plugin, folder / plugin.name, ignore=shutil.ignore_patterns("__pycache__"))
    project = ALONE.format(name=plugin.name, entry=entry, module=entries[entry])
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    return folder


def folder_in(root, name):
    folder = root / name
    folder.mkdir(parents=True)
    return folder


# What the extras bring has to be fetched and unpacked first.
@pytest.mark.timeout(1800)
def test_every_plugin_passes_its_contract_tests_as_a_package_of_its_own(tmp_path):
    compiled = find_spec("llama_cpp") is not None
    plugins = [one for one in PLUGINS if compiled or one.name != "citewell_llamacpp"]
    extras = sorted(set(PROJECT["project"]["optional-dependencies"]) - {"all", "llamacpp"})
    extras += ["llamacpp"] if compiled else []
    core = build_wheel(core_alone(folder_in(tmp_path, "core")), tmp_path / "core-wheel")
    wheels = [
        build_wheel(
            plugin_alone(plugin, folder_in(tmp_path, plugin.name)),
            tmp_path / "wheels" / plugin.name,
        )
        for plugin in plugins
    ]
    tests = folder_in(tmp_path, "tests")
    for plugin in plugins:
        contract = ROOT / "tests" / "plugins" / plugin.name / "test_contract.py"
        shutil.copy(contract, tests / f"test_{plugin.name}.py")
    for name in SUPPORT:
        shutil.copy(ROOT / name, tests)
    (tests / "pytest.ini").write_text(PYTEST, encoding="utf-8")
    environment = new_environment(tmp_path / "environment")
    environment.install("--no-compile", f"{core}[{','.join(extras)}]", *NEEDED)
    environment.install("--no-compile", "--no-deps", *wheels)

    # The folder that pytest takes by itself is that of these tests, and it would change its rights;
    # and the names of sockets, which stand below, may not be long.
    with tempfile.TemporaryDirectory(prefix="alone-") as own:
        done = environment.run("python", "-m", "pytest", "-q", f"--basetemp={own}/t", cwd=tests)

    assert done.returncode == 0, done.stdout + done.stderr
    for plugin in plugins:
        shown = environment.run(
            "python", "-c", f"import {plugin.name} as p; print(p.__file__)", cwd=tests
        )
        assert shown.stdout.startswith(str(environment.folder))
    if not compiled:
        pytest.skip("llama.cpp is not compiled on this machine; the other plugins passed")
