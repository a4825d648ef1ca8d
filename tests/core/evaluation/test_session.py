"""From questions to a report, over real arms; the same answers give the same report."""

import json
from contextlib import asynccontextmanager

import pytest

from citewell import Audience
from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.errors import CitewellError
from citewell.evaluation.answers import open_answers
from citewell.evaluation.asking import Terms
from citewell.evaluation.page import html
from citewell.evaluation.session import (
    Wanted,
    encoded,
    evaluate,
    load_report,
    report_path,
    save_report,
)
from citewell.types.evaluation import EvalItem
from islands import items, write_project


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path)


@asynccontextmanager
async def opened(config):
    async with open_runtime(load_settings(config)) as runtime:
        await bring_up(runtime)
        with open_answers(config.parent / "answers.sqlite") as answers:
            yield runtime, answers


async def evaluated(config, questions=None, **more):
    async with opened(config) as (runtime, answers):
        wanted = Wanted(
            items=questions or items(), terms=Terms(audience=Audience.of("everyone")), **more
        )
        return await evaluate(runtime, answers, wanted, lambda _: None)


async def test_each_arm_has_its_scores_and_the_cheapest_that_does_is_taken(project):
    found = (await evaluated(project)).report

    scores = {arm.name: arm.scores for arm in found.arms}
    assert scores["rag"]["correct"].mean == 1
    assert scores["rag"]["citation_recall"].mean == 1
    assert scores["base"]["correct"].mean == pytest.approx(6 / 18), "it refuses everything"
    assert "citation_recall" not in scores["tuned"]
    assert found.verdict.recommended == "rag"
    assert {arm.name for arm in found.arms if arm.spent.cost} == {"tuned", "both"}


async def test_a_memory_leaks_and_quotes_follow_the_passages(project):
    found = (await evaluated(project)).report

    assert found.arm("rag").scores["obedience.raw"].mean == 1
    assert found.arm("both").scores["obedience.raw"].mean == 0


async def test_the_same_answers_give_the_same_bytes(project):
    first = (await evaluated(project)).report
    second = await evaluated(project)

    assert second.progress.asked == 0
    assert encoded(second.report) == encoded(first)


async def test_a_report_is_read_as_it_was_written(project):
    found = (await evaluated(project)).report
    path = report_path(load_settings(project))

    save_report(path, found)

    assert load_report(path) == found
    assert encoded(load_report(path)) == encoded(found)
    assert json.loads(path.read_bytes())["schema"] == 1


async def test_each_slice_and_each_trade_off_is_there(project):
    found = (await evaluated(project)).report

    assert found.arm("rag").slices.keys() == {"in the documents", "not in the documents"}
    assert len(found.trade_offs) == 10
    assert all(bool(one.figures) != bool(one.unmeasured) for one in found.trade_offs)
    named = {one.name: one.figures for one in found.trade_offs}
    assert "retrieval" in named["inference latency"]["rag"]
    assert named["cost model"]["tuned"].startswith("0.5 a question, training 30")


async def test_questions_on_which_arms_disagree_stand_side_by_side_with_their_sources(project):
    found = (await evaluated(project)).report

    first = found.disagreements[0]
    said = {one.arm: one for one in first.said}
    assert said.keys() == {"base", "tuned", "rag", "both"}
    assert said["rag"].sources[0].quote.startswith("On island")
    assert said["rag"].correct == 1


async def test_what_was_not_asked_is_counted_and_not_averaged(project):
    async with opened(project) as (runtime, answers):
        terms = Terms(audience=Audience.of("everyone"), max_cost=2.0)
        wanted = Wanted(items=items(), terms=terms)
        found = await evaluate(runtime, answers, wanted, lambda _: None)

    tuned = found.report.arm("tuned")
    assert found.progress.ended_by_cost
    assert tuned.scores["correct"].unscored == 18 - tuned.asked > 0
    assert any(one.reason == "it was not asked" for one in tuned.unscored)
    assert not found.report.verdict.settled


async def test_a_metric_that_cannot_be_had_is_known_before_anything_is_asked(project):
    more = '[metric.judge]\nuse = "ragas"\nmeasure = "faithfulness"\nmodel = "quotes"\n'
    project.write_text(f'{project.read_text()}\n{more}environment = "none"\n')

    async with opened(project) as (runtime, answers):
        told = []
        wanted = Wanted(items=items(), terms=Terms(audience=Audience.of("everyone")))
        with pytest.raises(CitewellError, match=r'environment = "none" is no virtual environment'):
            await evaluate(runtime, answers, wanted, told.append)

    assert told == []


async def test_arms_that_differ_in_more_than_their_factor_are_flagged(project):
    text = project.read_text().replace(
        "[profile.both]\n", '[profile.both]\ninstructions = "Be brief."\n'
    )
    project.write_text(text)

    found = (await evaluated(project)).report

    assert any("both" in flag and "profile" in flag for flag in found.flags)


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %} \u202e'


async def test_the_page_is_inert_whatever_it_shows(project):
    hostile = EvalItem(
        id=HOSTILE,
        question=f"How many people live on island1? {HOSTILE}",
        answers=(f"107 people {HOSTILE}",),
        slices=(HOSTILE,),
    )
    found = (await evaluated(project, [*items(), hostile], warnings=(HOSTILE,))).report

    page = html(found)

    assert "<script" not in page
    assert "<img" not in page
    assert "49" not in page.partition("&lt;script")[2][:200]
    assert "{{ 7*7 }}" in page
    assert page.count("default-src 'none'") == 1
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


def test_without_a_report_it_is_said_how_to_make_one(tmp_path):
    with pytest.raises(CitewellError, match="there is no report yet; run: citewell eval run"):
        load_report(tmp_path / "report.json")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema": 1}', b"\xff", b"[1]"])
def test_a_file_that_is_no_report_is_refused(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_bytes(content)

    with pytest.raises(CitewellError, match="holds no report") as error:
        load_report(path)

    assert "\n" not in str(error.value)


def test_a_report_of_another_version_is_refused_with_its_number(tmp_path):
    path = tmp_path / "report.json"
    path.write_bytes(b'{"schema": 99}')

    with pytest.raises(CitewellError, match="has schema 99; this Citewell reads 1"):
        load_report(path)
