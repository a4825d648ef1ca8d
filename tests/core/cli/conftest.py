import sys
from pathlib import Path

import pytest

import commands
import screens

CONFIG = """\
[library.handbook]
use = "files"
path = "handbook"
labels = { "**" = ["everyone"], "hr/**" = ["people-team"] }

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[model.obedient]
use = "scripted"

[model.hostile]
use = "scripted"
behaviour = "hostile"

[model.slow]
use = "scripted"
behaviour = "slow"
delay_s = 0.2
script = ["Every employee has 28 days of leave a year [1]. Leave is asked for in the portal [1]."]

[model.inventive]
use = "scripted"
script = ["Every employee has 28 days of leave a year [1]. Bob has 40 days [1]."]

[model.failing]
use = "scripted"
behaviour = "failing"
pieces = 0

[profile.default]
retriever = "main"
model = "quotes"

[profile.obedient]
retriever = "main"
model = "obedient"

[profile.hostile]
retriever = "main"
model = "hostile"

[profile.slow]
retriever = "main"
model = "slow"

[profile.inventive]
retriever = "main"
model = "inventive"

[profile.failing]
retriever = "main"
model = "failing"

[profile.free]
model = "inventive"
"""


def _furnished(folder):
    made = commands.Machine(folder)
    (made.work / "citewell.toml").write_text(CONFIG, encoding="utf-8")
    (made.handbook / "hr").mkdir()
    (made.handbook / "hr" / "pay.md").write_text("# Pay\n\nThe bonus pool holds 9000 euros.\n")
    return made


@pytest.fixture
def machine(tmp_path):
    """Return a machine with documents and settings that was never synced."""
    return _furnished(tmp_path)


@pytest.fixture
def synced(machine):
    """Return a machine of the test's own whose documents are indexed."""
    done = machine.citewell("sync")
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """Return a machine whose documents are indexed, and stay as they are."""
    made = _furnished(tmp_path_factory.mktemp("machine"))
    done = made.citewell("sync")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def answered(shared):
    """Return the reference of an answer of `shared` with a dropped statement."""
    done = shared.citewell("ask", "How many days of leave do I have?", "--profile", "inventive")
    return commands.reference(done.stdout)


@pytest.fixture
def at_terminal():
    """Return a function that runs a command at a terminal."""

    def run(machine, *words):
        program = str(Path(sys.executable).parent / "citewell")
        unset = {"NO_COLOR", "COLUMNS"}
        environment = {key: value for key, value in machine.environment.items() if key not in unset}
        return screens.terminal([program, *words], cwd=machine.work, environment=environment)

    return run
