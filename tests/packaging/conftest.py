"""The wheel of this checkout, and an environment in which it is installed alone."""

from __future__ import annotations

from pathlib import Path

import pytest

import packages


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages.build_wheel(packages.ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> packages.Environment:
    """The environment after `pip install citewell`."""
    environment = packages.new_environment(tmp_path_factory.mktemp("environment"))
    environment.install(wheel)
    return environment
