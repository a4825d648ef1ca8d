"""A whole evaluation on questions of others: five arms, real models, one report.

The arms: a model of random weights in a GGUF file, alone and with retrieval; a model behind an API
on this machine, asked through LiteLLM, which has learnt the answers to six of ten questions by
heart, alone and with retrieval; and quotes of what retrieval finds, without a language model. The
weights know nothing and the memory is made up, so the figures say nothing about models: they show
that each part of a report is measured.
"""

from __future__ import annotations

import asyncio
import random
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from msgspec.structs import replace

from citewell.cli.indexing import bring_up
from citewell.engine.prompting import REFUSAL
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.evaluation.answers import open_answers
from citewell.evaluation.asking import Terms
from citewell.evaluation.page import html
from citewell.evaluation.questions import held_out
from citewell.evaluation.report import Report
from citewell.evaluation.saying import (
    interaction_sentence,
    interval,
    power_sentence,
    settled_sentence,
    verdict_sentence,
)
from citewell.evaluation.session import Wanted, encoded, evaluate
from citewell.evaluation.slices import sliced
from citewell.types.evaluation import EvalItem, Swap
from proofs import harness
from proofs._scripted_api import Learnt, serving
from scripts.random_gguf import write_model

_SIZES: Mapping[harness.Size, int] = {"small": 8, "full": 600}
_LEARNT = 0.6
_SWAPPED = 20
_TRADE_OFFS = 10
_SETS = ("xquad_mini", "sec10q_aapl")
_NUMBER = re.compile(r"\d{2,}")
_SHOWN = {
    "correct": "right",
    "correct.raw": "right, unchecked",
    "supported": "supported",
    "refused": "refused rightly",
    "answered": "not refused wrongly",
    "hit_at_3": "found in 3",
    "citation_recall": "evidence cited",
    "obedience.raw": "follows passages, unchecked",
    "obedience": "follows passages",
}
_SETTINGS = """\
data_dir = "data"

[library.docs]
use = "files"
path = "{corpus}"

[retriever.main]
use = "lexical"

[model.random]
use = "llamacpp"
path = "random.gguf"
context = 16384
conversations = 1

[model.learnt]
use = "litellm"
model = "openai/learnt"
api_base = "{url}"
price = {{ input = 0.25, output = 2.0 }}

[model.quotes]
use = "extractive"

[profile.default]
model = "quotes"
retriever = "main"
{same}

[profile.base]
model = "random"
{same}

[profile.base-rag]
model = "random"
retriever = "main"
{same}

[profile.tuned]
model = "learnt"
{same}

[profile.both]
model = "learnt"
retriever = "main"
{same}

[eval]
machine_per_hour = 0.1

[eval.arms]
base = {{ profile = "base" }}
tuned = {{ profile = "tuned", tuned = true, training_cost = 10.0, training_s = 1800 }}
rag = {{ profile = "base-rag" }}
both = {{ profile = "both", tuned = true, training_cost = 10.0, training_s = 1800 }}
quotes = {{ profile = "default" }}
"""
_SAME = """\
passages = 3
max_output_tokens = 64
"""
# Two arms retrieve and are not tuned; without the quotes there are four, two by two.
_FOUR = ("base", "tuned", "rag", "both")


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    """Evaluate on both sets; at full size the page of each is kept."""
    found: dict[str, object] = {}
    for name in _SETS:
        items = _items(name, random.Random(seed))[: _SIZES[size]]
        first, again, four = asyncio.run(_evaluated(name, items, seed))
        found[name] = _described(first) | {
            "the same bytes twice": encoded(first) == encoded(again),
            "interaction": interaction_sentence(four),
        }
        if size == "full":
            harness.RESULTS.mkdir(parents=True, exist_ok=True)
            page = harness.RESULTS / f"evaluation-{name}.html"
            page.write_text(html(first), encoding="utf-8")
    return found


async def _evaluated(
    name: str, items: Sequence[EvalItem], seed: int
) -> tuple[Report, Report, Report]:
    chosen = random.Random(seed)
    learnt = {
        item.question: item.answers[0]
        for item in items
        if item.answers and chosen.random() < _LEARNT
    }
    corpus = harness.data(name) / "corpus"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_model(folder / "random.gguf", seed=seed)
        async with serving(Learnt(learnt, REFUSAL)) as url:
            settings = folder / "citewell.toml"
            settings.write_text(
                _SETTINGS.format(corpus=corpus, url=url, same=_SAME), encoding="utf-8"
            )
            async with open_runtime(load_settings(settings)) as runtime:
                await bring_up(runtime)
                with open_answers(folder / "answers.sqlite") as answers:
                    wanted = Wanted(
                        items=items, terms=Terms(audience=harness.READER, held_out=held_out(items))
                    )
                    first = await evaluate(runtime, answers, wanted, lambda _: None)
                    again = await evaluate(runtime, answers, wanted, lambda _: None)
                    by_two = Wanted(items=items, terms=wanted.terms, arms=_FOUR)
                    four = await evaluate(runtime, answers, by_two, lambda _: None)
    return first.report, again.report, four.report


