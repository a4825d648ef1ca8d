import asyncio
import logging
from contextlib import aclosing, asynccontextmanager
from time import perf_counter

import pytest
from msgspec.structs import replace

import openai_server as api
from citewell import (
    Choices,
    Context,
    Delta,
    Generation,
    ModelError,
    OutputSchema,
    Prompt,
    Usage,
)
from citewell.testing import make_passages
from citewell_litellm.plugin import LiteLLMConfig, build

PROMPT = Prompt(
    instructions="",
    question="How many days?",
    refusal="The documents do not say.",
    passages=make_passages("Every employee has 28 days of leave."),
)
KEY = "sk-canary-0123456789abcdef"


@asynccontextmanager
async def asked(tmp_path, **settings):
    """Open a server, and a model that asks it."""
    async with api.serving() as server:
        config = LiteLLMConfig(**{
            "model": "openai/test",
            "api_base": server.url,
            "api_key": KEY,
            "retries": 0,
            "patience_s": 10,
            **settings,
        })
        log = logging.getLogger("citewell.model.cloud")
        context = Context(name="cloud", log=log, data_dir=tmp_path, base_dir=tmp_path)
        async with build(config, context) as model:
            yield server, model


async def written(model, prompt=PROMPT):
    items = [item async for item in model.generate(prompt)]
    return "".join(item.text for item in items if isinstance(item, Delta)), items[-1]


async def test_the_answer_is_streamed_and_counted(tmp_path):
    async with asked(tmp_path, price={"input": 1.0, "output": 2.0}) as (server, model):
        items = [item async for item in model.generate(PROMPT)]

    assert len(items) > 4
    assert "".join(item.text for item in items[:-1]) == "Every employee has 28 days [1]."
    assert items[-1] == Usage(input_tokens=100, output_tokens=10, cost=0.00012)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert "28 days of leave" in server.requests[0]["messages"][-1]["content"]


@pytest.mark.parametrize("tokens", [(-100, 10), (100, -10), (10**12, 10)])
async def test_a_count_that_cannot_be_costs_what_is_not_known(tmp_path, tokens):
    async with asked(tmp_path, price={"input": 1.0, "output": 2.0}) as (server, model):
        server.respond = api.say("Yes [1].", tokens=tokens)
        text, usage = await written(model)

    assert text == "Yes [1]."
    assert usage == Usage(input_tokens=0, output_tokens=0, cost=None)


async def test_bounds_and_options_reach_the_api(tmp_path):
    generation = Generation(max_output_tokens=7, temperature=0.5, stop=("END",), seed=3)
    async with asked(tmp_path, options={"top_p": 0.5}) as (server, model):
        await written(model, replace(PROMPT, generation=generation))

    sent = server.requests[0]
    assert (sent["max_tokens"], sent["temperature"], sent["seed"]) == (7, 0.5, 3)
    assert (sent["stop"], sent["top_p"]) == (["END"], 0.5)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_failure_that_passes_is_tried_again(tmp_path, status):
    async with asked(tmp_path, retries=2) as (server, model):
        server.respond = api.first(api.fail(status), api.say("Yes [1]."))
        text, _ = await written(model)

    assert (text, len(server.requests)) == ("Yes [1].", 2)


async def test_the_api_says_how_long_to_wait(tmp_path):
    async with asked(tmp_path, retries=1) as (server, model):
        server.respond = api.first(api.fail(429, retry_after="2"), api.say("Yes [1]."))
        since = perf_counter()
        await written(model)
        waited = perf_counter() - since
        server.respond = api.fail(429, retry_after="600")
        since = perf_counter()
        with pytest.raises(ModelError, match="limits the rate"):
            await written(model)
        gave_up = perf_counter() - since

    assert waited >= 2
    assert gave_up < 1.5


