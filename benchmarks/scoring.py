"""How long it takes to score answers that are kept, and to make their report.

A thousand questions on four arms: twelve passages, six statements with a quote each, and some 800
characters an answer. Nothing is asked of a model.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypedDict

from citewell import Outcome, Passage, Place, Placed
from citewell.evaluation.arms import Arm
from citewell.evaluation.identity import Identity
from citewell.evaluation.reporting import Answered, Findings, questions_hash, report
from citewell.evaluation.session import encoded
from citewell.evaluation.verdict import Bounds
from citewell.types.evaluation import EvalItem, Quote, Response, Statement
from proofs import harness

ARMS = ("base", "tuned", "rag", "both")
MOST_S = 30.0
_QUESTIONS = {False: 1000, True: 50}
_ROUNDS = 3
_PASSAGES, _STATEMENTS, _WORDS = 12, 6, 20


class Scoring(TypedDict):
    """Of one run.

    Attributes:
        seconds: of scoring and reporting, median.
        same: whether each round gave the same bytes.
    """

    date: str
    machine: dict[str, object]
    questions: int
    arms: int
    seconds: float
    same: bool


def run(_cache: Path, *, small: bool) -> Scoring:
    """Score, and score again."""
    findings = _findings(_QUESTIONS[small])
    seconds, reports = [], set()
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        reports.add(encoded(report(findings)))
        seconds.append(time.perf_counter() - begin)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": harness.machine(),
        "questions": len(findings.items),
        "arms": len(ARMS),
        "seconds": round(median(seconds), 2),
        "same": len(reports) == 1,
    }


def broken(result: Scoring) -> list[str]:
    """Name each promise that a run does not keep."""
    found = []
    if result["seconds"] >= MOST_S:
        found.append(f"scoring took {result['seconds']} s, promised below {MOST_S:g}")
    if not result["same"]:
        found.append("the same answers gave another report")
    return found


def tables(result: Scoring) -> str:
    """Return the table as Markdown."""
    machine = result["machine"]
    return (
        "| what | figure |\n|---|---:|\n"
        f"| {result['questions']:,} questions on {result['arms']} arms scored and reported | "
        f"{result['seconds']:.1f} s |\n"
        f"| ... again: the same JSON, byte for byte | {'yes' if result['same'] else 'no'} |\n\n"
        f"Measured on {result['date']} with {machine['cpu']}, {machine['cores']} cores, of which "
        "one is used."
    )


def _findings(count: int) -> Findings:
    chosen = random.Random(1)
    words = [f"word{at}" for at in range(5_000)]
    passages = [_passage(at, chosen.choices(words, k=120)) for at in range(2_000)]
    items = [_item(at, passages[at % len(passages)]) for at in range(count)]
    return Findings(
        arms=[_arm(name) for name in ARMS],
        items=items,
        answered={
            name: [Answered(plain=_response(item, passages, chosen)) for item in items]
            for name in ARMS
        },
        versions={passage.document_id: "1" for passage in passages},
        bounds=Bounds(adequate=0.1),
        questions_hash=questions_hash(items),
    )


def _arm(name: str) -> Arm:
    return Arm(
        name=name,
        profile=name,
        tuned=name in {"tuned", "both"},
        rag=True,
        model=name,
        is_local=True,
        identity=Identity({"model": name, "documents": "1"}),
    )


def _passage(at: int, words: Sequence[str]) -> Passage:
    text = " ".join(words)
    return Passage(
        id=f"p{at}",
        document_id=f"docs:{at // 4}.md",
        title=f"Document {at // 4}",
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place(line=1)),),
    )


def _item(at: int, passage: Passage) -> EvalItem:
    words = passage.text.split()
    return EvalItem(
        id=f"q{at}",
        question=f"Which words stand between {words[10]} and {words[14]}?",
        answers=(" ".join(words[11:14]),),
        documents=(passage.document_id,),
        quotes=(" ".join(words[8:16]),),
        slices=(f"slice {at % 3}",),
    )


def _response(item: EvalItem, passages: Sequence[Passage], chosen: random.Random) -> Response:
    found = tuple(chosen.sample(passages, _PASSAGES))
    statements = tuple(_statement(number, one) for number, one in enumerate(found[:_STATEMENTS], 1))
    right = item.answers[0] if chosen.random() < 0.5 else "nothing"
    text = " ".join([right, *(one.text for one in statements)])
    return Response(
        outcome=Outcome.ANSWERED,
        output=f"{text} [1].",
        text=text,
        statements=statements,
        found=found,
        seconds=_SECONDS,
        input_tokens=1_500,
        output_tokens=120,
        cost=0.001,
        asked_at="2026-01-01T00:00:00+00:00",
    )


_SECONDS: Mapping[str, float] = {"retrieve": 0.1, "first_token": 0.5, "total": 2.0}


def _statement(number: int, passage: Passage) -> Statement:
    quote = " ".join(passage.text.split()[:_WORDS])
    return Statement(
        text=quote,
        is_supported=True,
        is_shown=True,
        quotes=(
            Quote(
                number=number,
                passage_id=passage.id,
                document_id=passage.document_id,
                start=0,
                end=len(quote),
                text=quote,
            ),
        ),
    )
