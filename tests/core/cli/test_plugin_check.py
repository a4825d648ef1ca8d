"""`citewell plugins check` finds what an author gets wrong, says the fix, and passes our own."""

import json

import pytest

from citewell.cli.main import run
from citewell.engine.registry import Registry
from distributions import Site

HEAD = '''"""A model, for tests."""
from contextlib import asynccontextmanager
from pydantic import Field, SecretStr, field_validator
from citewell import Config, EmbedderSpec, LoaderSpec, ModelCapabilities, ModelSpec, hookimpl

class Settings(Config):
    """Settings of the model `mine`."""

    size: int = Field(default=3, ge=1, description="how large")

@asynccontextmanager
async def build(config, context):
    yield None

'''
HOOK = """
@hookimpl
def register_models():
    return [ModelSpec(name="mine", summary="says nothing", config=Settings, build=build)]
"""
FIELD = '    size: int = Field(default=3, ge=1, description="how large")\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "here"


@pytest.fixture
def site(tmp_path, monkeypatch, here):
    return Site(tmp_path / "site", monkeypatch)


@pytest.fixture
def checked(tmp_path, site, capsys):
    """Return a function that checks the plugin of one module, and returns code and lines."""

    def check(text):
        (tmp_path / "site" / "made_up_plugin.py").write_text(text, encoding="utf-8")
        site.install({"mine": "made_up_plugin"}, name="citewell-mine")
        code = run(["plugins", "check", "mine"])
        return code, capsys.readouterr().out.splitlines()

    return check


def test_a_good_plugin_passes(checked):
    code, lines = checked(HEAD + HOOK)

    assert (code, lines) == (0, ["1 plugin checked: nothing is wrong"])


def changed(field, hook=HOOK):
    return HEAD.replace(FIELD, field) + hook


def claiming(kind, fields):
    return HEAD + (
        f"\n@hookimpl\ndef register_{kind.lower()}s():\n"
        f'    return [{kind}Spec(name="mine", summary="says nothing", config=Settings, '
        f"build=build, {fields})]\n"
    )


BAD = {
    "undescribed": (
        changed("    size: int = 3\n"),
        (
            "mine: model mine, setting size: is not described; expected a description; "
            'add Field(description="...")'
        ),
    ),
    "default": (
        changed('    size: int = Field(default=0, ge=1, description="how large")\n'),
        (
            "setting size: its default is refused: Input should be greater than or equal to 1; "
            "expected a default that the setting itself takes; change the default or the type"
        ),
    ),
    "default against a validator": (
        changed(
            FIELD
            + "    @field_validator('size')\n    @classmethod\n    def _even(cls, size):\n"
            + "        if size % 2:\n            raise ValueError('expected an even size')\n"
            + "        return size\n"
        ),
        "setting size: its default is refused: Value error, expected an even size",
    ),
    "default against a validator that is wrong": (
        changed(
            FIELD
            + "    @field_validator('size')\n    @classmethod\n    def _even(cls, size):\n"
            + "        return size['gone']\n"
        ),
        "its config model cannot be checked: TypeError: ",
    ),
    "type": (
        changed("    call: type | None = Field(default=None, description='what')\n").replace(
            "type | None", "__import__('typing').Callable[[], int] | None"
        ),
        "mine: model mine: the config model Settings has no JSON Schema: ",
    ),
    "secret": (
        changed('    api_key: str = Field(default="", description="of the service")\n'),
        "setting api_key: is a secret and a plain text",
    ),
    "example": (
        changed('    code: str = Field(pattern="^[A-Z]{9}$", description="of the region")\n'),
        "add Field(examples=[...]) to the setting",
    ),
    "no docstring of the settings": (
        (HEAD + HOOK).replace('    """Settings of the model `mine`."""\n', ""),
        "its config model Settings has no docstring",
    ),
    "no docstring": (
        (HEAD + HOOK).replace('"""A model, for tests."""', ""),
        "mine: module: has no docstring",
    ),
    "lax": (
        (HEAD + HOOK).replace("(Config)", "(Config, extra='ignore')"),
        "which accepts unknown settings; derive it from citewell.Config",
    ),
    "async hook": ((HEAD + HOOK).replace("def register", "async def register"), "is async"),
    "unknown hook": (HEAD + HOOK.replace("models", "modls"), 'did you mean "register_models"?'),
    "wrong signature": (HEAD + HOOK.replace("models()", "models(extra)"), "Argument(s) {'extra'}"),
    "unmarked": (
        HEAD + HOOK + "\ndef register_loaders():\n    return ()\n",
        (
            "mine: register_loaders: is named like a hook and is none; expected a hook; "
            "add @citewell.hookimpl"
        ),
    ),
    "prints": (HEAD + "print('hello')\n" + HOOK, 'mine: import: prints "hello"'),
    "prints past Python": (HEAD + "import os; os.write(2, b'low')\n" + HOOK, 'prints "low"'),
    "heavy": (HEAD + "import numpy\n" + HOOK, "mine: import: imports numpy; expected no heavy"),
    "heavy in a hook": (
        HEAD + HOOK.replace("    return", "    import numpy\n    return"),
        "imports numpy",
    ),
    "slow": (
        HEAD + HOOK.replace("    return", "    sum(range(10**8))\n    return"),
        "mine: register_models: computes for ",
    ),
    "waiting": (
        HEAD + HOOK.replace("    return", "    import time; time.sleep(2.5)\n    return"),
        "mine: register_models: waits for ",
    ),
    "program": (
        HEAD
        + "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)\n"
        + HOOK,
        "mine: import: starts a program; expected no input and output while a plugin is loaded",
    ),
    "written": (HEAD + "open('left.txt', 'w').close()\n" + HOOK, "writes the file left.txt"),
    "extra": (claiming("Model", 'extra="gone"'), 'the extra "gone", which citewell-mine does not'),
    "capabilities": (
        claiming("Model", "capabilities=lambda config: {'local': True}"),
        "capabilities is {'local': True}; expected ModelCapabilities",
    ),
    "local": (claiming("Embedder", "local=lambda config: config.gone"), "local raised Attribute"),
    "chosen": (
        claiming("Loader", "suffixes=('.a',), chosen=lambda config: ('A',)"),
        "chosen is ('A',); expected a tuple of suffixes",
    ),
    "bare build": (
        (HEAD + HOOK).replace("@asynccontextmanager\n", ""),
        "its build is a bare async function",
    ),
    "build of one argument": (
        (HEAD + HOOK).replace("build(config, context)", "build(config)"),
        "its build takes (config); expected two arguments",
    ),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=list(BAD))