FAILURES = {
    "wrong key": (api.fail(401, f"Incorrect API key provided: {KEY}"), "key is not accepted"),
    "not allowed": (api.fail(403), "key is not accepted"),
    "no such model": (api.fail(404, "The model does not exist"), "no such model"),
    "too long": (
        api.fail(400, "This model's maximum context length is 10", code="context_length_exceeded"),
        "too long",
    ),
    "wrong request": (api.fail(400, "bad parameter"), "takes the request for wrong"),
    "busy": (api.fail(429, "slow down"), "limits the rate"),
    "broken": (api.fail(500, "oops"), "failed"),
    "down": (api.fail(503, "overloaded"), "failed"),
    "hangs at once": (api.stream(hangs=True), "no word"),
    "hangs in the middle": (api.stream(api.chunk("Every "), hangs=True), "no word"),
    "breaks at once": (api.stream(breaks=True), ""),
    "half a stream": (api.stream(api.chunk("Every "), breaks=True), ""),
    "ends in the middle": (api.stream(api.chunk("Every "), api.DONE), "broke off"),
    "nothing at all": (api.stream(api.DONE), "broke off"),
    "garbage": (api.stream(b"\x00\xff\xfe garbage \n\n" * 50), ""),
    "garbage in an event": (api.stream(b"data: {not json}\n\n"), ""),
    "JSON of another kind": (api.stream(b'data: {"choices": "none"}\n\n'), ""),
    "a list": (api.stream(b"data: [1, 2, 3]\n\n"), ""),
    "a 10 MB line": (api.stream(b"data: " + b"x" * 10_000_000 + b"\n\n"), ""),
    "10 MB of text": (api.stream(api.chunk("word " * 2_000_000), api.DONE), "without end"),
    "a page": (api.stream(b"<html><body>Bad gateway</body></html>"), ""),
    "refused by its provider": (
        api.stream(api.chunk("No"), api.chunk(finish="content_filter"), api.DONE),
        "refuses the answer",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_each_failure_is_one_line_in_time_and_names_no_secret(tmp_path, name, caplog):
    respond, expected = FAILURES[name]
    caplog.set_level(logging.DEBUG)
    async with asked(tmp_path, patience_s=1) as (server, model):
        server.respond = respond
        await asyncio.to_thread(_imported)
        since = perf_counter()
        with pytest.raises(ModelError) as caught:
            await written(model)
        took = perf_counter() - since
        server.respond = api.say("Yes [1].")
        text, _ = await written(model)

    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert took < 10
    assert text == "Yes [1]."
    assert KEY not in caplog.text


def _imported():
    from citewell_litellm.library import litellm

    return litellm()


async def test_an_unreachable_api_says_so(tmp_path):
    async with asked(tmp_path, api_base="http://127.0.0.1:9/v1") as (_, model):
        with pytest.raises(ModelError, match="cannot be reached"):
            await written(model)


async def test_closing_early_closes_the_connection(tmp_path):
    async with asked(tmp_path) as (server, model):
        server.respond = api.say("word " * 1_000, pause_s=0.01)
        generation = model.generate(PROMPT)
        async with aclosing(generation):
            await anext(generation)
            assert server.open_streams == 1
        async with asyncio.timeout(0.5):
            await server.idle.wait()


async def test_a_choice_is_demanded_of_the_api_and_given_as_plain_text(tmp_path):
    prompt = replace(PROMPT, passages=(), constraint=Choices(("billing", "other")))
    async with asked(tmp_path) as (server, model):
        server.respond = api.say('{"choice": "billing"}')
        text, _ = await written(model, prompt)

    form = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert text == "billing"
    assert form["properties"]["choice"]["enum"] == ["billing", "other"]


async def test_a_schema_is_demanded_of_the_api(tmp_path):
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}}
    prompt = replace(PROMPT, passages=(), constraint=OutputSchema(schema))
    async with asked(tmp_path) as (server, model):
        server.respond = api.say('{"days": 28}')
        text, _ = await written(model, prompt)

    assert text == '{"days": 28}'
    assert server.requests[0]["response_format"]["json_schema"]["schema"] == schema


