import asyncio
import logging
import math
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

import meaning
import openai_server as api
from citewell import Context, ModelError
from citewell_litellm.plugin import build_embedder, is_local
from citewell_litellm.settings import EmbedderConfig

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KEY = "sk-canary-0123456789abcdef"
LEAVE, OFFICE = "Every employee has 28 days of leave.", "The office is closed in May."


@asynccontextmanager
async def opened(tmp_path, **settings):
    """Open a server, and an embedder that asks it."""
    async with api.serving() as server:
        server.respond = api.embed(meaning.vector)
        config = EmbedderConfig(**{
            "model": "openai/test",
            "api_base": server.url,
            "api_key": KEY,
            "retries": 0,
            "patience_s": 5,
            **settings,
        })
        log = logging.getLogger("citewell.embedder.cloud")
        context = Context(name="cloud", log=log, data_dir=tmp_path, base_dir=tmp_path)
        async with build_embedder(config, context) as embedder:
            yield server, embedder


def normal(vector):
    return [value / math.hypot(*vector) for value in vector]


async def test_a_vector_goes_to_its_own_text_in_whatever_order_it_comes(tmp_path):
    async with opened(tmp_path) as (server, embedder):
        server.respond = api.embed(meaning.vector, backwards=True)
        vectors = await embedder.embed([LEAVE, OFFICE], kind="passage")

    assert vectors[0] == pytest.approx(normal(meaning.vector(LEAVE)))
    assert vectors[1] == pytest.approx(normal(meaning.vector(OFFICE)))


async def test_many_texts_are_sent_in_requests_of_a_few(tmp_path):
    async with opened(tmp_path, together=3) as (server, embedder):
        vectors = await embedder.embed([f"text {at}" for at in range(8)], kind="passage")

    assert [len(asked["input"]) for asked in server.requests] == [3, 3, 2]
    assert len(vectors) == 8


async def test_no_text_is_no_request(tmp_path):
    async with opened(tmp_path) as (server, embedder):
        vectors = await embedder.embed([], kind="passage")

    assert (list(vectors), server.requests) == ([], [])


async def test_questions_and_passages_are_told_apart_as_the_model_wants(tmp_path):
    settings = {
        "query_prefix": "query: ",
        "passage_prefix": "passage: ",
        "query_options": {"input_type": "search_query"},
        "passage_options": {"input_type": "search_document"},
        "options": {"truncate": "END"},
    }
    async with opened(tmp_path, model="hosted_vllm/test", **settings) as (server, embedder):
        await embedder.embed(["How many days?"], kind="query")
        await embedder.embed([LEAVE], kind="passage")

    asked, kept = server.requests
    assert (asked["input"], asked["input_type"]) == (["query: How many days?"], "search_query")
    assert (kept["input"], kept["input_type"]) == ([f"passage: {LEAVE}"], "search_document")
    assert asked["truncate"] == kept["truncate"] == "END"


async def test_a_long_text_is_sent_in_parts_and_has_the_mean_of_their_vectors(tmp_path):
    long = LEAVE * 20
    async with opened(tmp_path, max_chars=100, passage_prefix="passage: ") as (server, embedder):
        (vector,) = await embedder.embed([long], kind="passage")

    sent = server.requests[0]["input"]
    parts = [normal(meaning.vector(text)) for text in sent]
    assert "".join(text.removeprefix("passage: ") for text in sent) == long
    assert all(len(text) <= 100 + len("passage: ") for text in sent)
    assert vector == pytest.approx(normal([sum(values) for values in zip(*parts, strict=True)]))


async def test_a_dimension_is_asked_for_and_expected(tmp_path):
    async with opened(tmp_path, dimensions=32) as (server, embedder):
        server.respond = api.embed(lambda text: meaning.vector(text, 32))
        (vector,) = await embedder.embed([LEAVE], kind="passage")
        server.respond = api.embed(meaning.vector)
        with pytest.raises(ModelError, match="of dimension 64; expected 32"):
            await embedder.embed([LEAVE], kind="passage")

    assert server.requests[0]["dimensions"] == 32
    assert len(vector) == 32


async def test_a_dimension_that_changes_is_refused_with_the_fix(tmp_path):
    async with opened(tmp_path) as (server, embedder):
        await embedder.embed([LEAVE], kind="passage")
        server.respond = api.embed(lambda text: meaning.vector(text, 32))
        with pytest.raises(ModelError, match="another model may stand there now; name it under"):
            await embedder.embed([LEAVE], kind="passage")


def entries(*vectors):
    return api.give(api.embeddings([api.embedding(at, one) for at, one in enumerate(vectors)]))


