"""Whether what a question expects of an answer can be expected at all."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from citewell.engine.schemas import schema_problem
from citewell.types.evaluation import EvalItem, Figure

_TEXTS = ("documents", "quotes", "answers", "contains", "lacks", "glossary", "forbidden", "slices")
_KNOWING = ("answers", "figures", "contains", "choice", "pattern", "output_schema", "swap")
"""What says how an answer is; where the documents do not say, there is none."""

_EXPECTING = (*_KNOWING, "documents", "quotes", "lacks", "glossary", "forbidden")
_SHOWN_CHARS = 60


def problems(item: EvalItem) -> Iterator[str]:
    """Yield what is wrong with `item`, each with what is expected, in a line."""
    if not item.question.strip():
        yield "the question is empty; expected a question that is not empty: write one"
    for name in _TEXTS:
        if not all(map(str.strip, getattr(item, name))):
            yield f"{name} holds an empty text; expected words: delete it"
    if not item.is_draft and not item.unanswerable and not _expects(item, _EXPECTING):
        yield (
            "expects nothing of an answer; expected at least one of answers, figures, contains, "
            "documents, quotes, or unanswerable = true: add what is right"
        )
    yield from _contradictions(item)
    yield from _forms(item)
    for figure in item.figures:
        yield from _of_figure(figure)


def _expects(item: EvalItem, names: Iterable[str]) -> list[str]:
    values = {name: getattr(item, name) for name in names}
    return [name for name, value in values.items() if value is not None and value != ()]


def _contradictions(item: EvalItem) -> Iterator[str]:
    known = _expects(item, _KNOWING) if item.unanswerable else []
    if known:
        yield f"is unanswerable and has {known[0]}; expected one of them: delete the other"
    for wanted, unwanted in (("contains", "lacks"), ("glossary", "forbidden")):
        others = {text.casefold() for text in getattr(item, unwanted)}
        both = [text for text in getattr(item, wanted) if text.casefold() in others]
        if both:
            yield (
                f"{wanted} and {unwanted} both have {_shown(both[0])}; expected it in one of "
                "them: delete the other"
            )
    swap = item.swap
    if swap is None:
        return
    if not swap.fact.strip():
        yield "swap.fact is empty; expected a fact as passages state it: write it"
    elif swap.fact.split() == swap.instead.split():
        yield (
            f"swap exchanges {_shown(swap.fact)} for itself; expected another fact: change "
            "swap.instead"
        )


def _forms(item: EvalItem) -> Iterator[str]:
    if item.pattern is not None:
        try:
            re.compile(item.pattern)
        except (re.error, RecursionError, OverflowError) as error:
            yield (
                f"pattern {_shown(item.pattern)} does not compile: {error}; expected a regular "
                "expression of Python: mend it"
            )
    if item.output_schema is not None:
        problem = schema_problem(item.output_schema)
        if problem is not None:
            said = " ".join(problem.split())
            yield f"output_schema is wrong {said}; expected a JSON Schema: mend it"


def _of_figure(figure: Figure) -> Iterator[str]:
    if not math.isfinite(figure.value):
        yield f"figures has the value {figure.value}; expected a finite number: correct it"
    if not math.isfinite(figure.tolerance) or figure.tolerance < 0:
        yield (
            f"figures has the tolerance {figure.tolerance:g}; expected a finite number that is not "
            "negative: correct it"
        )


def _shown(text: str) -> str:
    line = " ".join(text.split())
    cut = line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]}..."
    return f'"{cut}"'
