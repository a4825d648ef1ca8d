"""Fixtures for whoever tests a plugin of Citewell; pytest finds them by itself.

This is a package of its own so that it costs nothing: pytest imports it at each start, also where
nobody uses it, and Citewell is imported when a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from citewell import Model
    from citewell.chat import Rehearsal
    from citewell.testing.assistants import AssistantUnderTest
    from citewell.testing.clocks import Clock
    from citewell.testing.packages import Plugins


@pytest.fixture
def citewell_library(tmp_path: Path) -> AssistantUnderTest:
    """An assistant over three small documents: `ask` it, as any of five models if you like."""
    from citewell.testing.assistants import AssistantUnderTest
    from citewell.testing.small_library import write_small_library

    folder = tmp_path / "citewell-library"
    folder.mkdir()
    return AssistantUnderTest(write_small_library(folder))


@pytest.fixture
def citewell_config(tmp_path: Path) -> Callable[[str], AssistantUnderTest]:
    """Return a function that writes a `citewell.toml` into `tmp_path` and gives its assistant."""
    from citewell.testing.assistants import AssistantUnderTest

    def write(text: str) -> AssistantUnderTest:
        path = tmp_path / "citewell.toml"
        path.write_text(text, encoding="utf-8")
        return AssistantUnderTest(path)

    return write


@pytest.fixture
def citewell_model() -> Callable[..., Model]:
    """Return a function that makes a model: obedient, hostile, slow, failing or streaming."""
    from citewell.testing.small_library import scripted_model

    return scripted_model


@pytest.fixture
def citewell_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that goes on by itself and that the test can move ahead."""
    from citewell.testing.clocks import Clock

    return Clock(monkeypatch)


@pytest.fixture
def citewell_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """The installed plugins, none of which may be bad, and a way to add one of the test's own."""
    from citewell.testing.packages import Plugins

    return Plugins(tmp_path / "citewell-plugins", monkeypatch)


@pytest.fixture
def citewell_double() -> Callable[[str], AbstractAsyncContextManager[Rehearsal]]:
    """Return a function that opens the stand-in of an installed adapter: people in its chat."""
    from citewell.testing.opening import open_double

    return open_double