def test_what_is_wrong_is_said_with_its_fix(checked, text, said):
    code, lines = checked(text)

    assert code == 1
    assert any(said in line for line in lines), lines
    assert lines[-1] == f"1 plugin checked: {len(lines) - 1} problem{'s' * (len(lines) > 2)}"


def test_a_name_that_is_taken_is_a_problem(site, capsys):
    site.install({"hello": "takes_a_name"}, name="citewell-hello")

    assert run(["plugins", "check", "hello"]) == 1

    assert 'hello: names: formatter "plain" of plugin "hello"' in capsys.readouterr().out


def test_a_plugin_file_is_checked_as_it_was_trusted(here, capsys):
    (here / "mine.py").write_text(HEAD + "print('hello')\n" + HOOK)
    (here / "citewell.toml").write_text('[plugins]\npaths = ["mine.py"]\n')
    run(["plugins", "trust", "mine.py", "--yes"])

    assert run(["plugins", "check", "mine"]) == 1

    assert 'mine: import: prints "hello"' in capsys.readouterr().out


def test_a_plugin_that_is_switched_off_is_not_run(site, here, capsys):
    site.install({"hello": "exits_at_import"}, name="citewell-hello")
    (here / "citewell.toml").write_text('[plugins]\ndisabled = ["hello"]\n')

    assert run(["plugins", "check", "hello"]) == 0

    assert capsys.readouterr().out == "0 plugins checked: nothing is wrong\n"


def test_programs_get_every_part_of_a_problem(site, capsys):
    site.install({"hello": "prints_at_import"}, name="citewell-hello")

    assert run(["plugins", "check", "hello", "--json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["checked"]) == ("citewell.plugin-check/1", ["hello"])
    (fault,) = [one for one in found["faults"] if "prints" in one["found"]]
    assert fault["plugin"] == "hello"
    assert fault["where"] == "import"
    assert fault["expected"] == "silence: programs read what we print"
    assert fault["fix"] == "delete the print, or use `context.log`"


def test_an_unknown_plugin_names_the_nearest(here, capsys):
    assert run(["plugins", "check", "embeded"]) == 1

    assert 'did you mean "embedded"?' in capsys.readouterr().err


@pytest.mark.parametrize("plugin", [state.name for state in Registry.load().plugins])
def test_our_own_plugins_have_no_fault(here, capsys, plugin):
    assert run(["plugins", "check", plugin]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == "1 plugin checked: nothing is wrong\n"
