"""What a profile's rerankers and a retriever's embedder do on the way to the passages."""

from contextlib import asynccontextmanager

import pytest

from assistants import answers, assistant, write_handbook
from citewell import ConfigError, Outcome
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.engine.trust import Trust

PLUGIN = '''
from contextlib import asynccontextmanager
import asyncio
import citewell
from citewell import Config, EmbedderName
from citewell_embedded.plugin import LexicalConfig, build as build_lexical

class NearConfig(Config):
    embedder: EmbedderName | None = None

class Near:
    """Another retriever, which embeds each question and says so."""

    def __init__(self, inner, config, context):
        self.inner, self.config, self.context = inner, config, context

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def retrieve(self, query, *, limit, readable_by):
        if query.text == "never":
            await asyncio.Event().wait()
        name = self.config.embedder
        embedder = await self.context.embedders.open(name)
        await embedder.embed([query.text], kind="query")
        held = [label for label in ("hr", "everyone")
                if self.context.embedders.withholds(name, frozenset({label}))]
        self.context.notice(f"embedded by {embedder.identity}, without {held}")
        self.context.notice(f"embedded by {embedder.identity}, without {held}")
        return await self.inner.retrieve(query, limit=limit, readable_by=readable_by)

@asynccontextmanager
async def build(config, context):
    async with build_lexical(LexicalConfig(), context) as inner:
        yield Near(inner, config, context)

class OrderConfig(Config):
    how: str = "backwards"

class Order:
    def __init__(self, config):
        self.config = config

    async def rerank(self, query, passages, *, limit):
        if self.config.how == "fails":
            raise RuntimeError("boom")
        if self.config.how == "hangs":
            await asyncio.Event().wait()
        if self.config.how == "strange":
            stranger = citewell.Passage(id="x", document_id="d", title="", text="t", start=0,
                                        end=1, places=(citewell.Placed(0, citewell.Place()),))
            return [stranger, passages[-1], passages[-1]]
        return list(reversed(passages))[:limit]

@asynccontextmanager
async def build_order(config, context):
    yield Order(config)

@citewell.hookimpl
def register_retrievers():
    return [citewell.RetrieverSpec(name="near", summary="x", config=NearConfig, build=build)]

@citewell.hookimpl
def register_rerankers():
    return [citewell.RerankerSpec(name="order", summary="x", config=OrderConfig,
                                  build=build_order, local=lambda config: config.how != "strange")]
'''
SETTINGS = """
[plugins]
paths = ["near.py"]

[model.quotes]
use = "extractive"

[profile.default]
retriever = "{retriever}"
model = "quotes"
"""
NEAR = '\n[retriever.near]\nuse = "near"\nembedder = "words"\n'


@pytest.fixture(autouse=True)
def trusted(tmp_path):
    (tmp_path / "near.py").write_text(PLUGIN)
    Trust().add(tmp_path / "near.py", PLUGIN.encode())


@asynccontextmanager
async def asking(folder, *, more="", retriever="main", profile=""):
    settings = SETTINGS.format(retriever=retriever) + profile + more
    async with assistant(folder, settings) as (asked, kept):
        yield asked, kept


async def passages(folder, text="leave doctor", **settings):
    async with asking(folder, **settings) as (asked, kept):
        last = (await answers(asked, text))[-1]
        return [one.id for one in kept.records[0].passages], last, kept.records[0]


async def test_rerankers_follow_each_other_and_choose_from_the_candidates(tmp_path):
    found, _, _ = await passages(tmp_path)

    once, _, _ = await passages(tmp_path, profile='rerankers = ["order"]\n')
    twice, _, record = await passages(
        tmp_path, profile='rerankers = ["order", "order2"]\n', more='[reranker.order2]\nuse="order"'
    )
    best, _, _ = await passages(tmp_path, profile='rerankers = ["order"]\npassages = 1\n')
    few, _, _ = await passages(
        tmp_path, profile='rerankers = ["order"]\npassages = 1\ncandidates = 1\n'
    )

    assert len(found) == 2
    assert once == found[::-1]
    assert twice == found
    assert {"rerank order", "rerank order2"} <= record.seconds.keys()
    assert best == found[-1:]
    assert few == found[:1]


