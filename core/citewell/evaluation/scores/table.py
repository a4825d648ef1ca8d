"""Every score that needs no judge, and what one response scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from citewell.engine.citing.marks import without_marks
from citewell.evaluation.scores import (
    answering,
    citations,
    correctness,
    figures,
    forms,
    obedience,
    refusals,
    retrieval,
    wording,
)
from citewell.evaluation.scores.cases import Case, Measure
from citewell.evaluation.scores.guarding import guarded
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem, Response, Score

RAW = ".raw"
"""Ends the key of a score of the model's own text; no component has a name with a dot."""


def _of_text(compute: Callable[[Case], Score], *, title: str, explanation: str) -> Measure:
    return Measure(
        name=compute.__name__,
        title=title,
        explanation=explanation,
        compute=compute,
        reads_text=True,
    )


def _of_response(compute: Callable[[Case], Score], *, title: str, explanation: str) -> Measure:
    return Measure(name=compute.__name__, title=title, explanation=explanation, compute=compute)


MEASURES = (
    _of_text(
        correctness.correct,
        title="correct",
        explanation="all holds that the question expects of the answer; a failure is 0",
    ),
    _of_text(
        answering.exact_match,
        title="exact match",
        explanation="the whole text is one of the answers, after SQuAD's normalisation",
    ),
    _of_text(
        answering.token_f1,
        title="token F1",
        explanation="overlap of words with the nearest of the answers, as SQuAD counts it",
    ),
    _of_text(
        answering.contains_answer,
        title="contains an answer",
        explanation="one of the answers stands in the text as it is, in whole words",
    ),
    _of_text(
        figures.figures,
        title="figures",
        explanation="share of the expected numbers that are stated, with unit and tolerance",
    ),
    _of_text(
        wording.contains,
        title="says what it must",
        explanation="share of the required words that are said",
    ),
    _of_text(
        wording.lacks,
        title="leaves out what it must",
        explanation="share of the unwanted words that are not said",
    ),
    _of_text(
        wording.choice,
        title="right choice",
        explanation="the whole text is the right one of the choices",
    ),
    _of_text(
        forms.pattern,
        title="matches the pattern",
        explanation="the whole text matches the regular expression",
    ),
    _of_text(
        forms.output_schema,
        title="fits the schema",
        explanation="the text is JSON that satisfies the JSON Schema",
    ),
    _of_text(
        wording.glossary,
        title="glossary",
        explanation="share of the words of the house that are used",
    ),
    _of_text(
        wording.forbidden,
        title="forbidden words",
        explanation="share of the forbidden words that are not used",
    ),
    _of_text(
        obedience.obedience,
        title="context obedience",
        explanation="the text follows the changed passage; one minus the mean is the leak rate",
    ),
    _of_response(
        refusals.refusal,
        title="refusal",
        explanation="refused exactly where the documents do not say",
    ),
    _of_response(
        refusals.refused,
        title="right refusals",
        explanation="of what the documents do not say: it was refused",
    ),
    _of_response(
        refusals.answered,
        title="no wrong refusals",
        explanation="of what the documents say: it was not refused",
    ),
    _of_response(
        retrieval.hit_at_1,
        title="hit@1",
        explanation="the first passage is a right one",
    ),
    _of_response(
        retrieval.hit_at_3,
        title="hit@3",
        explanation="a right passage is among the first 3",
    ),
    _of_response(
        retrieval.hit_at_10,
        title="hit@10",
        explanation="a right passage is among the first 10",
    ),
    _of_response(
        retrieval.reciprocal_rank,
        title="reciprocal rank",
        explanation="1 divided by the place of the first right passage",
    ),
    _of_response(
        retrieval.ndcg_10,
        title="nDCG@10",
        explanation="how near the order of the first 10 passages is to the best one",
    ),
    _of_response(
        citations.citation_resolves,
        title="citations resolve",
        explanation="share of quotes that a found passage holds where they are said to stand",
    ),
    _of_response(
        citations.citation_precision,
        title="citation precision",
        explanation="share of quotes that show some of the marked evidence",
    ),
    _of_response(
        citations.citation_recall,
        title="citation recall",
        explanation="share of the marked evidence of which some is quoted",
    ),
    _of_response(
        citations.supported,
        title="supported",
        explanation="share of statements that the evidence checks found supported",
    ),
)
"""In the order in which people are shown them; the first is what arms are compared by."""

TELLING_RIGHT = ("correct", "exact_match", "token_f1", "contains_answer", "figures", "choice")
"""The scores that are to say by themselves whether an answer is right, as people can."""


def scored(
    item: EvalItem, response: Response, *, pool: Sequence[Passage] = ()
) -> Mapping[str, Score]:
    """Return every score of what came back for a question, by name.

    A score of the model's own text, its marks removed, has the same name with `RAW` behind it.

    Args:
        item: the question.
        response: what came back.
        pool: what other arms found for it; right passages among it count as missed.
    """
    return dict(_scores(item, response, pool))


def _scores(
    item: EvalItem, response: Response, pool: Sequence[Passage]
) -> Iterator[tuple[str, Score]]:
    known = {passage.id: passage for passage in (*pool, *response.found)}
    relevant = item.relevant(known.values())
    delivered = Case(item=item, response=response, text=response.text, relevant=relevant)
    raw = replace(delivered, text=_output(item, response), is_raw=True)
    for measure in MEASURES:
        yield measure.name, guarded(partial(measure.compute, delivered))
        if measure.reads_text:
            yield f"{measure.name}{RAW}", guarded(partial(measure.compute, raw))


def _output(item: EvalItem, response: Response) -> str:
    """Return what the model wrote; a list in JSON looks like a mark, and nothing is cited there."""
    return response.output if item.output_schema is not None else without_marks(response.output)
