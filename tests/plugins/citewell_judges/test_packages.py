"""The real ragas and the real DeepEval, each in an environment with pinned packages.

They are asked in one file, since making the environments takes a minute or two.
"""

import json
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

import judges
import openai_server
from citewell import Delta, EvalItem, Outcome, Response, Unscored, Usage
from citewell.cli.main import run
from citewell.testing import MetricContract, make_passages
from citewell.testing.opening import context_for, opened
from citewell_judges import process as judge_process
from citewell_judges.plugin import build
from citewell_judges.settings import DeepevalConfig, RagasConfig
from islands import write_project

# With what is fetched and unpacked for the first of them.
pytestmark = pytest.mark.timeout(1200)

HERE = Path(__file__).parent
ITEM = EvalItem(question="How many days of leave are there?", answers=("28 days",))
RESPONSE = Response(
    outcome=Outcome.ANSWERED,
    text="28 days. Nobody has more.",
    found=make_passages("Every employee has 28 days of leave.", "The office is in Bonn."),
)
EASY = {
    "ragas": ("answer_accuracy", {"rating": 4}),
    "deepeval": (
        "faithfulness",
        {"truths": ["a"], "claims": ["a"], "verdicts": [{"verdict": "yes"}]},
    ),
}
"""A measure of each for which one output of the model is enough."""


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Return the environment of a package, made when it is first asked for."""
    made = {}

    def environment(name):
        if name not in made:
            pins = HERE / f"requirements-{name}.txt"
            made[name] = judges.installed(pins, tmp_path_factory.mktemp(name))
        return made[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        yield environment


class OfPackage(MetricContract):
    judges_all = True

    @pytest.fixture(autouse=True)
    def _environment(self, environments):
        self.environment = environments(self.name)

    @property
    def config(self):
        return {
            "measure": EASY[self.name][0],
            "model": "judge",
            "environment": str(self.environment),
        }

    @property
    def models(self):
        return {"judge": easy(self.name)}


class TestRagas(OfPackage):
    name = "ragas"
    judges_all = False


class TestDeepeval(OfPackage):
    name = "deepeval"


def easy(name):
    return {"use": "scripted", "script": [json.dumps(EASY[name][1])]}


class Replying:
    """A model that answers by the title of the schema that it is asked for."""

    def __init__(self, replies):
        self.replies = {title: [*said] for title, said in replies.items()}

    async def open(self, name):
        return self

    def identity(self, name):
        return name

    def withholds(self, name, labels):
        return False

    async def generate(self, prompt):
        said = self.replies[prompt.constraint.schema["title"]]
        yield Delta(json.dumps(said.pop(0) if len(said) > 1 else said[0]))
        yield Usage()


@asynccontextmanager
async def judging(name, measure, models, environments, folder):
    kind = RagasConfig if name == "ragas" else DeepevalConfig
    config = kind(measure=measure, model="judge", environment=environments(name))
    async with build(config, replace(context_for("metric", name, folder), models=models)) as judge:
        yield judge


def verdicts(*said):
    return {"verdicts": [{"verdict": one, "reason": "so"} for one in said]}


def found(*said):
    return {"statements": [{"statement": "s", "reason": "so", "verdict": one} for one in said]}


RAGAS = {
    "faithfulness": (
        {
            "StatementGeneratorOutput": [{"statements": ["a", "b"]}],
            "NLIStatementOutput": [found(1, 0)],
        },
        0.5,
    ),
    "context_precision": (
        {"ContextPrecisionOutput": [{"reason": "", "verdict": 0}, {"reason": "", "verdict": 1}]},
        0.5,
    ),
    "context_recall": (
        {
            "ContextRecallOutput": [
                {"classifications": [{"statement": "s", "reason": "so", "attributed": 1}]}
            ]
        },
        1,
    ),
    "factual_correctness": (
        {
            "ClaimDecompositionOutput": [{"claims": ["a"]}],
            "NLIStatementOutput": [found(1), found(1, 0)],
        },
        0.67,
    ),
    "answer_accuracy": ({"AnswerAccuracyOutput": [{"rating": 4}, {"rating": 2}]}, 0.75),
}
DEEPEVAL = {
    "answer_relevancy": (
        {"Statements": [{"statements": ["a", "b"]}], "Verdicts": [verdicts("yes", "no")]},
        0.5,
    ),
    "faithfulness": (
        {
            "Truths": [{"truths": ["a"]}],
            "Claims": [{"claims": ["a", "b"]}],
            "Verdicts": [verdicts("yes", "no")],
        },
        0.5,
    ),
    "contextual_precision": ({"Verdicts": [verdicts("no", "yes")]}, 0.5),
    "contextual_recall": ({"Verdicts": [verdicts("yes", "no")]}, 0.5),
}
ALL = [("ragas", *one) for one in RAGAS.items()] + [("deepeval", *one) for one in DEEPEVAL.items()]


@pytest.mark.parametrize(("name", "measure", "said"), ALL)
async def test_every_measure_scores_what_the_model_says(
    name, measure, said, environments, tmp_path
):
    replies, wanted = said
    async with judging(name, measure, Replying(replies), environments, tmp_path) as judge:
        score = await judge.score(ITEM, RESPONSE)

    assert score == pytest.approx(wanted, abs=0.01)
    assert judge._process.refused == 0


def test_every_measure_that_can_be_set_is_tried():
    for config, tried in ((RagasConfig, RAGAS), (DeepevalConfig, DEEPEVAL)):
        measures = config.model_json_schema()["properties"]["measure"]["enum"]
        assert measures == sorted(tried)


async def test_a_number_that_is_none_is_no_score(environments, tmp_path):
    odd = Replying({"AnswerAccuracyOutput": [{"rating": 3}]})
    async with judging("ragas", "answer_accuracy", odd, environments, tmp_path) as judge:
        assert await judge.score(ITEM, RESPONSE) == Unscored("gave nan, which is no number")


@pytest.mark.parametrize(
    ("name", "measure", "replies"),
    [
        ("ragas", "factual_correctness", {"ClaimDecompositionOutput": [{"claims": []}]}),
        ("deepeval", "contextual_recall", {"Verdicts": [{"verdicts": []}]}),
    ],
)
async def test_a_model_that_names_nothing_is_not_scored_as_if_it_had(
    name, measure, replies, environments, tmp_path
):
    async with judging(name, measure, Replying(replies), environments, tmp_path) as judge:
        assert await judge.score(ITEM, RESPONSE) == Unscored(
            "its model named nothing that could be judged"
        )


@pytest.mark.parametrize("name", ["ragas", "deepeval"])
async def test_a_judge_that_is_killed_loses_one_score(name, environments, tmp_path):
    measure, said = EASY[name]

    class Killing(Replying):
        async def generate(self, prompt):
            os.kill(judge._process.process_id, signal.SIGKILL)
            self.generate = self.answer
            yield Delta("")

        async def answer(self, prompt):
            yield Delta(json.dumps(said))
            yield Usage()

    async with judging(name, measure, Killing({}), environments, tmp_path) as judge:
        killed = await judge.score(ITEM, RESPONSE)
        score = await judge.score(ITEM, RESPONSE)

    assert killed == Unscored("its process was ended by SIGKILL")
    assert score == 1


# --- what goes out ----------------------------------------------------------------------------


async def tried(name, environments, folder):
    """Score once; return what was refused until the end, and the sockets that were open."""
    measure, _ = EASY[name]
    settings = {"measure": measure, "model": "judge", "environment": str(environments(name))}
    models = {"judge": easy(name)}
    async with opened("metric", name, settings, folder, models=models) as judge:
        assert await judge.score(ITEM, RESPONSE) == 1
        sockets = psutil.Process(judge._process.process_id).net_connections(kind="inet")
    return judge._process.refused, sockets


@pytest.mark.parametrize("name", ["ragas", "deepeval"])
async def test_nothing_is_told_to_anybody(name, environments, tmp_path):
    assert await tried(name, environments, tmp_path) == (0, [])


async def test_without_the_opt_outs_it_would_be_told_and_is_refused(
    environments, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(judge_process, "_OPTED_OUT", {})

    refused, sockets = await tried("deepeval", environments, tmp_path)

    assert refused > 0, "the test above could not fail"
    assert sockets == []
    assert "deepeval tried to reach the network or to start a program" in caplog.text


# --- with everything around it ----------------------------------------------------------------


async def test_a_model_behind_an_api_judges(environments, tmp_path):
    measure, said = EASY["deepeval"]
    async with openai_server.serving() as server:
        server.respond = openai_server.say(json.dumps(said))
        cloud = {"use": "litellm", "model": "openai/x", "api_key": "k", "api_base": server.url}
        settings = {"measure": measure, "model": "m", "environment": str(environments("deepeval"))}
        async with opened("metric", "deepeval", settings, tmp_path, models={"m": cloud}) as judge:
            score = await judge.score(ITEM, RESPONSE)

    assert score == 1
    asked = server.requests[0]
    assert asked["response_format"]["json_schema"]["schema"]["title"] == "Truths"
    assert "Every employee has 28 days of leave." in asked["messages"][-1]["content"]


def test_a_report_shows_what_the_judge_said_and_what_it_could_not(
    environments, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    settings = write_project(tmp_path)
    measure, said = EASY["deepeval"]
    judges_ = "".join(
        f"[metric.{name}]\nuse = 'deepeval'\nmeasure = '{measure}'\nmodel = '{name}'\n"
        f"environment = '{environments('deepeval')}'\n[model.{name}]\nuse = 'scripted'\n{more}\n"
        for name, more in (
            ("good", f"script = ['{json.dumps(said)}']"),
            ("mute", "behaviour = 'failing'"),
        )
    )
    settings.write_text(f"{settings.read_text()}\n{judges_}")
    assert run(["sync"]) == 0
    assert run(["eval", "run", "--arms", "rag"]) == 0
    capsys.readouterr()

    assert run(["eval", "report", "--json"]) == 0

    (arm,) = json.loads(capsys.readouterr().out)["arms"]
    assert arm["scores"]["good"]["mean"] == 1
    assert arm["scores"]["good"]["questions"] == arm["outcomes"]["answered"] == 12
    assert arm["scores"]["mute"]["unscored"] == 12
    assert "its model failed: the scripted model was told to fail" in json.dumps(arm["unscored"])
