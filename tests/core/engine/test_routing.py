"""Which model answers, what it may see, and what the asker is told."""

import json
import os
import signal
from contextlib import aclosing, asynccontextmanager

import pytest

import ggufs
import openai_server as api
from assistants import CANARY, answers, assistant, write_handbook
from citewell import Audience, Outcome, Turn
from citewell.engine.breaker import Breaker, Resting, Withheld
from citewell.engine.settings import load_settings
from citewell.errors import ConfigError, ModelError, PromptRefused
from citewell.journal.database import open_engine
from citewell.journal.ledger import Ledger

CLOUD = """
[model.cloud]
use = "litellm"
model = "openai/test"
api_key = {{ env = "CLOUD_KEY" }}
api_base = "{url}"
local = false
retries = 0
patience_s = 5

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "cloud"
fallback = ["quotes"]

[privacy]
local_only = ["people-team"]
"""
PEOPLE = Audience.of("everyone", "people-team")


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("CLOUD_KEY", "sk-canary-0123456789")


@pytest.mark.parametrize("text", ["How many days of leave?", "The salary of the leave officer?"])
async def test_what_is_local_only_is_in_no_byte_that_leaves(tmp_path, text):
    history = (
        Turn("user", "And the salary?"),
        Turn("assistant", f"It is {CANARY} euros.", frozenset({"people-team"})),
    )
    async with (
        api.serving() as server,
        assistant(tmp_path, CLOUD.format(url=server.url)) as (asked, kept),
    ):
        answer = (await answers(asked, text, audience=PEOPLE, history=history))[-1]

    assert server.requests, "the model was not even asked, which shows nothing"
    assert CANARY.encode() not in server.sent
    assert b"28 days" in server.sent
    assert kept.records[0].notes == ("cloud: 1 passages must not leave this machine",)
    assert answer.outcome in {Outcome.ANSWERED, Outcome.REFUSED}


async def test_where_all_is_local_only_a_local_model_answers(tmp_path):
    async with (
        api.serving() as server,
        assistant(tmp_path, CLOUD.format(url=server.url)) as (asked, kept),
    ):
        (tmp_path / "docs" / "leave.md").unlink()
        from citewell.cli.indexing import bring_up

        await bring_up(asked._backends)
        answer = (await answers(asked, "The salary of the leave officer?", audience=PEOPLE))[-1]

    assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "quotes")
    assert CANARY in answer.shown[0].text
    assert answer.note == "answered by quotes, because cloud must not see what was found"
    assert kept.records[0].errors == ("cloud: what was found must not leave this machine",)
    assert server.requests == []


async def test_what_a_local_model_repeats_stays_local_only(tmp_path):
    """An answer leans on the turns before it, and so do its labels."""
    settings = CLOUD + '[profile.free]\nmodel = "near"\n[model.near]\nuse = "litellm"\n'
    settings += 'model = "openai/test"\napi_base = "{near}"\napi_key = {{ env = "CLOUD_KEY" }}\n'
    async with api.serving() as cloud, api.serving() as near:
        near.respond = api.say(f"As I said, the officer earns {CANARY} euros.")
        written = settings.format(url=cloud.url, near=near.url)
        async with assistant(tmp_path, written) as (asked, _):
            history = (
                Turn("user", "Salary of the leave officer?"),
                Turn("assistant", f"It is {CANARY} euros.", frozenset({"people-team"})),
            )
            repeat = "Repeat what you said."
            again = (
                await answers(asked, repeat, profile="free", history=history, audience=PEOPLE)
            )[-1]
            history = (
                Turn("user", f"{repeat} {CANARY}?", again.labels),
                Turn("assistant", again.shown[0].text, again.labels),
            )
            await answers(asked, history=history, audience=PEOPLE)

    assert CANARY.encode() in near.sent
    assert cloud.requests
    assert CANARY.encode() not in cloud.sent


async def test_a_failing_service_is_left_alone_and_tried_again(tmp_path):
    async with (
        api.serving() as server,
        assistant(tmp_path, CLOUD.format(url=server.url)) as (asked, kept),
    ):
        server.respond = api.fail(500)
        for _ in range(5):
            answer = (await answers(asked))[-1]
            assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "quotes")
        tried = len(server.requests)
        server.respond = api.say("Every employee has 28 days of paid leave a year [1].")
        asked._backends.breaker("cloud")._rests_until = 0
        recovered = (await answers(asked))[-1]

    assert tried == 3
    assert "tried again in" in kept.records[4].errors[0]
    assert (recovered.model, recovered.note) == ("cloud", "")


