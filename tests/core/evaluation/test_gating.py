"""The gate: a backend goes live only on a fresh report about just that backend."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from citewell.engine.tables import Gate
from citewell.evaluation.estimating import mean
from citewell.evaluation.gating import Candidate, Status, rule
from citewell.evaluation.identity import Identity
from citewell.evaluation.report import ArmResult, Asked, Report

QUESTIONS = 300
NEW = Identity({"model tuned": "a", "model tuned: support.gguf": "b", "profile": "c"})
OLD = Identity({"model base": "d", "profile": "c"})
NOW = datetime(2026, 6, 10, tzinfo=UTC)
VERSIONS = {f"docs:{at}.md": "1" for at in range(QUESTIONS)}


def arm(name, identity, right, oldest):
    about = [f"{at}.md" for at in range(QUESTIONS)]
    scores = {"correct": mean([float(at < right) for at in range(QUESTIONS)], about)}
    return ArmResult(
        name=name,
        profile="default",
        tuned=False,
        rag=True,
        is_local=True,
        identity={**identity.parts, "documents": "of that day"},
        asked=QUESTIONS,
        outcomes={"answered": QUESTIONS},
        scores=scores,
        slices={},
        oldest=oldest,
    )


FRESH = "2026-06-01T12:00:00+00:00"
EVERYONE = frozenset({frozenset({"everyone"})})


def report(*, new=270, old=240, oldest=FRESH, present_oldest=FRESH):
    return Report(
        created="2026-06-09T12:00:00+00:00",
        questions_hash="q",
        config="",
        margin=0.05,
        adequate=0.0,
        documents=QUESTIONS,
        smallest_gain=0.1,
        arms=(arm("new", NEW, new, oldest), arm("old", OLD, old, present_oldest)),
        verdict=None,
        pairs=(),
        interaction=None,
        flags=(),
        trade_offs=(),
        disagreements=(),
        asked=tuple(
            Asked(
                id=str(at),
                question="?",
                document=f"{at}.md",
                evidence={f"docs:{at}.md": "1"},
                correct={"new": float(at < new), "old": float(at < old)},
            )
            for at in range(QUESTIONS)
        ),
        readers=(("everyone",),),
        leaked=0,
    )


def candidate(**changes):
    made = Candidate(
        profile="default",
        identity=NEW,
        present=OLD,
        questions_hash="q",
        versions=VERSIONS,
        readers=EVERYONE,
        now=NOW,
    )
    return replace(made, **changes)


GATE = Gate(min={"correct": 0.8}, max_drop=0.03)


def test_a_better_backend_with_a_fresh_report_passes():
    found = rule(report(), GATE, candidate())

    assert (found.status, found.arm, found.reasons) == (Status.PASS, "new", ())


def test_without_a_report_nothing_passes():
    found = rule(None, GATE, candidate())

    assert found.status is Status.FAIL
    assert found.reasons == ("there is no report; run: citewell eval run",)


@pytest.mark.parametrize("part", NEW.parts)
def test_any_part_that_changed_is_named(part):
    changed = Identity({**NEW.parts, part: "another"})

    found = rule(report(), GATE, candidate(identity=changed))

    assert found.status is Status.FAIL
    assert f"beside arm new it differs in: {part};" in found.reasons[0]


def test_other_documents_alone_change_nothing():
    found = rule(report(), GATE, candidate(versions={**VERSIONS, "docs:unrelated.md": "9"}))

    assert found.status is Status.PASS


@pytest.mark.parametrize(("changed", "status"), [(30, Status.PASS), (31, Status.FAIL)])
def test_evidence_may_change_up_to_the_share_that_is_set(changed, status):
    versions = VERSIONS | {f"docs:{at}.md": "2" for at in range(changed)}

    found = rule(report(), GATE, candidate(versions=versions))

    assert found.status is status
    if status is Status.FAIL:
        assert "the evidence of 10% of the questions changed" in found.reasons[0]
        assert "docs:0.md" in found.reasons[0]


def test_evidence_that_is_gone_has_changed():
    found = rule(report(), GATE, candidate(versions={}))

    assert found.status is Status.FAIL


@pytest.mark.parametrize(("days", "status"), [(29, Status.PASS), (31, Status.FAIL)])
def test_a_report_is_as_old_as_the_oldest_answer_that_it_is_about(days, status):
    oldest = (NOW - timedelta(days=days)).isoformat()

    found = rule(report(oldest=oldest), GATE, candidate())
    compared = rule(report(present_oldest=oldest), GATE, candidate())
    beside = rule(report(present_oldest=oldest), GATE, candidate(present=None))

    assert (found.status, compared.status, beside.status) == (status, status, Status.PASS)


@pytest.mark.parametrize("oldest", ["", "yesterday"])
def test_a_report_of_no_time_is_too_old(oldest):
    assert rule(report(oldest=oldest), GATE, candidate()).status is Status.FAIL


def test_a_report_on_questions_of_the_training_data_shows_nothing():
    found = rule(replace(report(), leaked=2), GATE, candidate())

    assert found.status is Status.FAIL
    assert "2 of the questions that were asked stand in the training data" in found.reasons[0]


def test_a_report_for_other_readers_than_the_settings_say_is_refused():
    found = rule(replace(report(), readers=(("everyone", "staff"),)), GATE, candidate())

    assert found.status is Status.FAIL
    assert 'asked for "everyone, staff", and [cli] reads are "everyone"' in found.reasons[0]


@pytest.mark.parametrize("questions_hash", ["other", None])
def test_another_question_set_makes_a_report_stale(questions_hash):
    found = rule(report(), GATE, candidate(questions_hash=questions_hash))

    assert found.reasons == ("the questions changed since the report; run: citewell eval run",)


def test_too_low_a_score_fails_and_one_that_may_be_too_low_is_not_settled():
    low = rule(report(new=230, old=200), GATE, candidate())
    open_ = rule(report(new=245, old=200), GATE, candidate())

    assert low.status is Status.FAIL
    assert "correct is 77%, asked are 80%" in low.reasons[0]
    assert open_.status is Status.UNSETTLED
    assert "may be as low as" in open_.reasons[0]


def test_a_score_that_is_not_there_fails():
    found = rule(report(), Gate(min={"supported": 0.5}), candidate())

    assert "has no score supported, of which 50% are asked" in found.reasons[0]


def test_being_worse_than_what_answers_now_fails():
    found = rule(report(new=260, old=300), Gate(), candidate())

    assert found.status is Status.FAIL
    assert "worse than old, which answers now" in found.reasons[0]


def test_what_may_be_worse_than_what_answers_now_is_not_settled():
    found = rule(report(new=270, old=278), Gate(), candidate())

    assert found.status is Status.UNSETTLED
    assert "ask more questions" in found.reasons[0]


def test_what_answers_now_has_to_be_measured_as_well():
    unknown = Identity({"model": "never measured"})

    found = rule(report(), Gate(), candidate(present=unknown))

    assert found.status is Status.UNSETTLED


def test_where_nothing_answers_now_there_is_nothing_to_lose():
    assert rule(report(), Gate(), candidate(present=None)).status is Status.PASS


def test_what_reads_no_documents_is_not_stale_because_of_them():
    found = rule(report(), GATE, candidate(versions=None))

    assert found.status is Status.PASS


def test_a_report_of_some_of_the_questions_is_not_enough():
    whole = report()
    partly = replace(whole, arms=(replace(whole.arms[0], asked=120), whole.arms[1]))

    found = rule(partly, GATE, candidate())

    assert found.status is Status.FAIL
    assert "arm new was asked 120 of 300 questions" in found.reasons[0]


def test_answers_of_a_fallback_are_no_evidence_for_a_model():
    whole = report()
    stood_in = replace(whole, arms=(replace(whole.arms[0], stood_in=20), whole.arms[1]))

    found = rule(stood_in, GATE, candidate())

    assert found.status is Status.FAIL
    assert "20 of 300 questions were answered by another model" in found.reasons[0]
