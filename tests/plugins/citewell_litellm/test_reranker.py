import logging
from contextlib import asynccontextmanager
from time import perf_counter

import pytest
from msgspec.structs import replace

import meaning
import openai_server as api
from citewell import Context, ModelError, Place, Placed, Query, asking
from citewell.testing import make_passages
from citewell_litellm.plugin import build_reranker
from citewell_litellm.settings import RerankerConfig

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KEY = "sk-canary-0123456789abcdef"
OFFICE, LEAVE = make_passages("The office is closed in May.", "An employee has 28 days of leave.")
QUERY = Query(text="How many days of leave?")
PROVIDERS = ["hosted_vllm", "infinity", "cohere", "jina_ai"]


@asynccontextmanager
async def opened(tmp_path, **settings):
    """Open a server, and a reranker that asks it."""
    async with api.serving() as server:
        server.respond = api.rank(meaning.likeness)
        given = {"model": "hosted_vllm/test", **settings}
        is_bare = given["model"].startswith("cohere/")
        config = RerankerConfig(**{
            "api_base": server.url.removesuffix("/v1") if is_bare else server.url,
            "api_key": KEY,
            "retries": 0,
            "patience_s": 5,
            **given,
        })
        log = logging.getLogger("citewell.reranker.cloud")
        context = Context(name="cloud", log=log, data_dir=tmp_path, base_dir=tmp_path)
        async with build_reranker(config, context) as reranker:
            yield server, reranker


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_each_kind_of_api_puts_the_best_first(tmp_path, provider):
    async with opened(tmp_path, model=f"{provider}/test") as (server, reranker):
        ranked = await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    assert [one.id for one in ranked] == [LEAVE.id, OFFICE.id]
    assert ranked[0].score > ranked[1].score
    assert server.requests[0]["query"] == QUERY.text
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_a_passage_is_sent_with_its_headings_and_the_header_of_its_table(tmp_path):
    places = (Placed(LEAVE.start, Place(headings=("Leave", "Sick"))),)
    row = replace(LEAVE, header="| who | days |", places=places)
    async with opened(tmp_path, options={"truncate_prompt_tokens": 512}) as (server, reranker):
        await reranker.rerank(QUERY, (OFFICE, row), limit=2)

    assert server.requests[0]["documents"] == [
        f"Handbook\n{OFFICE.text}",
        f"Leave > Sick\n| who | days |\n{LEAVE.text}",
    ]
    assert server.requests[0]["truncate_prompt_tokens"] == 512


async def test_of_a_long_passage_the_beginning_is_sent(tmp_path):
    (long,) = make_passages("word " * 1000)
    async with opened(tmp_path, max_chars=100) as (server, reranker):
        (ranked,) = await reranker.rerank(QUERY, (long,), limit=2)

    assert server.requests[0]["documents"] == [f"Handbook\n{'word ' * 18}w"]
    assert ranked.text == long.text


async def test_of_a_question_that_is_a_whole_page_the_beginning_is_sent(tmp_path):
    async with opened(tmp_path) as (server, reranker):
        await reranker.rerank(Query(text="word " * 10_000), (LEAVE,), limit=2)

    assert len(server.requests[0]["query"]) == asking.ASKED_CHARS


async def test_no_passage_is_no_request(tmp_path):
    async with opened(tmp_path) as (server, reranker):
        ranked = await reranker.rerank(QUERY, (), limit=2)

    assert (list(ranked), server.requests) == ([], [])


def scores(*results):
    named = [{"index": index, "relevance_score": score} for index, score in results]
    return api.give({"id": "1", "results": named})


WRONG = {
    "one missing": (scores((0, 0.5)), "scores 1 of 2 passages"),
    "none": (api.give({"id": "1", "results": []}), "scores 0 of 2 passages"),
    "no results": (api.give({"id": "1"}), ""),
    "a passage twice": (scores((0, 0.5), (0, 0.4)), "scores passage 0 more than once"),
    "a passage that is not there": (scores((0, 0.5), (2, 0.4)), "scores passage 2; there are 0"),
    "a passage before all": (scores((0, 0.5), (-1, 0.4)), "scores passage -1; there are 0"),
    "a name as index": (scores((0, 0.5), ("b", 0.4)), ""),
    "no number": (
        api.give(
            b'{"id": "1", "results": [{"index": 0, "relevance_score": NaN}, '
            b'{"index": 1, "relevance_score": 0.5}]}'
        ),
        "passage 0 a score that is no number",
    ),
    "no score": (api.give({"id": "1", "results": [{"index": 0}, {"index": 1}]}), ""),
    "a list": (api.give([1, 2]), ""),
    "garbage": (api.give(b"\x00\xff garbage"), ""),
    "a page": (api.give(b"<html>Bad gateway</html>"), ""),
    "wrong key": (api.fail(401, f"Incorrect API key provided: {KEY}"), "key is not accepted"),
    "no such model": (api.fail(404, "no such model"), "no such model"),
    "busy": (api.fail(429, "slow down"), "limits the rate"),
    "broken": (api.fail(500, "oops"), "failed"),
    "hangs": (api.stream(hangs=True), "no word"),
    "breaks": (api.stream(breaks=True), ""),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, name, caplog):
    respond, expected = WRONG[name]
    caplog.set_level(logging.DEBUG)
    async with opened(tmp_path) as (server, reranker):
        server.respond = respond
        since = perf_counter()
        with pytest.raises(ModelError) as caught:
            await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)
        took = perf_counter() - since
        server.respond = api.rank(meaning.likeness)
        ranked = await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert took < 10
    assert ranked[0].id == LEAVE.id
    assert KEY not in caplog.text


async def test_a_failure_that_passes_is_tried_again(tmp_path):
    async with opened(tmp_path, retries=1) as (server, reranker):
        server.respond = api.first(api.fail(503), api.rank(meaning.likeness))
        ranked = await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    assert (ranked[0].id, len(server.requests)) == (LEAVE.id, 2)


async def test_an_unreachable_api_says_so(tmp_path):
    async with opened(tmp_path, api_base="http://127.0.0.1:9") as (_, reranker):
        with pytest.raises(ModelError, match="cannot be reached; check api_base"):
            await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_local_reranker_is_reached_directly_and_leads_nowhere_else(
    tmp_path, monkeypatch, provider
):
    async with (
        api.eavesdropping() as (elsewhere, heard),
        opened(tmp_path, model=f"{provider}/test") as (server, reranker),
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, elsewhere)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        ranked = await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)
        server.respond = api.redirect(f"{elsewhere}/v1/rerank")
        with pytest.raises(ModelError):
            await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    assert len(ranked) == 2
    assert len(server.requests) == 2
    assert heard == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_reranker_leads_elsewhere_with_texts(tmp_path, provider):
    async with (
        api.eavesdropping() as (elsewhere, heard),
        opened(tmp_path, model=f"{provider}/test", local=False) as (server, reranker),
    ):
        server.respond = api.redirect(f"{elsewhere}/v1/rerank")
        with pytest.raises(ModelError):
            await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    assert len(server.requests) == 1
    assert heard == []


async def test_what_nothing_keeps_to_its_address_is_not_asked_as_a_local_one(tmp_path):
    async with opened(tmp_path, model="together_ai/test") as (server, reranker):
        with pytest.raises(ModelError, match="name its provider hosted_vllm or infinity"):
            await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    assert server.requests == []
