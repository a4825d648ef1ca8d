import logging
from pathlib import Path

import pytest

from citewell import Context


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("docs", "/base/docs"),
        (".", "/base"),
        ("../docs", "/base/../docs"),
        ("/elsewhere/docs", "/elsewhere/docs"),
        ("~/docs", "/somebody/docs"),
    ],
)
def test_a_path_leads_from_the_settings_or_from_home(monkeypatch, tmp_path, written, expected):
    monkeypatch.setenv("HOME", "/somebody")
    context = Context(
        name="main", log=logging.getLogger("test"), data_dir=tmp_path, base_dir=Path("/base")
    )

    assert context.resolve(Path(written)) == Path(expected)
