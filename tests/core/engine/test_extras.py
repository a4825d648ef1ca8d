"""A component whose optional package is missing says which extra brings it."""

from importlib import metadata

import pytest

from citewell.engine import extras
from citewell.engine.registry import Registry
from distributions import Site

PLUGIN = """
from contextlib import asynccontextmanager
from citewell import Config, ModelSpec, hookimpl

@asynccontextmanager
async def build(config, context):
    yield None

@hookimpl
def register_models():
    return [
        ModelSpec(name="big", summary="x", config=Config, build=build, extra="big"),
        ModelSpec(name="small", summary="x", config=Config, build=build, extra="small"),
    ]
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    site = Site(tmp_path / "site", monkeypatch)
    (tmp_path / "site" / "needing.py").write_text(PLUGIN)
    site.install({"needing": "needing"}, name="citewell-needing")
    info = tmp_path / "site" / "citewell_needing-0.3.dist-info" / "METADATA"
    info.write_text(
        info.read_text()
        + 'Requires-Dist: pydantic; extra == "small"\n'
        + "Requires-Dist: a-package-that-nobody-has>=1; extra == 'big'\n"
        + "Requires-Dist: another-package-that-nobody-has\n"
    )
    return Registry.load()


def test_only_what_is_missing_is_named(registry):
    name = "citewell-needing"

    assert extras.missing_packages(name, "big") == ["a-package-that-nobody-has"]
    assert extras.missing_packages(name, "small") == []
    assert extras.missing_packages("a-package-that-nobody-has", "big") == []


def test_the_install_command_is_given(registry):
    command = extras.missing_extra(registry, "model", "big")

    assert command == 'pip install "citewell-needing[big]"'
    assert extras.missing_extra(registry, "model", "small") is None
    assert extras.missing_extra(registry, "model", "extractive") is None


def test_the_plugin_says_which_extra_it_needs(registry):
    state = {one.name: one for one in extras.plugin_states(registry)}["needing"]

    assert state.state == "needs extra big"
    assert state.reason == 'model big needs: pip install "citewell-needing[big]"'


def test_our_own_extras_exist():
    declared = metadata.metadata("citewell").get_all("Provides-Extra") or []
    registry = Registry.load(strict=True)
    offers = [spec for kind in ("loader", "model") for spec in registry.components(kind).values()]

    assert {spec.extra for spec in offers if spec.extra} <= set(declared)
