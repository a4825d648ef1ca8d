import logging

import pytest
from msgspec.structs import replace

import onnx_models
from citewell import Context, ModelError, Place, Placed, Query, asking
from citewell.testing import make_passages
from citewell_onnx.plugin import build_reranker
from citewell_onnx.process import ModelProcess
from citewell_onnx.settings import RerankerConfig

OFFICE, LEAVE = make_passages(
    "The office is closed on Sundays.", "Every employee has 28 days of leave a year."
)
QUERY = Query(text="How many days of leave?")


def opened(folder, **settings):
    config = RerankerConfig(**{"path": onnx_models.cross_encoder(), "max_tokens": 64, **settings})
    log = logging.getLogger("citewell.reranker.local")
    return build_reranker(config, Context(name="local", log=log, data_dir=folder, base_dir=folder))


async def test_the_score_is_what_the_model_gives_for_the_pair(tmp_path):
    async with opened(tmp_path) as reranker:
        ranked = await reranker.rerank(QUERY, (OFFICE, LEAVE), limit=2)

    # [CLS], how, many and ? are not in the passage; days, of, leave and [SEP] are.
    assert ranked[0].id == LEAVE.id
    assert 4 < ranked[0].score < 7
    assert ranked[1].score < ranked[0].score - 1


async def test_headings_and_the_header_of_a_table_are_read_too(tmp_path):
    places = (Placed(OFFICE.start, Place(headings=("Leave", "Days"))),)
    below = replace(OFFICE, places=places, header="how many of")
    async with opened(tmp_path) as reranker:
        ranked = await reranker.rerank(QUERY, (LEAVE, below), limit=2)

    assert ranked[0].id == OFFICE.id


async def test_what_is_beyond_the_tokens_that_fit_is_not_read(tmp_path):
    (long,) = make_passages(f"{'office ' * 200}leave days")
    (short,) = make_passages("office leave")
    async with opened(tmp_path) as reranker:
        ranked = await reranker.rerank(QUERY, (long, short), limit=2)

    assert [one.text for one in ranked] == [short.text, long.text]


async def test_of_a_question_that_is_a_whole_page_the_beginning_is_read(tmp_path, monkeypatch):
    given, rows = [], ModelProcess.rows

    async def noting(self, texts, question):
        given.append(question)
        return await rows(self, texts, question)

    monkeypatch.setattr(ModelProcess, "rows", noting)
    async with opened(tmp_path) as reranker:
        given.clear()
        await reranker.rerank(Query(text="leave " * 10_000), (OFFICE, LEAVE), limit=2)

    assert [len(question) for question in given] == [asking.ASKED_CHARS]


@pytest.mark.parametrize("question", ["leave " * 500, "", "\x00", "\ud800", "?" * 3000])
@pytest.mark.parametrize("max_tokens", [16, 64])
async def test_no_question_is_too_long_or_too_odd(tmp_path, question, max_tokens):
    long = replace(LEAVE, text=LEAVE.text * 50)
    async with opened(tmp_path, max_tokens=max_tokens) as reranker:
        ranked = await reranker.rerank(Query(text=question), (OFFICE, long, LEAVE), limit=3)

    assert {one.text for one in ranked} == {OFFICE.text, long.text, LEAVE.text}


async def test_a_model_that_gives_more_than_a_score_is_refused(tmp_path):
    folder = onnx_models.write_cross_encoder(tmp_path / "model", labels=2)
    with pytest.raises(ModelError, match="gives 2 numbers for a pair; expected one score"):
        async with opened(tmp_path, path=folder):
            pass


async def test_an_embedding_model_is_no_reranker(tmp_path):
    with pytest.raises(ModelError, match="numbers for a pair; expected one score"):
        async with opened(tmp_path, path=onnx_models.embedder()):
            pass
