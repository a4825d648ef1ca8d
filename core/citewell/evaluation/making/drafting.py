"""Questions that a model drafts from passages; a person accepts them before they are asked."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from msgspec import Struct, field

from citewell.engine.prompting import REFUSAL
from citewell.engine.schemas import value_problem
from citewell.errors import ModelError
from citewell.evaluation.making.elsewhere import Elsewhere
from citewell.evaluation.making.facts import (
    figure_in,
    is_easy,
    plain,
)
from citewell.evaluation.making.material import Reading
from citewell.evaluation.questions import question_id
from citewell.evaluation.slices import sliced
from citewell.protocols import Model
from citewell.types.documents import Labels, Passage
from citewell.types.evaluation import EvalItem
from citewell.types.questions import Delta, Generation, OutputSchema, Prompt

_LEAST_CHARS = 200
_FAILURES = 3
"""A model that fails so often in a row will not do better."""

_INSTRUCTIONS = """\
You write questions that test whether an assistant finds what a passage says. A question is what
somebody would ask who has never seen the passage, in words of their own; it names what it is about,
and only the passage answers it. The evidence is copied from the passage, word for word."""

_TASK = "Write two questions about the passage, each with its short answer and its evidence."

_TEXT = {"type": "string", "minLength": 1, "maxLength": 600}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "questions": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"question": _TEXT, "answer": _TEXT, "evidence": _TEXT},
                "required": ["question", "answer", "evidence"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["questions"],
    "additionalProperties": False,
}
"""What the model's output satisfies."""


class Author(Struct, frozen=True):
    """Who drafts.

    Attributes:
        model: opened.
        held_back: labels of passages that it must not be given.
        seed: of the choice of passages, and of the model where it takes one.
        elsewhere: finds what questions of documents that are left out may be answered from.
    """

    model: Model
    elsewhere: Elsewhere
    held_back: Labels = frozenset()
    seed: int = 0


class Drafted(Struct, kw_only=True):
    """What came of it.

    Attributes:
        dropped: how many drafts were not kept, by the reason.
        cost: in the currency of the model's prices; None when one is unknown.
    """

    items: list[EvalItem] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    cost: float | None = 0.0


async def drafts(
    author: Author, reading: Reading, number: int, told: Callable[[int, int], None]
) -> Drafted:
    """Let a model draft at most `number` questions, spread over the documents that were read.

    Args:
        author: who drafts.
        reading: what was read; questions of what is left out are unanswerable.
        number: of questions.
        told: given how many are drafted, of how many.

    Raises:
        ModelError: the model fails again and again.
    """
    drafted = Drafted()
    known: set[str] = set()
    failures = 0
    for passage in _chosen(author, reading, drafted):
        if len(drafted.items) >= number:
            break
        try:
            values = await _asked(author, passage, drafted)
            failures = 0
        except ModelError:
            failures += 1
            drafted.dropped["the model failed"] += 1
            if failures >= _FAILURES:
                raise
            continue
        for value in values[: number - len(drafted.items)]:
            item = await _item(author, value, passage, drafted)
            if item is not None and item.id not in known:
                known.add(item.id)
                drafted.items.append(item)
        told(len(drafted.items), number)
    return drafted


def stored(quote: str, text: str) -> str | None:
    """Return the stretch of `text` that says `quote`, whatever the case and the blank space."""
    words = quote.split()
    if not words:
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), text, re.IGNORECASE)
    return match[0] if match else None


def _chosen(author: Author, reading: Reading, drafted: Drafted) -> list[Passage]:
    """Return passages, one of each document in turn, without those that must not leave."""
    choose = random.Random(author.seed)  # noqa: S311 - a draw is no secret
    pools = []
    for document in choose.sample([*reading.documents], len(reading.documents)):
        long = [one for one in document.passages if len(one.text) >= _LEAST_CHARS]
        free = [one for one in long or document.passages if not one.labels & author.held_back]
        if not free:
            drafted.dropped["its document must not leave this machine"] += 1
        pools.append(choose.sample(free, len(free)))
    return [one for turn in zip_longest(*pools) for one in turn if one is not None]


async def _asked(author: Author, passage: Passage, drafted: Drafted) -> list[dict[str, str]]:
    """Return what the model drafts of a passage.

    Raises:
        ModelError: it fails.
    """
    prompt = Prompt(
        instructions=_INSTRUCTIONS,
        question=_TASK,
        refusal=REFUSAL,
        passages=(passage,),
        constraint=OutputSchema(SCHEMA),
        generation=Generation(seed=author.seed),
    )
    pieces: list[str] = []
    items = author.model.generate(prompt)
    try:
        async for item in items:
            if isinstance(item, Delta):
                pieces.append(item.text)
            else:
                known = drafted.cost is not None and item.cost is not None
                drafted.cost = (drafted.cost or 0.0) + (item.cost or 0.0) if known else None
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{type(error).__name__}: {error}") from error
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
    return _read("".join(pieces), drafted)


def _read(output: str, drafted: Drafted) -> list[dict[str, str]]:
    value: Any = None
    with suppress(ValueError, RecursionError):
        value = json.loads(output)
    if value_problem(value, SCHEMA) is not None:
        drafted.dropped["its output has another form"] += 1
        return []
    found: list[dict[str, str]] = value["questions"]
    return found


async def _item(
    author: Author, value: dict[str, str], passage: Passage, drafted: Drafted
) -> EvalItem | None:
    question, answer = (" ".join(value[name].split()) for name in ("question", "answer"))
    evidence = stored(value["evidence"], passage.text)
    if evidence is None:
        drafted.dropped["its evidence is not in the passage"] += 1
        return None
    if not plain(question) or not plain(answer):
        drafted.dropped["it says nothing"] += 1
        return None
    shared: dict[str, Any] = {
        "id": question_id(question),
        "question": question,
        "documents": (passage.document_id,),
        "is_easy": is_easy(question, evidence, passage.language),
        "is_draft": True,
        "origin": "model",
    }
    if passage.document_id in author.elsewhere.held_out:
        if await author.elsewhere.answers(question, answer):
            drafted.dropped["another document may answer it"] += 1
            return None
        return sliced(EvalItem(**shared, unanswerable=True))
    figure = figure_in(answer, passage.language)
    item = EvalItem(
        **shared,
        quotes=(evidence,),
        answers=(answer,),
        figures=() if figure is None else (figure,),
    )
    return sliced(item)