async def test_a_reranker_that_fails_costs_its_order_alone(tmp_path):
    found, _, _ = await passages(tmp_path)

    same, last, record = await passages(
        tmp_path,
        profile='rerankers = ["broken"]\n',
        more='[reranker.broken]\nuse="order"\nhow="fails"',
    )

    assert same == found
    assert last.note == "the passages stand as they were found, because broken could not order them"
    assert record.errors == ("reranker broken: RuntimeError: boom",)


async def test_a_reranker_that_never_answers_costs_its_order_alone(tmp_path):
    ids, answer, record = await passages(
        tmp_path,
        profile='rerankers = ["stuck"]\ntimeout_s = 4\n',
        more='[reranker.stuck]\nuse="order"\nhow="hangs"',
    )

    assert ids
    assert answer.claims
    assert record.errors == ("reranker stuck: TimeoutError: ",)


async def test_a_reranker_adds_nothing_and_loses_nothing(tmp_path):
    found, _, _ = await passages(tmp_path)

    after, _, _ = await passages(
        tmp_path, profile='rerankers = ["odd"]\n', more='[reranker.odd]\nuse="order"\nhow="strange"'
    )

    assert after == found[::-1]


async def test_what_must_stay_is_not_given_to_a_reranker_elsewhere(tmp_path):
    found, _, _ = await passages(tmp_path)

    after, last, _ = await passages(
        tmp_path,
        profile='rerankers = ["odd"]\n',
        more='[reranker.odd]\nuse="order"\nhow="strange"\n[privacy]\nlocal_only = ["everyone"]',
    )

    assert after == found
    assert last.note == ""


async def test_a_retriever_opens_the_embedder_that_it_names_and_says_a_thing_once(tmp_path):
    _, last, _ = await passages(
        tmp_path,
        retriever="near",
        more=NEAR + '[embedder.words]\nuse = "scripted"\nseed = 3',
    )

    assert last.note == "embedded by scripted 256 3, without []"


async def test_an_embedder_elsewhere_is_known_to_withhold(tmp_path):
    _, last, _ = await passages(
        tmp_path,
        retriever="near",
        more=NEAR
        + '[embedder.words]\nuse = "scripted"\nlocal = false\n[privacy]\nlocal_only = ["hr"]',
    )

    assert last.note.endswith("without ['hr']")


def test_an_embedder_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    more = NEAR + '[embedder.word]\nuse = "scripted"\n'
    config = write_handbook(tmp_path, SETTINGS.format(retriever="near") + more)

    with pytest.raises(ConfigError, match=r"retriever\.near\.embedder: there is no .*words.*word"):
        load_settings(config)


async def test_a_retriever_is_opened_again_with_another_embedder(tmp_path):
    def wanted(seed):
        more = NEAR + f'[embedder.words]\nuse = "scripted"\nseed = {seed}\n'
        config = write_handbook(tmp_path, SETTINGS.format(retriever="near") + more)
        return load_settings(config)

    seen = []
    for seed in (1, 1, 2):
        settings = wanted(seed)
        async with open_runtime(settings) as runtime:
            seen.append(runtime.wanted("retriever", settings.retrievers["near"].section))

    assert seen[0].named == seen[1].named
    assert seen[0].named != seen[2].named


async def test_a_retriever_that_never_answers_is_named(tmp_path):
    more = NEAR + '[embedder.words]\nuse = "scripted"\n'
    settings = {"retriever": "near", "profile": "timeout_s = 0.3\n", "more": more}
    async with asking(tmp_path, **settings) as (asked, kept):
        answer = (await answers(asked, "never"))[-1]

    assert answer.outcome is Outcome.FAILED
    assert kept.records[0].errors == ('StoreError: retriever "near" gave nothing within 0.3 s',)
