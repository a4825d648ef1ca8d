"""The contract of metrics holds for one that is right, and notices what is wrong with others."""

import asyncio
import itertools
import json
import math
import time
from contextlib import asynccontextmanager

import pytest

from citewell import Unscored
from citewell.testing import MetricContract
from distributions import Site

TESTS = [name for name in vars(MetricContract) if name.startswith("test_")]


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    Site(tmp_path / "site", monkeypatch).install(
        {"length": "length_metric"}, name="citewell-length"
    )


class TestLength(MetricContract):
    name = "length"
    config = {"max_words": 5}
    judges_all = True


def test_naughty_strings_are_measured(tmp_path, data_dir):
    strings = json.loads((data_dir("naughty_strings") / "blns.json").read_text(encoding="utf-8"))
    contract = type("Naughty", (TestLength,), {"odd_texts": strings})()

    contract.test_odd_texts_get_a_score(tmp_path)

    assert len(contract.odd_texts) > 400


class Contains:
    """Looks for the first answer; each change is one way to be wrong."""

    def __init__(self, change=lambda score: score):
        self.change = change

    async def score(self, item, response):
        found = item.answers[0] in response.text if item.answers else None
        return self.change(None if found is None else float(found))


class Sleeping(Contains):
    async def score(self, item, response):
        time.sleep(0.6)  # noqa: ASYNC251 - what the contract is to notice
        return await super().score(item, response)


class Remembering(Contains):
    """Gives what it was asked last, where it is asked while it works."""

    async def score(self, item, response):
        self.last = item, response
        await asyncio.sleep(0)
        return await super().score(*self.last)


class Leaving(Contains):
    async def score(self, item, response):
        self.task = asyncio.ensure_future(asyncio.Event().wait())
        return await super().score(item, response)


class Fragile(Contains):
    async def score(self, item, response):
        return await super().score(item, response) if response.statements[0].text else 0


def contract(metric):
    @asynccontextmanager
    async def open_(self, folder):
        yield metric

    return type("Subject", (MetricContract,), {"name": "subject", "open": open_})()


@pytest.mark.parametrize("test", TESTS)
def test_a_good_metric_passes(tmp_path, test):
    metric = Contains()

    assert getattr(contract(metric), test)(tmp_path) is None


COUNTER = itertools.count(1)
ALWAYS = "test_what_it_looks_at_gets_a_number"
WRONG = [
    (Contains(lambda score: None), ALWAYS, "set `item` to a question that it looks at"),
    (Contains(lambda score: Unscored("no judge")), ALWAYS, "no number, because: no judge"),
    (Contains(lambda score: 1.5), ALWAYS, "score 1.5 is not in"),
    (Contains(lambda score: math.nan), ALWAYS, "score nan is no number"),
    (Contains(lambda score: Unscored("")), ALWAYS, "set `reason`"),
    (Contains(lambda score: Unscored("a\nb")), ALWAYS, "one line"),
    (
        Contains(lambda score: 1 / next(COUNTER)),
        "test_the_same_answer_gets_the_same_score",
        "on the question and the answer alone",
    ),
    (
        Contains(lambda score: score or 0.0),
        "test_nothing_is_said_where_nothing_is_expected",
        "or set `judges_all`",
    ),
    (Fragile(), "test_responses_without_an_answer_are_scored", "tuple index out of range"),
    (Contains(lambda score: 1 - 2 * score), "test_odd_texts_get_a_score", "is not in"),
    (Remembering(), "test_calls_may_overlap", "do not mix up"),
    (Sleeping(), "test_no_call_holds_up_others", "the event loop stood still"),
    (Leaving(), "test_it_closes", "1 tasks are left running"),
]


@pytest.mark.parametrize(("metric", "test", "said"), WRONG)
def test_what_is_wrong_is_noticed(tmp_path, metric, test, said):
    with pytest.raises((AssertionError, IndexError), match=said):
        getattr(contract(metric), test)(tmp_path)


def test_each_promise_is_broken_by_some_metric():
    assert {test for _, test, _ in WRONG} == set(TESTS)
