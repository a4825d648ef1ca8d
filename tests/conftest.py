"""What every test shares: no network, test data by name, and `--no-skips`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

import loopback

loopback.install()
# What a script runs in its background ignores Ctrl-C, and the commands under test would too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine an example may take any time; hypothesis has a profile of its own for CI.
settings.register_profile("house", deadline=None)
if not os.environ.get("CI"):
    settings.load_profile("house")


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
