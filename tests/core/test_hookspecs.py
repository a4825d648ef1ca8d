"""Every hook is documented, and a plugin that implements it is called."""

import inspect
from pathlib import Path

import pytest

from citewell import Audience, Observation, Question, hookspecs
from citewell.engine.offers import KINDS
from citewell.engine.registry import Registry
from distributions import Site

HOOKS = [name for name, value in vars(hookspecs).items() if hasattr(value, "citewell_spec")]
DOCS = Path(__file__).resolve().parents[2] / "docs"

PLUGIN = """
from contextlib import asynccontextmanager
import citewell
from citewell import Config, hookimpl

SEEN = []

@asynccontextmanager
async def build(config, context):
    yield None

def load():
    return None

async def healthy():
    return None

def spec(kind, config=Config, **fields):
    return [kind(name="mine", summary="mine", config=config, build=build, **fields)]

@hookimpl
def register_sources():
    return spec(citewell.SourceSpec)

@hookimpl
def register_loaders():
    return spec(citewell.LoaderSpec, suffixes=(".mine",))

@hookimpl
def register_retrievers():
    return spec(citewell.RetrieverSpec)

@hookimpl
def register_models():
    return spec(citewell.ModelSpec)

@hookimpl
def register_embedders():
    return spec(citewell.EmbedderSpec)

@hookimpl
def register_rerankers():
    return spec(citewell.RerankerSpec)

@hookimpl
def register_engines():
    return spec(citewell.EngineSpec)

@hookimpl
def register_verifiers():
    return spec(citewell.VerifierSpec)

@hookimpl
def register_metrics():
    return spec(citewell.MetricSpec)

def learns(config):
    return frozenset()

@hookimpl
def register_trainers():
    return spec(citewell.TrainerSpec, learns=learns)

@hookimpl
def register_exporters():
    return spec(citewell.ExporterSpec)

@hookimpl
def register_formatters():
    return spec(citewell.FormatterSpec)

@hookimpl
def register_adapters():
    return spec(citewell.AdapterSpec, config=citewell.chat.ChatConfig)

@hookimpl
def register_commands():
    return [citewell.CommandSpec(name="mine", summary="mine", load=load)]

@hookimpl
def register_health_checks():
    return [citewell.HealthCheck(name="mine", summary="mine", run=healthy)]

@hookimpl
def route(question, profiles):
    SEEN.append("route")
    return profiles[0]

@hookimpl
def observe(event):
    SEEN.append("observe")
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    site = Site(tmp_path / "site", monkeypatch)
    (tmp_path / "site" / "implements_all.py").write_text(PLUGIN)
    site.install({"mine": "implements_all"}, name="citewell-mine")
    return Registry.load(strict=True)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented(name):
    hook = getattr(hookspecs, name)
    pages = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))

    assert inspect.getdoc(hook), f"{name} needs a docstring"
    assert f"`{name}`" in pages, f"{name} stands in no page of docs/"


@pytest.mark.parametrize("name", HOOKS)
def test_the_plugin_of_this_test_implements_every_hook(name):
    assert f"def {name}(" in PLUGIN


def test_every_registering_hook_has_its_kind():
    assert {kind.hook for kind in KINDS} == {name for name in HOOKS if name.startswith("register_")}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_a_hook_offers_can_be_had(registry, kind):
    assert registry.offer(kind.name, "mine").summary == "mine"
    attribute = f"{kind.name.replace(' ', '_')}s"
    assert any(getattr(one, "name", one) == "mine" for one in getattr(registry, attribute))


def test_route_and_observe_are_called(registry):
    import implements_all

    question = Question(id="q1", text="?", audience=Audience.of("everyone"))
    chosen = registry.route(question, ("first", "second"))
    registry.observe(Observation(event="failed", question_id="q1", seconds=0))

    assert chosen == "first"
    assert implements_all.SEEN == ["route", "observe"]
