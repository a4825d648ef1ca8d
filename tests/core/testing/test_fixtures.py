"""Citewell's own fixtures for pytest: each does what its page says, and costs nothing unasked."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "how-to" / "test-a-plugin.md"
EXAMPLES = [
    example
    for example in re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    if re.search(r"def test_.*\(citewell_", example)
]


@pytest.fixture
def pytest_alone(tmp_path):
    """Return a function that runs pytest on tests of somebody else, who has no settings of ours."""

    def run(*tests, arguments=()):
        folder = tmp_path / "theirs"
        folder.mkdir()
        for number, text in enumerate(tests):
            (folder / f"test_{number}.py").write_text(text, encoding="utf-8")
        # Nobody needs another plugin of pytest's for them.
        plugins = ("-p", "citewell_pytest", "-p", "no:asyncio", "-p", "no:cacheprovider")
        words = ("-q", "-W", "error", *plugins)
        return subprocess.run(
            [sys.executable, "-m", "pytest", *words, f"--basetemp={tmp_path / 'own'}", *arguments],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
        )

    return run


def passed(done):
    found = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(found[1])


def test_the_examples_of_the_page_pass(pytest_alone):
    done = pytest_alone(*EXAMPLES)

    assert passed(done) == sum(example.count("\ndef test_") for example in EXAMPLES) + sum(
        example.startswith("def test_") for example in EXAMPLES
    )


def test_every_fixture_has_an_example_and_a_docstring():
    import citewell_pytest

    fixtures = {name for name in vars(citewell_pytest) if name.startswith("citewell_")}

    assert fixtures
    for name in fixtures:
        assert any(re.search(rf"def test_.*\(.*\b{name}\b", example) for example in EXAMPLES), name
        assert f"### `{name}`" in PAGE.read_text("utf-8")
        assert getattr(citewell_pytest, name).__doc__


def test_whoever_does_not_ask_for_them_does_not_import_citewell():
    code = (
        "import sys, citewell_pytest\n"
        "print([one for one in sys.modules if one.split('.')[0] == 'citewell'])"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


def test_pytest_finds_them_by_an_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    # The same name as that of the module, so that `-p` does not register it a second time.
    assert project["entry-points"]["pytest11"] == {"citewell_pytest": "citewell_pytest"}


def test_what_was_answered_grew(citewell_growing):
    assert [one.complete for one in citewell_growing][-2:] == [False, True]


@pytest.fixture
def citewell_growing(tmp_path):
    import asyncio

    from citewell.testing.assistants import AssistantUnderTest
    from citewell.testing.small_library import write_small_library

    assistant = AssistantUnderTest(write_small_library(tmp_path))
    return asyncio.run(assistant.growing("How many days of leave?", profile="streaming"))


BAD_PLUGIN = """
import types
import citewell

def test_a_bad_plugin_is_not_passed_over(citewell_registry):
    import pytest
    citewell_registry.add(types.ModuleType("empty"))

    with pytest.raises(citewell.PluginError, match="it implements no hook"):
        citewell_registry.load()

def test_what_was_added_is_gone_afterwards(citewell_registry):
    assert "empty" not in {state.name for state in citewell_registry.load().plugins}
"""
FAILS = """
def test_a_failing_model_fails_in_words(citewell_library):
    answer = citewell_library.ask("How many days of leave?", profile="failing")
    assert answer.outcome.value == "failed", answer
    assert answer.notice

def test_every_model_can_be_asked(citewell_library):
    for name in ("obedient", "hostile", "slow", "streaming"):
        answer = citewell_library.ask("How many days of leave?", profile=name)
        assert answer.model == name
        assert answer.citations
"""
CLOCK = """
import time
import pytest

REAL = time.time

def test_time_does_not_go_back(citewell_clock):
    assert time.time is not REAL
    with pytest.raises(ValueError, match="time does not go back"):
        citewell_clock.move(-1)

def test_time_is_as_it_was_afterwards():
    assert time.time is REAL
"""
DOUBLE = """
import citewell
import pytest

def test_a_chat_that_nobody_offers_is_named(citewell_double):
    with pytest.raises(citewell.UnknownComponent, match='did you mean "slack"'):
        citewell_double("slak")
"""


def test_what_goes_wrong_is_said(pytest_alone):
    assert passed(pytest_alone(BAD_PLUGIN, FAILS, CLOCK, DOUBLE)) == 7
