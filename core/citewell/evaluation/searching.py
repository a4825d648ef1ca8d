"""How well retrievers serve questions, as they answer them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from msgspec import Struct

from citewell.evaluation.ranking import Interval, Ranking, differences, interval, ndcg
from citewell.noticing import listening
from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem
from citewell.types.questions import Audience, Query

_FETCHED = 50
"""A document may have several passages among the best."""


class Compared(Struct, frozen=True):
    """nDCG@10 of the same questions before and after a change, and by how much it is better."""

    questions: int
    before: float
    after: float
    difference: Interval

    @property
    def is_worse(self) -> bool:
        """Whether it is worse now, and not by chance."""
        return self.difference.high < 0


class Answered(Struct, frozen=True):
    """What was found for each question, best first.

    Attributes:
        notices: what the retriever said meanwhile, as that it could not search as it should.
    """

    found: Sequence[Sequence[Passage]]
    notices: Sequence[str]


async def answered(
    retriever: Retriever, questions: Sequence[EvalItem], audience: Audience
) -> Answered:
    """Return what `retriever` finds for each question."""
    with listening() as notices:
        found = [
            await retriever.retrieve(
                Query(text=question.question), limit=_FETCHED, readable_by=audience
            )
            for question in questions
        ]
    return Answered(found, tuple(one.whole for one in notices))


def compared(
    questions: Sequence[EvalItem],
    before: Sequence[Sequence[Passage]],
    after: Sequence[Sequence[Passage]],
    *,
    seed: int,
) -> Compared:
    """Compare what was found for `questions` before and after; `seed` is that of the interval.

    Where quotes tell what is to be found, that is what either of the two found.
    """
    pools = [(*old, *new) for old, new in zip(before, after, strict=True)]
    relevant = [one.relevant(pool) for one, pool in zip(questions, pools, strict=True)]
    scores = [
        ndcg([
            Ranking(question.named(found), right)
            for question, found, right in zip(questions, side, relevant, strict=True)
        ])
        for side in (before, after)
    ]
    return Compared(
        questions=len(questions),
        before=fmean(scores[0]),
        after=fmean(scores[1]),
        difference=interval([*differences(scores[1], scores[0])], seed=seed),
    )