async def test_what_an_answer_costs_at_most_is_known_before(tmp_path):
    generation = Generation(max_output_tokens=1_000)
    prompt = replace(PROMPT, generation=generation)
    async with asked(tmp_path, price={"input": 1.0, "output": 2.0}) as (server, model):
        most = await model.highest_cost(prompt)
        server.respond = api.say("Yes [1].", tokens=(100, 1_000))
        _, usage = await written(model, prompt)
    async with asked(tmp_path, model="openai/unheard-of") as (_, model):
        unknown = await model.highest_cost(prompt)

    assert usage.cost <= most < 0.01
    assert unknown is None


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "lm_studio"])
async def test_a_local_model_is_reached_through_no_proxy(tmp_path, monkeypatch, provider):
    async with (
        api.eavesdropping() as (proxy, heard),
        asked(tmp_path, model=f"{provider}/test") as (server, model),
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        text, _ = await written(model)

    assert text
    assert len(server.requests) == 1
    assert heard == []


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "lm_studio"])
async def test_a_local_model_leads_nowhere_else(tmp_path, provider):
    async with (
        api.eavesdropping() as (elsewhere, heard),
        asked(tmp_path, model=f"{provider}/test") as (server, model),
    ):
        server.respond = api.redirect(f"{elsewhere}/v1/chat/completions")
        with pytest.raises(ModelError):
            await written(model)

    assert len(server.requests) == 1
    assert heard == []


@pytest.mark.parametrize("provider", ["openai", "azure", "gemini", "anthropic", "hosted_vllm"])
async def test_no_model_leads_elsewhere_with_a_prompt_and_key(tmp_path, provider):
    async with (
        api.eavesdropping() as (elsewhere, heard),
        asked(tmp_path, model=f"{provider}/test", local=False) as (server, model),
    ):
        server.respond = api.redirect(f"{elsewhere}/v1/chat/completions")
        with pytest.raises(ModelError):
            await written(model)

    assert server.requests
    assert heard == []


async def test_a_local_model_needs_no_key(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with asked(tmp_path, api_key=None) as (_, model):
        text, _ = await written(model)

    assert text


async def test_a_provider_is_not_asked_without_the_key_that_it_wants(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with asked(tmp_path, api_key=None, local=False) as (server, model):
        with pytest.raises(ModelError, match="no key; set api_key, or OPENAI_API_KEY") as caught:
            await written(model)

    assert caught.value.cost == 0
    assert server.requests == []


@pytest.mark.parametrize("name", ["api_base", "max_tokens", "max_completion_tokens", "n", "model"])
def test_an_option_changes_nothing_that_was_checked(name):
    with pytest.raises(ValueError, match=f"{name} is no further option"):
        LiteLLMConfig(model="openai/test", options={name: 1})


async def test_what_got_no_word_in_time_is_not_sent_again(tmp_path):
    async with asked(tmp_path, retries=3, patience_s=1) as (server, model):
        await asyncio.to_thread(_imported)
        server.respond = api.stream(hangs=True)
        since = perf_counter()
        with pytest.raises(ModelError, match="no word"):
            await written(model)

    assert len(server.requests) == 1
    assert perf_counter() - since < 3


async def mute(_request, _asked):
    """Accept a request, and not even begin to answer."""
    await asyncio.sleep(60)


SILENCES = {
    "from the start": mute,
    "once it has begun": api.stream(hangs=True),
    "in the middle": api.stream(api.chunk("Every "), hangs=True),
}


@pytest.mark.parametrize("says", SILENCES.values(), ids=SILENCES)
async def test_with_its_defaults_a_silent_api_costs_less_than_ten_seconds(tmp_path, says):
    defaults = {
        name: LiteLLMConfig.model_fields[name].default for name in ("retries", "patience_s")
    }
    async with asked(tmp_path, **defaults) as (server, model):
        await asyncio.to_thread(_imported)
        server.respond = says
        since = perf_counter()
        with pytest.raises(ModelError, match="patience_s"):
            await written(model)

    assert len(server.requests) == 1
    assert perf_counter() - since < 10


async def test_a_try_that_may_have_been_charged_is_counted(tmp_path):
    price = {"input": 1.0, "output": 1.0}
    async with asked(tmp_path, retries=1, price=price) as (server, model):
        most = await model.highest_cost(PROMPT)
        server.respond = api.first(api.fail(429), api.say("Yes [1]."))
        _, free = await written(model)
        server.respond = api.first(api.fail(502), api.say("Yes [1]."))
        _, uncertain = await written(model)
        server.respond = api.first(api.fail(502), api.fail(429))
        with pytest.raises(ModelError) as caught:
            await written(model)

    assert free.cost == 110 / 1e6
    assert uncertain.cost == pytest.approx(free.cost + most / 2)
    assert caught.value.cost is None
