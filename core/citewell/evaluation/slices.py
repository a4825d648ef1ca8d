"""The groups of questions that a report shows apart, by what the questions expect."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from citewell.types.evaluation import EvalItem

IN_DOCUMENTS = "in the documents"
NOT_IN_DOCUMENTS = "not in the documents"
SEVERAL_DOCUMENTS = "several documents"
STYLE_OR_FORMAT = "style or format"

_OF_FORM = ("pattern", "output_schema", "choice", "glossary", "forbidden")


def sliced(item: EvalItem) -> EvalItem:
    """Return a question with the groups that it belongs to, beside those that it has."""
    return replace(item, slices=tuple(dict.fromkeys((*_slices(item), *item.slices))))


def _slices(item: EvalItem) -> Iterator[str]:
    if item.unanswerable:
        yield NOT_IN_DOCUMENTS
    elif item.names_passages:
        yield IN_DOCUMENTS
        if len(item.documents) > 1:
            yield SEVERAL_DOCUMENTS
    if any(getattr(item, name) for name in _OF_FORM):
        yield STYLE_OR_FORMAT
