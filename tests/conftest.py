"""What every test shares: no network, test data by name, and `--no-skips`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import loopback

loopback.install()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="fail when a test was skipped: this run must be able to run them all",
    )


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