def test_questions_that_fail_together_start_one_rest():
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    together = [breaker.attempt() for _ in range(8)]
    for one in together:
        one.__enter__()
    for one in together:
        assert not one.__exit__(ModelError, ModelError("no"), None)

    now[0] = 9.9
    with pytest.raises(Resting), breaker.attempt():
        pass
    now[0] = 10.1
    with breaker.attempt():
        pass


def test_a_question_that_was_withheld_says_nothing_about_the_model():
    breaker = Breaker(lambda: 0.0)
    for error in (ModelError, Withheld, ModelError, Withheld, ModelError):
        with pytest.raises(error), breaker.attempt():
            raise error("no")

    with pytest.raises(Resting), breaker.attempt():
        pass


def test_a_breaker_lets_one_question_try_and_rests_longer_each_time():
    now = [0.0]
    breaker = Breaker(lambda: now[0])

    def fail(error=ModelError):
        with pytest.raises(error), breaker.attempt():
            raise error("no")

    for _ in range(3):
        fail()
    with pytest.raises(Resting, match="in 10 s"), breaker.attempt():
        pass
    now[0] = 10.0
    with breaker.attempt(), pytest.raises(Resting, match="being tried"), breaker.attempt():
        pass
    for _ in range(3):
        fail()
    now[0] = 20.0
    fail()
    with pytest.raises(Resting, match="in 20 s"), breaker.attempt():
        pass
    now[0] = 40.0
    fail(PromptRefused)
    with breaker.attempt():
        pass


LOCAL = f"""
[model.tuned]
use = "llamacpp"
path = "{ggufs.model()}"
context = 4096

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "tuned"
fallback = ["quotes"]
max_output_tokens = 2000
policy = "mark"
temperature = 1.0

[profile.triage]
model = "tuned"
choices = ["billing", "leave", "other"]

[profile.extract]
model = "tuned"
temperature = 1.0

[profile.extract.output_schema]
type = "object"
required = ["days", "kind"]
additionalProperties = false
properties = {{ days = {{ type = "integer" }}, kind = {{ enum = ["paid", "sick"] }} }}
"""


class KilledAfterItsFirstWord:
    """A model whose process is killed, once, as soon as it has said something."""

    def __init__(self, model, ending):
        self.model = model
        self.ending = ending

    async def generate(self, prompt):
        async with aclosing(self.model.generate(prompt)) as items:
            async for item in items:
                yield item
                if self.ending is not None:
                    os.kill(self.model.process_id, self.ending)
                    self.ending = None


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSEGV])
async def test_when_the_model_dies_in_the_middle_the_fallback_answers(tmp_path, ending):
    async with assistant(tmp_path, LOCAL) as (asked, kept):
        runtime = asked._backends
        _, wanted = await runtime.model("tuned"), runtime._opened["model", "tuned"][1]
        dying = KilledAfterItsFirstWord(await runtime.model("tuned"), ending)
        runtime._opened["model", "tuned"] = (dying, wanted)
        answer = (await answers(asked))[-1]
        again = (await answers(asked))[-1]

    assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "quotes")
    assert any("28 days" in claim.text for claim in answer.shown)
    assert ending.name in kept.records[0].errors[0]
    assert again.model == "tuned"


async def test_a_classification_is_one_of_its_choices(tmp_path):
    async with assistant(tmp_path, LOCAL) as (asked, kept):
        answer = (await answers(asked, "I was charged twice", profile="triage"))[-1]

    assert answer.outcome is Outcome.UNSOURCED
    assert "".join(claim.text for claim in answer.shown) in {"billing", "leave", "other"}
    assert answer.citations == ()
    assert kept.records[0].errors == ()


async def test_an_extraction_satisfies_its_schema(tmp_path):
    async with assistant(tmp_path, LOCAL) as (asked, _):
        answer = (await answers(asked, "28 paid days", profile="extract"))[-1]

    [claim] = answer.shown
    value = json.loads(claim.text.strip().removeprefix("```json").removesuffix("```"))
    assert set(value) == {"days", "kind"}
    assert value["kind"] in {"paid", "sick"}


@pytest.mark.parametrize(
    ("said", "profile", "problem"),
    [
        ('"somewhere"', 'choices = ["billing", "other"]', "expected one of: billing, other"),
        ('"not json"', 'output_schema = { type = "object" }', "which is no JSON"),
        ("'[1, 2]'", 'output_schema = { type = "object" }', "output_schema at $"),
        ("'{\"a\": 1}'", 'output_schema = { required = ["b"] }', "'b' is a required property"),
    ],
)
async def test_an_output_of_another_form_is_not_shown(tmp_path, said, profile, problem):
    settings = f"""
[model.bad]
use = "scripted"
script = [{said}]

[profile.default]
model = "bad"
{profile}
"""
    async with assistant(tmp_path, settings) as (asked, kept):
        answer = (await answers(asked))[-1]

    assert (answer.outcome, answer.shown) == (Outcome.FAILED, ())
    assert problem in kept.records[0].errors[0]