GOOD = [0.6, 0.8]
WRONG = {
    "too few": (entries(GOOD), "gives 1 vectors for 2 texts"),
    "too many": (entries(GOOD, GOOD, GOOD), "gives 3 vectors for 2 texts"),
    "none": (api.give(api.embeddings([])), ""),
    "no list": (api.give(api.embeddings("none")), ""),
    "no data": (api.give({"object": "list"}), ""),
    "zeros": (entries(GOOD, [0.0, 0.0]), "without a direction"),
    "not a number": (
        api.give(
            b'{"object": "list", "model": "t", "data": ['
            b'{"object": "embedding", "index": 0, "embedding": [NaN, 1.0]},'
            b'{"object": "embedding", "index": 1, "embedding": [0.5, 1.0]}]}'
        ),
        "",
    ),
    "too large": (
        entries(
            GOOD,
            [
                1.7e308,
                1.7e308,
            ],
        ),
        "without a direction",
    ),
    "empty": (entries(GOOD, []), ""),
    "another dimension": (entries(GOOD, [1.0, 0.0, 0.0]), "of dimension 3; expected 2"),
    "text": (entries(GOOD, "AACAPwAAAAA="), ""),
    "words": (entries(GOOD, ["a", "b"]), ""),
    "an index twice": (
        api.give(api.embeddings([api.embedding(0, GOOD), api.embedding(0, GOOD)])),
        "each index once",
    ),
    "an index of nothing": (
        api.give(api.embeddings([api.embedding(0, GOOD), api.embedding(7, GOOD)])),
        "each index once",
    ),
    "garbage": (api.give(b"\x00\xff garbage"), ""),
    "a page": (api.give(b"<html>Bad gateway</html>"), ""),
    "a list": (api.give([1, 2, 3]), ""),
    "wrong key": (api.fail(401, f"Incorrect API key provided: {KEY}"), "key is not accepted"),
    "no such model": (api.fail(404, "no such model"), "no such model"),
    "too long": (
        api.fail(400, "This model's maximum context length is 512 tokens, however you asked for 9"),
        "lower max_chars, now 6000",
    ),
    "too much": (api.fail(413, "inputs must have less than 512 tokens"), "lower max_chars"),
    "busy": (api.fail(429, "slow down"), "limits the rate"),
    "broken": (api.fail(500, "oops"), "failed"),
    "hangs": (api.stream(hangs=True), "no word"),
    "breaks": (api.stream(breaks=True), ""),
}


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm"])
@pytest.mark.parametrize("name", WRONG)
async def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, name, provider, caplog):
    respond, expected = WRONG[name]
    caplog.set_level(logging.DEBUG)
    async with opened(tmp_path, model=f"{provider}/test") as (server, embedder):
        server.respond = respond
        await asyncio.to_thread(_imported)
        since = perf_counter()
        with pytest.raises(ModelError) as caught:
            await embedder.embed([LEAVE, OFFICE], kind="passage")
        took = perf_counter() - since
        server.respond = api.embed(lambda _: GOOD)
        vectors = await embedder.embed([LEAVE], kind="passage")

    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert took < 10
    assert vectors[0] == pytest.approx(GOOD)
    assert KEY not in caplog.text


def _imported():
    from citewell_litellm.library import litellm

    return litellm()


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm"])
@pytest.mark.parametrize("local", [True, False])
async def test_a_failure_that_passes_is_tried_as_often_as_was_said(tmp_path, provider, local):
    model = f"{provider}/test"
    async with opened(tmp_path, model=model, retries=2, local=local) as (server, embedder):
        server.respond = api.first(api.fail(503), api.fail(429), api.embed(meaning.vector))
        vectors = await embedder.embed([LEAVE], kind="passage")
        tried = len(server.requests)
        server.respond = api.fail(500)
        with pytest.raises(ModelError):
            await embedder.embed([LEAVE], kind="passage")

    assert len(vectors) == 1
    assert (tried, len(server.requests)) == (3, 6)


async def test_an_unreachable_api_says_so(tmp_path):
    async with opened(tmp_path, api_base="http://127.0.0.1:9/v1") as (_, embedder):
        with pytest.raises(ModelError, match="cannot be reached; check api_base"):
            await embedder.embed([LEAVE], kind="passage")


async def test_a_text_of_a_server_that_trickles_is_given_up(tmp_path):
    async with opened(tmp_path, patience_s=0.5) as (server, embedder):
        server.respond = api.stream(*[b" "] * 200, pause_s=0.1)
        await asyncio.to_thread(_imported)
        since = perf_counter()
        with pytest.raises(ModelError, match="no word"):
            await embedder.embed([LEAVE], kind="passage")

    assert perf_counter() - since < 5


DIRECT = ["openai", "hosted_vllm", "openai_like", "lm_studio", "llamafile", "infinity"]


