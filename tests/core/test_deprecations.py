"""What is going to be removed is said to whoever uses it, by name, and is removed in time."""

import json
import re
import warnings
from importlib import metadata

import pytest

from citewell import hookspecs
from citewell.cli.main import run
from citewell.deprecations import PluginDeprecation, deprecated, deprecations
from citewell.engine.registry import HOOKS, Registry
from citewell.hookspecs import hookspec
from distributions import Site

WIDGETS = (
    'plugin "hello" (citewell-hello 0.3) uses the hook "register_widgets", which citewell 9.1 '
    'removes; use the hook "register_gadgets"'
)
OLD = """
from citewell import hookimpl

@hookimpl
def register_widgets():
    return ()
"""
ARGUMENT = """
from citewell import hookimpl

@hookimpl
def reroute(question, profiles):
    return None
"""
NEW = """
from citewell import hookimpl

@hookimpl
def reroute(question):
    return None
"""


@deprecated(replacement='the hook "register_gadgets"', removed_in="9.1")
@hookspec
def register_widgets():
    """Offer what nobody wants any more."""


@deprecated(argument="profiles", replacement="`question.profiles`", removed_in="9.2")
@hookspec
def reroute(question, profiles):
    """Take an argument that is going to be removed."""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a plugin of one module, beside two made-up hooks."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(hookspecs, "register_widgets", register_widgets, raising=False)
    monkeypatch.setattr(hookspecs, "reroute", reroute, raising=False)
    site = Site(tmp_path / "site", monkeypatch)

    def put(text):
        (tmp_path / "site" / "uses_old_hooks.py").write_text(text, encoding="utf-8")
        site.install({"hello": "uses_old_hooks"}, name="citewell-hello")

    return put


def test_a_deprecated_hook_names_plugin_distribution_replacement_and_release(install):
    install(OLD)

    with pytest.warns(PluginDeprecation, match=f"^{re.escape(WIDGETS)}$"):
        registry = Registry.load(strict=True)

    (state,) = registry.named("hello")
    assert state.state == "on"
    assert f"{state} {state.deprecated[0]}" == WIDGETS


def test_a_deprecated_argument_is_named(install):
    install(ARGUMENT)

    with pytest.warns(PluginDeprecation) as warned:
        Registry.load()

    assert [str(one.message) for one in warned] == [
        (
            'plugin "hello" (citewell-hello 0.3) uses the argument "profiles" of the hook '
            '"reroute", which citewell 9.2 removes; use `question.profiles`'
        )
    ]


def test_whoever_does_not_take_the_argument_is_not_warned(install):
    install(NEW)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (state,) = Registry.load().named("hello")

    assert state.deprecated == ()


@pytest.mark.filterwarnings("ignore::citewell.deprecations.PluginDeprecation")
@pytest.mark.parametrize("command", ["list", "check hello"])
def test_the_command_line_says_it_without_python_warnings(install, capsys, command):
    install(OLD)

    run(["plugins", *command.split()])

    assert WIDGETS.partition(" uses ")[2] in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore::citewell.deprecations.PluginDeprecation")
def test_programs_get_it(install, capsys):
    install(OLD)

    run(["plugins", "list", "--json"])

    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["plugins"]}
    assert found["hello"]["deprecated"] == [WIDGETS.partition(") ")[2]]
    assert found["files"]["deprecated"] == []


def test_what_was_to_be_removed_is_not_there_any_more():
    version = release(metadata.version("citewell"))

    overdue = [
        name
        for name in HOOKS
        for one in deprecations(getattr(hookspecs, name))
        if release(one.removed_in) <= version
    ]

    assert not overdue, "this release was to remove them"


def release(version):
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
