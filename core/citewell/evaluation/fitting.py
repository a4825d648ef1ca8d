"""The weight of words beside vectors, fitted on one half of the questions, judged on the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from citewell.evaluation.ranking import Interval, Ranking, differences, interval, ndcg
from citewell.fusion import Fusion, fused
from citewell.protocols import HybridRetriever
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem
from citewell.types.questions import Audience, Query

CANDIDATES = 50
"""Passages of each half that are fused; as many as a retriever takes for an answer."""

ALLOWED_LOSS = 0.005
"""By so much nDCG@10 of the fused list may be below that of the better half."""

_STEPS = 20
_GRID = tuple(
    Fusion(method=method, words=step / _STEPS)
    for method in ("ranks", "scores")
    for step in range(_STEPS + 1)
)


class Halves(Struct, frozen=True):
    """What words and vectors find for one question."""

    question: EvalItem
    words: Sequence[Passage]
    vectors: Sequence[Passage]

    @property
    def is_answerable(self) -> bool:
        """Whether a right passage is among what they find."""
        return any(map(self.question.is_right, (*self.words, *self.vectors)))

    def ranking(self, fusion: Fusion) -> Ranking:
        """Return the list that `fusion` makes of them."""
        by_words = {passage.id: passage.score for passage in self.words}
        by_vectors = {passage.id: passage.score for passage in self.vectors}
        scores = fused(by_words, by_vectors, fusion)
        passages = {passage.id: passage for passage in (*self.words, *self.vectors)}
        ranked = sorted(passages.values(), key=lambda one: _place(one, scores))
        return self._judged(ranked)

    def alone(self, ranked: Sequence[Passage]) -> Ranking:
        """Return the list of one half alone."""
        return self._judged(ranked)

    def _judged(self, ranked: Sequence[Passage]) -> Ranking:
        pool = (*self.words, *self.vectors)
        return Ranking(self.question.named(ranked), self.question.relevant(pool))


def _place(passage: Passage, scores: Mapping[str, float]) -> tuple[float, str, int]:
    return -scores[passage.id], passage.document_id, passage.start


class Judged(Struct, frozen=True):
    """A way to rank, on the questions that nothing was fitted on.

    Attributes:
        score: nDCG@10.
        beside: its difference to the better of words and vectors alone.
    """

    name: str
    score: Interval
    beside: Interval


class Fit(Struct, frozen=True):
    """What was found out.

    Attributes:
        fusion: the best on the fitted half.
        fitted_on: how many questions.
        judged_on: how many others.
        rows: words, vectors, as it was, and as fitted.
    """

    fusion: Fusion
    fitted_on: int
    judged_on: int
    rows: tuple[Judged, ...]

    @property
    def holds(self) -> bool:
        """Whether the fitted list is, on other questions, about as good as the better half."""
        return self.rows[-1].beside.mean >= -ALLOWED_LOSS


async def gathered(
    retriever: HybridRetriever,
    questions: Sequence[EvalItem],
    audience: Audience,
    told: Callable[[int, int], None],
) -> list[Halves]:
    """Return what both halves of `retriever` find for each question.

    Raises:
        CitewellError: one of them cannot answer.
    """
    found = []
    for number, question in enumerate(questions, 1):
        words, vectors = await retriever.halves(
            Query(text=question.question), limit=CANDIDATES, readable_by=audience
        )
        found.append(Halves(question, words, vectors))
        told(number, len(questions))
    return found


def fit(found: Sequence[Halves], now: Fusion, *, seed: int) -> Fit:
    """Choose the best weight for one half of the questions and judge it by the others.

    Args:
        found: at least two.
        now: how the retriever weighs them at present.
        seed: of the drawing of the halves, and of the intervals.
    """
    fitted, others = _drawn(found, random.Random(seed))  # noqa: S311 - halves are no secret
    best = max(_GRID, key=lambda fusion: (_mean(fitted, fusion), *_preferred(fusion, now)))
    words = ndcg([one.alone(one.words) for one in others])
    vectors = ndcg([one.alone(one.vectors) for one in others])
    better = words if sum(words) >= sum(vectors) else vectors
    rows = {
        "words alone": words,
        "vectors alone": vectors,
        f"as it is ({shown(now)})": ndcg([one.ranking(now) for one in others]),
        f"fitted ({shown(best)})": ndcg([one.ranking(best) for one in others]),
    }
    judged = tuple(
        Judged(
            name,
            interval(scores, seed=seed),
            interval([*differences(scores, better)], seed=seed),
        )
        for name, scores in rows.items()
    )
    return Fit(fusion=best, fitted_on=len(fitted), judged_on=len(others), rows=judged)


def _drawn(found: Sequence[Halves], choose: random.Random) -> tuple[list[Halves], list[Halves]]:
    """Draw two halves; what asks the same comes into the same one, or nothing would be judged."""
    same: dict[str, list[Halves]] = {}
    for one in found:
        same.setdefault(" ".join(one.question.question.casefold().split()), []).append(one)
    drawn = choose.sample([*same.values()], len(same))
    return [one for ones in drawn[::2] for one in ones], [
        one for ones in drawn[1::2] for one in ones
    ]


def _mean(found: Sequence[Halves], fusion: Fusion) -> float:
    scores = ndcg([one.ranking(fusion) for one in found])
    return round(sum(scores) / len(scores), 9)


def _preferred(fusion: Fusion, now: Fusion) -> tuple[bool, float]:
    """Of what is equally good, choose what is in use, then what leans on both."""
    return fusion == now, -abs(fusion.words - 0.5)


def shown(fusion: Fusion) -> str:
    """Return a fusion in words."""
    return f"{fusion.method}, words {fusion.words:g}"