@pytest.mark.parametrize("provider", DIRECT)
async def test_a_local_embedder_is_reached_through_no_proxy(tmp_path, monkeypatch, provider):
    async with (
        api.eavesdropping() as (proxy, heard),
        opened(tmp_path, model=f"{provider}/test") as (server, embedder),
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        vectors = await embedder.embed([LEAVE], kind="passage")

    assert len(vectors) == 1
    assert len(server.requests) == 1
    assert heard == []


@pytest.mark.parametrize("provider", DIRECT)
async def test_a_local_embedder_leads_nowhere_else(tmp_path, provider):
    async with (
        api.eavesdropping() as (elsewhere, heard),
        opened(tmp_path, model=f"{provider}/test") as (server, embedder),
    ):
        server.respond = api.redirect(f"{elsewhere}/v1/embeddings")
        with pytest.raises(ModelError):
            await embedder.embed([LEAVE], kind="passage")

    assert len(server.requests) == 1
    assert heard == []


@pytest.mark.parametrize("provider", ["openai", "azure", "gemini", "cohere", "voyage", "jina_ai"])
async def test_no_embedder_leads_elsewhere_with_texts_and_key(tmp_path, provider):
    async with (
        api.eavesdropping() as (elsewhere, heard),
        opened(tmp_path, model=f"{provider}/test", local=False) as (server, embedder),
    ):
        server.respond = api.redirect(f"{elsewhere}/v1/embeddings")
        with pytest.raises(ModelError):
            await embedder.embed([LEAVE], kind="passage")

    assert server.requests
    assert heard == []


async def test_an_api_that_leads_elsewhere_is_said_to(tmp_path):
    async with opened(tmp_path, local=False) as (server, embedder):
        server.respond = api.redirect("https://elsewhere.example.com/v1/embeddings")
        with pytest.raises(ModelError, match="says to ask elsewhere, which is not done; name"):
            await embedder.embed([LEAVE], kind="passage")


async def test_what_nothing_keeps_to_its_address_is_not_asked_as_a_local_one(tmp_path):
    async with opened(tmp_path, model="ollama/test") as (server, embedder):
        with pytest.raises(ModelError, match="name its provider openai, with the address"):
            await embedder.embed([LEAVE], kind="passage")

    assert server.requests == []


async def test_a_provider_is_not_asked_without_the_key_that_it_wants(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with opened(tmp_path, api_key=None, local=False) as (server, embedder):
        with pytest.raises(ModelError, match="no key; set api_key, or OPENAI_API_KEY"):
            await embedder.embed([LEAVE], kind="passage")

    assert server.requests == []


def test_what_is_on_this_machine_is_local_unless_it_is_said_otherwise():
    here = {"model": "openai/test", "api_base": "http://localhost:80/v1"}
    there = {"model": "openai/test", "api_base": "https://api.example.com/v1"}

    assert is_local(EmbedderConfig(**here))
    assert not is_local(EmbedderConfig(**here, local=False))
    assert not is_local(EmbedderConfig(**there))
    assert not is_local(EmbedderConfig(model="openai/test"))
    assert is_local(EmbedderConfig(**there, local=True))


CHANGES = (
    {"model": "openai/other"},
    {"api_base": "http://localhost:90/v1"},
    {"dimensions": 32},
    {"query_prefix": "query: "},
    {"passage_prefix": "passage: "},
    {"options": {"truncate": "END"}},
    {"query_options": {"input_type": "query"}},
    {"passage_options": {"input_type": "document"}},
    {"max_chars": 500},
    {"identity": "the model of May"},
)


async def test_the_identity_follows_what_decides_about_the_vectors(tmp_path):
    found = set()
    base = "http://localhost:80/v1"
    for change in ({}, *CHANGES):
        async with opened(tmp_path, **{"api_base": base, **change}) as (_, embedder):
            found.add(embedder.identity)

    assert len(found) == len(CHANGES) + 1


async def test_a_named_identity_outlives_a_move(tmp_path):
    async with opened(tmp_path, identity="bge-m3") as (_, before):
        pass
    async with opened(tmp_path, identity="bge-m3", model="hosted_vllm/bge") as (_, after):
        pass

    assert before.identity == after.identity
    assert before.identity.startswith("litellm bge-m3 ")


@pytest.mark.parametrize("name", ["input", "dimensions", "api_base", "headers"])
@pytest.mark.parametrize("setting", ["options", "query_options", "passage_options"])
def test_an_option_changes_nothing_that_was_checked(setting, name):
    with pytest.raises(ValueError, match=f"{name} is no further option"):
        EmbedderConfig(model="openai/test", **{setting: {name: 1}})
