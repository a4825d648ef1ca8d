"""What every metric must do, as tests."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace

from citewell.protocols import Metric
from citewell.testing.documents import ODD_QUERIES
from citewell.testing.opening import opened, run_async
from citewell.testing.passages import make_passages
from citewell.types.answers import Outcome
from citewell.types.evaluation import (
    EvalItem,
    Figure,
    Quote,
    Response,
    Score,
    Statement,
    Unscored,
)

_QUESTION = "How many days of leave does an employee have?"
_ANSWER = "Every employee has 28 days of leave a year."
(_PASSAGE,) = make_passages(_ANSWER)
_QUOTE = Quote(
    number=1,
    passage_id=_PASSAGE.id,
    document_id=_PASSAGE.document_id,
    start=_PASSAGE.start,
    end=_PASSAGE.end,
    text=_PASSAGE.text,
)
_ITEM = EvalItem(
    question=_QUESTION,
    documents=("Handbook",),
    quotes=("28 days of leave",),
    answers=("28 days", "28 days of leave a year"),
    figures=(Figure(value=28, unit="days"),),
    contains=("28 days",),
    lacks=("30 days",),
    pattern=r".*\.",
    glossary=("leave",),
    forbidden=("vacation",),
)
_RESPONSE = Response(
    outcome=Outcome.ANSWERED,
    output=f"{_ANSWER} [1]",
    text=_ANSWER,
    statements=(
        Statement(text=_ANSWER, is_supported=True, is_shown=True, quotes=(_QUOTE,)),
        Statement(text="Nobody has more.", is_supported=False, is_shown=False),
    ),
    found=(_PASSAGE,),
    seconds={"retrieve": 0.01, "total": 0.5},
    input_tokens=100,
    output_tokens=12,
    model="main",
)
ODD_TEXTS: Sequence[str] = (
    *ODD_QUERIES,
    "\ud800 a lone surrogate",
    "<script>alert(1)</script>",
    "[1][2][0][99999]",
    "NaN",
    '{"a": [Infinity]}',
    "word " * 20_000,
)
"""What models write when they are at their worst."""

_HELD_UP_S = 0.5
_ATTEMPTS = 3


class MetricContract:
    """Subclass it, set `name`, and pytest tests your metric.

    Attributes:
        name: under which a plugin that is installed offers the metric.
        config: its settings, as they would stand in `citewell.toml`.
        models: that its settings may name: the settings of each, `use` and its own.
        item: a question that the metric looks at; by default one with every common expectation.
        response: one to it that gets a number.
        judges_all: it looks at answers alone, and so at those to questions that expect nothing.
        odd_texts: that it has to bear, in answers and in what is expected.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    models: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    item: ClassVar[EvalItem] = _ITEM
    response: ClassVar[Response] = _RESPONSE
    judges_all: ClassVar[bool] = False
    odd_texts: ClassVar[Sequence[str]] = ODD_TEXTS

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Metric]:
        """Open the metric; override to build it otherwise."""
        async with opened("metric", self.name, self.config, folder, models=self.models) as metric:
            yield metric

    @run_async
    async def test_what_it_looks_at_gets_a_number(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as metric:
            score = _is_sound(await metric.score(self.item, self.response))

        assert score is not None, "nothing was said: set `item` to a question that it looks at"
        assert not isinstance(score, Unscored), (
            f"no number, because: {score.reason}; set `response` to one that can be scored"
        )

    @run_async
    async def test_the_same_answer_gets_the_same_score(self, tmp_path: Path) -> None:
        other = replace(self.response, output="No.", text="No.", statements=())

        async with self.open(tmp_path) as metric:
            first = await metric.score(self.item, self.response)
            await metric.score(self.item, other)
            again = await metric.score(self.item, self.response)
        async with self.open(tmp_path) as metric:
            anew = await metric.score(self.item, self.response)

        assert first == again == anew, "the score depends on the question and the answer alone"

    @run_async
    async def test_nothing_is_said_where_nothing_is_expected(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as metric:
            score = _is_sound(await metric.score(EvalItem(question=_QUESTION), self.response))

        assert self.judges_all or score is None, (
            "the question expects nothing: return None, or set `judges_all` if the answer is enough"
        )

    @run_async
    async def test_responses_without_an_answer_are_scored(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as metric:
            for outcome in Outcome:
                _is_sound(await metric.score(self.item, Response(outcome=outcome)))
            failed = Response(outcome=Outcome.FAILED, errors=("the model was not reached",))
            _is_sound(await metric.score(replace(self.item, unanswerable=True), failed))

    @run_async
    async def test_odd_texts_get_a_score(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as metric:
            for text in self.odd_texts:
                statement = Statement(text=text, is_supported=False, is_shown=True)
                response = replace(self.response, output=text, text=text, statements=(statement,))
                item = replace(
                    self.item,
                    question=text or "?",
                    answers=(text,),
                    contains=(text,),
                    lacks=(text,),
                )
                _is_sound(await metric.score(self.item, response))
                _is_sound(await metric.score(item, self.response))

    @run_async
    async def test_calls_may_overlap(self, tmp_path: Path) -> None:
        short = replace(self.response, output="28", text="28", statements=())

        async with self.open(tmp_path) as metric:
            alone = [await metric.score(self.item, one) for one in (self.response, short)]
            together = await asyncio.gather(
                *(metric.score(self.item, one) for one in (self.response, short) * 8)
            )

        assert together == alone * 8, "calls that overlap do not mix up their answers"

    @run_async
    async def test_no_call_holds_up_others(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as metric:
            # A busy machine holds up as well, but hardly each time.
            held_up = [await _held_up(metric, self.item, self.response) for _ in range(_ATTEMPTS)]

        assert min(held_up) < _HELD_UP_S, (
            f"the event loop stood still for {min(held_up):.1f} s; "
            "await what takes long, or give it to `citewell.blocking`"
        )

    @run_async
    async def test_it_closes(self, tmp_path: Path) -> None:
        before = asyncio.all_tasks()

        async with self.open(tmp_path) as metric:
            await metric.score(self.item, self.response)

        left = asyncio.all_tasks() - before
        assert not left, f"{len(left)} tasks are left running; end them when the metric is closed"


def _is_sound(score: Score) -> Score:
    if isinstance(score, Unscored):
        assert score.reason.strip(), "what is not scored says why: set `reason`"
        assert "\n" not in score.reason, "the reason is one line"
    elif score is not None:
        assert math.isfinite(score), f"score {score} is no number; return `Unscored` and why"
        assert 0 <= score <= 1, f"score {score} is not in [0, 1]"
    return score


async def _held_up(metric: Metric, item: EvalItem, response: Response) -> float:
    """Return for how many seconds at most nothing else could run while `metric` scored."""
    scoring = asyncio.ensure_future(metric.score(item, response))
    longest = 0.0
    last = time.monotonic()
    while not scoring.done():
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    await scoring
    return longest
