import pytest

import tunings
from citewell.cli.main import run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return tunings.move_in(tmp_path, monkeypatch)


@pytest.fixture
def said(capsys):
    """Return a function that runs a command, and returns its code and what it said."""

    def call(*words):
        code = run([*map(str, words)])
        return code, *capsys.readouterr()

    return call
