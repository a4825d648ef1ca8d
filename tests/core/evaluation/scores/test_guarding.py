"""What is no score is counted as none, with its reason."""

import asyncio
import math

import pytest

from citewell import Unscored
from citewell.evaluation.scores import guarding
from citewell.evaluation.scores.guarding import checked, guarded, metric_score
from citewell.redaction import remember
from scored_cases import item, said


class Says:
    """A metric that gives or raises what it is told to."""

    def __init__(self, given):
        self.given = given

    async def score(self, item, response):
        if isinstance(self.given, BaseException):
            raise self.given
        return self.given


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, 0.0), (1, 1.0), (0.5, 0.5), (None, None), (1 + 1e-12, 1.0), (-1e-12, 0.0)],
)
async def test_a_score_is_a_number_from_0_to_1(given, expected):
    assert checked(given) == expected
    assert await metric_score(Says(given), item(), said("")) == expected


@pytest.mark.parametrize("given", [math.nan, math.inf, -0.1, 1.1, "0.5", True, [1], object()])
async def test_what_is_no_score_is_not_counted_as_one(given):
    score = await metric_score(Says(given), item(), said(""))

    assert isinstance(score, Unscored)
    assert "expected a number from 0 to 1" in score.reason


async def test_the_reason_is_one_line_without_secrets():
    remember("hunter2-hunter2")
    error = ValueError("the key hunter2-hunter2\nwas refused" + 300 * "!")

    score = await metric_score(Says(error), item(), said(""))

    assert isinstance(score, Unscored)
    assert score.reason.startswith("ValueError: the key *** was refused!")
    assert len(score.reason) == 200


def test_a_reason_is_never_empty():
    assert checked(Unscored(" \n")) == Unscored("no reason given")
    assert guarded(lambda: 1 / 0) == Unscored("ZeroDivisionError: division by zero")
    assert guarded([].pop) == Unscored("IndexError: pop from empty list")


async def test_a_metric_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(guarding, "METRIC_TIMEOUT_S", 0.01)

    class Mute:
        async def score(self, item, response):
            await asyncio.Event().wait()

    assert await metric_score(Mute(), item(), said("")) == Unscored("took more than 0.01 s")


async def test_a_timeout_of_the_metrics_own_is_told_as_such():
    score = await metric_score(Says(TimeoutError("the judge slept")), item(), said(""))

    assert score == Unscored("TimeoutError: the judge slept")


async def test_whoever_is_cancelled_is_not_scored():
    with pytest.raises(asyncio.CancelledError):
        await metric_score(Says(asyncio.CancelledError()), item(), said(""))
