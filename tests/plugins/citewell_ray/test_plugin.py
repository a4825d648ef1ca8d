"""Without Ray the engine says how to get it."""

import logging

import pytest

from citewell import Context, MissingExtra
from citewell_ray import plugin


async def test_a_missing_package_is_told_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr(plugin, "find_spec", lambda _: None)
    context = Context(
        name="cluster", log=logging.getLogger("test"), data_dir=tmp_path, base_dir=tmp_path
    )

    with pytest.raises(MissingExtra, match=r'run: pip install "citewell\[ray\]"'):
        async with plugin.build(plugin.RayConfig(), context):
            pass
