"""What the settings name is opened when it is asked for."""

import pytest

from citewell import ConfigError
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.evaluation.scores import metric_score
from distributions import Site
from scored_cases import item, said

SETTINGS = """
[metric.brief]
use = "length"
max_words = 2

[model.quotes]
use = "extractive"

[profile.default]
model = "quotes"
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    site = Site(tmp_path / "site", monkeypatch)
    site.install({"length": "length_metric"}, name="citewell-length")
    file = tmp_path / "citewell.toml"
    file.write_text(SETTINGS)
    return load_settings(file)


async def test_a_metric_of_the_settings_scores(settings):
    async with open_runtime(settings) as runtime:
        metric = await runtime.metric("brief")
        again = await runtime.metric("brief")
        score = await metric_score(metric, item(), said("one two three four"))

    assert score == 0.5
    assert again is metric


async def test_a_metric_that_is_not_there_is_named(settings):
    async with open_runtime(settings) as runtime:
        with pytest.raises(ConfigError, match=r'brif.* did you mean "brief"'):
            await runtime.metric("brif")
