"""With a stand-in for the packages; `test_packages` holds them to the same."""

import pytest

import judges
from citewell.testing import MetricContract

MODELS = {"judge": {"use": "scripted", "script": ['{"rating": 0.5}']}}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield judges.stand_in(tmp_path_factory.mktemp("environment"))


class OfJudge(MetricContract):
    models = MODELS
    measure = "faithfulness"
    judges_all = True

    @pytest.fixture(autouse=True)
    def _environment(self, environment):
        self.environment = environment

    @property
    def config(self):
        return {
            "measure": self.measure,
            "model": "judge",
            "environment": str(self.environment),
        }


class TestRagas(OfJudge):
    name = "ragas"


class TestRagasAgainstAnExpectedAnswer(OfJudge):
    name = "ragas"
    measure = "answer_accuracy"
    judges_all = False


class TestDeepeval(OfJudge):
    name = "deepeval"
