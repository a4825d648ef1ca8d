"""A component whose settings name a model is given that model, and no other."""

import pytest

from citewell import ConfigError, EvalItem, Outcome, Response
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.engine.trust import Trust

PLUGIN = '''
from contextlib import asynccontextmanager
import citewell

class AskingConfig(citewell.Config):
    model: citewell.ModelName | None = None

class Asking:
    """Gives 1 where its model is heard; says what the model may not be given."""

    def __init__(self, config, context):
        self.config, self.models = config, context.models

    async def score(self, item, response):
        if item.question == "what is held back?":
            held = [label for label in ("hr", "everyone")
                    if self.models.withholds(self.config.model, frozenset({label}))]
            return citewell.Unscored(f"without {held}")
        model = await self.models.open(self.config.model)
        prompt = citewell.Prompt(instructions="", question=item.question, refusal="")
        said = [one.text async for one in model.generate(prompt) if isinstance(one, citewell.Delta)]
        return citewell.Unscored("".join(said))

@asynccontextmanager
async def build(config, context):
    yield Asking(config, context)

@citewell.hookimpl
def register_metrics():
    return [citewell.MetricSpec(name="asking", summary="x", config=AskingConfig, build=build)]

@citewell.hookimpl
def register_models():
    return [citewell.ModelSpec(name="relaying", summary="x", config=AskingConfig, build=build)]
'''
SETTINGS = """
[plugins]
paths = ["asking.py"]

[library.docs]
use = "files"
path = "docs"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "lexical"
model = "quotes"
"""
JUDGE = '[model.judge]\nuse = "scripted"\nscript = ["heard"]\n'
METRIC = '[metric.asking]\nuse = "asking"\nmodel = "judge"\n'


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "asking.py").write_text(PLUGIN)
    Trust().add(tmp_path / "asking.py", PLUGIN.encode())

    def load(more):
        path = tmp_path / "citewell.toml"
        path.write_text(SETTINGS + more)
        return load_settings(path)

    return load


async def said(settings, question="?"):
    async with open_runtime(settings) as runtime:
        metric = await runtime.metric("asking")
        response = Response(outcome=Outcome.ANSWERED)
        return (await metric.score(EvalItem(question=question), response)).reason


async def test_a_metric_asks_the_model_that_its_settings_name(settings):
    assert await said(settings(JUDGE + METRIC)) == "heard"


async def test_what_must_not_leave_is_held_back_from_a_model_elsewhere(settings):
    private = '[privacy]\nlocal_only = ["hr"]\n'

    here = await said(settings(JUDGE + METRIC + private), "what is held back?")
    elsewhere = await said(
        settings(f"{JUDGE}local = false\n{METRIC}{private}"), "what is held back?"
    )

    assert here == "without []"
    assert elsewhere == "without ['hr']"


async def test_a_secret_that_is_missing_is_told_when_the_model_is_asked(settings):
    cloud = (
        '[model.judge]\nuse = "litellm"\nmodel = "openai/x"\napi_key = { env = "NO_SUCH_KEY" }\n'
    )

    with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
        await said(settings(cloud + METRIC))


def test_a_model_that_is_not_there_is_refused_with_the_nearest(settings):
    with pytest.raises(ConfigError, match=r'metric\.asking\.model: there is no .*mean "judge"'):
        settings(JUDGE + METRIC.replace('"judge"', '"juge"'))


@pytest.mark.parametrize("other", ["relay", "relay2"])
def test_a_model_that_needs_itself_is_refused(settings, other):
    more = "".join(
        f'[model.{name}]\nuse = "relaying"\nmodel = "{named}"\n'
        for name, named in (("relay", other), ("relay2", "relay"))
    )

    with pytest.raises(ConfigError, match=rf"model\.relay\.model: \[model\.{other}\] leads back"):
        settings(more)