BREAKS_OFF = api.stream(
    api.chunk("Every employee has 28 days of paid leave a year [1]. "),
    api.chunk("Unused "),
    breaks=True,
    pause_s=0.1,
)
CHAIN = """
[model.cloud]
use = "litellm"
model = "openai/test"
api_key = {{ env = "CLOUD_KEY" }}
api_base = "{url}"
price = {{ input = 1.0, output = 1.0 }}
retries = 0

[model.second]
use = "litellm"
model = "openai/other"
api_key = {{ env = "CLOUD_KEY" }}
api_base = "{url}"
price = {{ input = 1.0, output = 1.0 }}
retries = 0

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "cloud"
fallback = {fallback}
policy = "{policy}"

[budget.none]
limit = 0.0
models = ["{poor}"]
"""


@asynccontextmanager
async def chained(folder, *, fallback=("second",), policy="drop", poor):
    """Yield an assistant whose chain has a model that is over its budget, and the server."""
    async with api.serving() as server:
        names = json.dumps(list(fallback))
        settings = CHAIN.format(url=server.url, fallback=names, policy=policy, poor=poor)
        engine = open_engine(f"sqlite:///{folder / 'journal.sqlite'}")
        async with assistant(folder, settings) as (asked, kept):
            asked._ledger = lambda: Ledger(engine)
            yield asked, kept, server
        engine.dispose()


async def test_a_model_that_was_never_asked_is_not_named(tmp_path):
    async with chained(tmp_path, poor="second") as (asked, kept, server):
        server.respond = BREAKS_OFF
        answer = (await answers(asked))[-1]

    assert [one["model"] for one in server.requests] == ["test"]
    assert (answer.outcome, answer.model) == (Outcome.FAILED, "cloud")
    assert kept.records[0].model == "cloud"


async def test_the_reason_that_is_told_is_that_of_the_model(tmp_path):
    async with chained(tmp_path, fallback=["second", "quotes"], poor="cloud") as opened:
        asked, kept, server = opened
        server.respond = BREAKS_OFF
        answer = (await answers(asked))[-1]

    assert answer.model == "quotes"
    assert answer.note == "answered by quotes, because cloud is over its budget"
    assert kept.records[0].cost is None


async def test_half_an_answer_is_refused_where_a_whole_one_would_be(tmp_path):
    async with chained(tmp_path, fallback=[], policy="refuse", poor="second") as (asked, _, server):
        server.respond = BREAKS_OFF
        found = await answers(asked)

    assert found[-1].outcome is Outcome.FAILED
    assert all(answer.shown == () for answer in found)


@pytest.mark.parametrize(
    ("said", "schema", "problem"),
    [
        ("[" * 300 + "]" * 300, '{ type = "array", items = { "$ref" = "#" } }', "RecursionError"),
        ("Infinity", '{ type = "number", multipleOf = 3 }', "Infinity is no number in JSON"),
        (json.dumps(["x" * 100] * 400), '{ type = "array" }', "20,000 can be shown"),
    ],
)
async def test_an_output_that_breaks_the_checks_is_left_to_the_fallback(
    tmp_path, said, schema, problem
):
    good = 3 if "number" in schema else []
    settings = f"""
[model.bad]
use = "scripted"
script = [{said!r}]

[model.good]
use = "scripted"
script = ["{good}"]

[profile.default]
model = "bad"
fallback = ["good"]
output_schema = {schema}
"""
    async with assistant(tmp_path, settings) as (asked, kept):
        answer = (await answers(asked))[-1]

    assert answer.model == "good"
    assert problem in kept.records[0].errors[0]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ('output_schema = { "$ref" = "#/$defs/nope" }', 'refers to "#/$defs/nope"'),
        ('choices = ["yes [1]", "no"]', '"yes [1]" would be shown as something else'),
        ('choices = ["see https://example.com"]', "would be shown as something else"),
        ('choices = ["<b>"]', "would be shown as something else"),
        ('choices = [" a"]', "would be shown as something else"),
        ('choices = ["# a"]', "would be shown as something else"),
        ('choices = ["a\\nb", "c"]', "would be shown as something else"),
    ],
)
def test_a_form_that_no_output_can_have_is_refused(tmp_path, form, problem):
    text = f'[model.quotes]\nuse = "extractive"\n[profile.default]\nmodel = "quotes"\n{form}\n'

    with pytest.raises(ConfigError) as caught:
        load_settings(write_handbook(tmp_path, text))

    assert problem in str(caught.value)