# --- questions -------------------------------------------------------------------------------


def _items(name: str, chosen: random.Random) -> list[EvalItem]:
    """Return the questions of a set in a drawn order; some of those with a number have a swap."""
    folder = harness.data(name)
    items = [_item(row, folder / "corpus") for row in harness.rows(folder / "questions.jsonl")]
    chosen.shuffle(items)
    swapped = 0
    for at, item in enumerate(items):
        number = _NUMBER.fullmatch(item.answers[0]) if item.answers and item.quotes else None
        if number and swapped < _SWAPPED:
            swapped += 1
            swap = Swap(fact=number[0], instead=str(int(number[0]) + 3))
            items[at] = replace(item, swap=swap)
    return items


def _item(row: Mapping[str, Any], corpus: Path) -> EvalItem:
    if row["unanswerable"]:
        return sliced(EvalItem(id=row["id"], question=row["question"], unanswerable=True))
    suffix = ".md" if (corpus / f"{row['doc_ids'][0]}.md").exists() else ".pdf"
    item = EvalItem(
        id=row["id"],
        question=row["question"],
        answers=tuple(row["answers"]),
        documents=tuple(f"{id_}{suffix}" for id_ in row["doc_ids"]),
        quotes=tuple(_quote(one, row["answers"], corpus) for one in row.get("evidence") or ()),
    )
    return sliced(item)


def _quote(evidence: Mapping[str, Any], answers: Sequence[str], corpus: Path) -> str:
    """Return the answer with some words around it, as the document has them."""
    text = (corpus / f"{evidence['doc_id']}.md").read_text(encoding="utf-8")
    # The title comes first.
    paragraph: str = text.split("\n\n")[evidence["paragraph"] + 1]
    start: int = evidence["char_start_in_paragraph"]
    end = start + len(answers[0])
    before = paragraph.rfind(" ", 0, max(0, start - 20)) + 1
    after = paragraph.find(" ", min(len(paragraph), end + 20))
    return paragraph[before : after if after >= 0 else None]


# --- result ----------------------------------------------------------------------------------


def _described(report: Report) -> dict[str, object]:
    return {
        "verdict": verdict_sentence(report),
        "settled": settled_sentence(report),
        "power": power_sentence(report),
        "questions": len(report.asked),
        "flags": list(report.flags),
        "arms": {
            arm.name: {name: interval(arm.scores[name]) for name in _SHOWN if name in arm.scores}
            | {"asked": arm.asked, "failed": arm.outcomes.get("failed", 0)}
            for arm in report.arms
        },
        "trade-offs": {
            one.name: dict(one.figures) or f"not measured: {one.unmeasured}"
            for one in report.trade_offs
        },
    }


def check(result: Mapping[str, object]) -> list[str]:
    """Name each promise that the result breaks."""
    broken = []
    for name, one in cast("Mapping[str, Mapping[str, Any]]", result).items():
        if not one["the same bytes twice"]:
            broken.append(f"{name}: the same answers gave another report")
        if len(one["trade-offs"]) != _TRADE_OFFS or not all(one["trade-offs"].values()):
            broken.append(f"{name}: a trade-off has neither a figure nor a reason")
        broken += [
            f"{name}: arm {arm} failed {scores['failed']} of {scores['asked']} questions"
            for arm, scores in one["arms"].items()
            if scores["failed"]
        ]
        if not one["interaction"]:
            broken.append(f"{name}: four arms gave no interaction")
    return broken


def table(result: Mapping[str, object]) -> str:
    """Show the verdict, the arms and the trade-offs of each set."""
    parts = []
    for name, one in cast("Mapping[str, Mapping[str, Any]]", result).items():
        arms = one["arms"]
        parts.append(f"**{name}**, {one['questions']} questions: {one['verdict']} {one['settled']}")
        parts.append(one["interaction"])
        lines = [f"| | {' | '.join(arms)} |", f"|---|{'---|' * len(arms)}"]
        for score, title in _SHOWN.items():
            cells = [scores.get(score, "-") for scores in arms.values()]
            if any(cell != "-" for cell in cells):
                lines.append(f"| {title} | {' | '.join(cells)} |")
        for trade_off, figures in one["trade-offs"].items():
            cells = (
                [figures, *[""] * (len(arms) - 1)]
                if isinstance(figures, str)
                else [figures.get(arm, "-") for arm in arms]
            )
            lines.append(f"| {trade_off} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
        parts.append(f"The whole report: [a page](proof/evaluation-{name}.html).")
    return "\n\n".join(parts)
