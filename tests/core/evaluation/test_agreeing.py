"""A report beside labels: each labelled text counts once, and only for the scores it has."""

from datetime import UTC, datetime

import pytest
from msgspec import json as msgjson

from citewell import Audience, Score, Unscored
from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.evaluation.agreeing import beside_people
from citewell.evaluation.answers import open_answers
from citewell.evaluation.asking import Terms
from citewell.evaluation.labels import Label
from citewell.evaluation.page import html
from citewell.evaluation.report import Report
from citewell.evaluation.saying import agreement_sentence, unknown_sentence
from citewell.evaluation.scores import MEASURES, TELLING_RIGHT
from citewell.evaluation.session import Wanted, encoded, evaluate
from distributions import Site
from islands import items, write_project

METRIC = """
[metric.judge]
use = "length"
max_words = 4
"""


def label(question, hash_, *, is_right=True, who="ann"):
    return Label(
        question=question,
        text_hash=hash_,
        verdict="right" if is_right else "wrong",
        who=who,
        at=datetime(2026, 11, 30, tzinfo=UTC),
    )


def labels_of(report, *, is_right=lambda correct: correct == 1, who="ann"):
    """Return a label for each text of the report, by what its primary score is."""
    found = {}
    for asked in report.asked:
        for arm, hash_ in asked.texts.items():
            verdict = is_right(asked.correct[arm])
            found[asked.question, hash_] = label(asked.question, hash_, is_right=verdict, who=who)
    return [*found.values()]


@pytest.fixture
def project(tmp_path, monkeypatch):
    Site(tmp_path / "site", monkeypatch).install(
        {"length": "length_metric"}, name="citewell-length"
    )
    path = write_project(tmp_path)
    path.write_text(path.read_text() + METRIC)
    return path


async def evaluated(project, labels=()):
    async with open_runtime(load_settings(project)) as runtime:
        await bring_up(runtime)
        with open_answers(project.parent / "answers.sqlite") as answers:
            terms = Terms(audience=Audience.of("everyone"))
            wanted = Wanted(items=items(), terms=terms, labels=labels)
            return (await evaluate(runtime, answers, wanted, lambda _: None)).report


def by_score(report):
    return {one.score: one for one in report.agreement}


def test_the_scores_that_tell_a_right_answer_are_among_the_measures():
    assert set(TELLING_RIGHT) <= {one.name for one in MEASURES}
    assert TELLING_RIGHT[0] == MEASURES[0].name


async def test_people_who_say_what_a_score_says_agree_with_it_alone(project):
    bare = await evaluated(project)

    found = by_score(beside_people(bare, labels_of(bare)))

    assert found["correct"].kappa == found["correct"].share == 1
    assert found["correct"].labels == 12 * 3 + 6 * 2, "two arms refuse alike"
    assert found["judge"].kappa < 0.9
    assert list(found) == ["correct", "exact_match", "token_f1", "contains_answer", "judge"]


async def test_a_report_is_the_same_by_the_same_answers_and_labels(project):
    bare = await evaluated(project)
    labels = labels_of(bare, is_right=lambda correct: correct == 0)

    beside = await evaluated(project, labels)

    assert encoded(beside) == encoded(beside_people(bare, [*reversed(labels)]))
    assert encoded(beside) == encoded(await evaluated(project, labels))
    assert encoded(beside_people(beside, ())) == encoded(bare)
    assert msgjson.decode(encoded(beside), type=Report) == beside


async def test_labels_of_other_answers_count_for_nothing(project):
    bare = await evaluated(project)
    foreign = [label(bare.asked[0].question, "0" * 32), label("Who?", bare.asked[0].texts["rag"])]

    assert beside_people(bare, foreign) == bare


async def test_how_far_a_judge_agrees_is_said_or_said_to_be_unknown(project):
    bare = await evaluated(project)
    beside = beside_people(bare, labels_of(bare)[:12])

    unknown = "How far judge agrees with people is not known: citewell eval label"
    assert unknown_sentence(bare) == unknown
    assert unknown in html(bare)
    assert unknown_sentence(beside) == ""
    sentence = agreement_sentence(by_score(beside)["judge"])
    assert "12 labels (few: 30 tell more)" in sentence
    assert "<h2>Agreement with people</h2>" in html(beside)
    assert "12 labels (few: 30 tell more)" in html(beside)


async def test_without_judges_and_labels_nothing_is_said_of_agreement(project):
    project.write_text(project.read_text().replace(METRIC, ""))

    bare = await evaluated(project)

    assert unknown_sentence(bare) == ""
    assert "Agreement with people" not in html(bare)


@pytest.mark.parametrize(
    ("scores", "labels", "unscored"),
    [
        ((1.0, 0.0), 1, 0),
        ((None, 0.0), 1, 0),
        ((None, None), 0, 1),
    ],
)
async def test_what_could_not_be_scored_is_counted_apart(project, scores, labels, unscored):
    bare = await evaluated(project)
    document = msgjson.decode(encoded(bare))
    asked = document["asked"][0]
    asked["texts"] = {"rag": "a" * 32, "both": "a" * 32}
    asked["scores"] = {"judge": dict(zip(("rag", "both"), scores, strict=True))}
    report = msgjson.decode(msgjson.encode(document), type=Report)

    (found,) = beside_people(report, [label(asked["question"], "a" * 32)]).agreement

    assert (found.labels, found.unscored) == (labels, unscored)
    assert found.share == (None if unscored else float(scores == (1.0, 0.0)))


class Failing:
    """Gives no score for what is wrong: a judge that looks better than it is."""

    async def score(self, item, response) -> Score:
        return 1.0 if item.answers and item.answers[0] in response.text else Unscored("no idea")


async def test_a_judge_that_fails_on_wrong_answers_is_told_by_what_it_left_out(
    project, monkeypatch
):
    monkeypatch.setattr("length_metric.LengthMetric.score", Failing.score)
    bare = await evaluated(project)

    found = by_score(beside_people(bare, labels_of(bare)))["judge"]

    assert found.kappa is None
    assert found.share == 1
    assert (found.labels, found.unscored) == (24, 24)
    assert "could not be scored" in agreement_sentence(found)


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} \u202e\x1b[2J'


async def test_no_label_gets_anything_into_the_page(project):
    bare = await evaluated(project)
    labels = [*labels_of(bare, who=HOSTILE), label(HOSTILE, "0" * 32, who=HOSTILE)]

    beside = beside_people(bare, labels)

    assert len(beside.agreement) == 5
    assert "script" not in html(beside)
    assert "alert" not in encoded(beside).decode(), "who labelled stays in the file of labels"
