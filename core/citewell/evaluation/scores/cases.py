"""What a score is computed from, and what a score is."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from citewell.types.answers import Outcome
from citewell.types.evaluation import EvalItem, Response, Score


class Case(Struct, frozen=True, kw_only=True):
    """One question and what came back for it.

    Attributes:
        text: that is judged: as it was delivered, or as the model wrote it.
        is_raw: whether `text` is the model's own.
        relevant: names of the right passages, as `EvalItem.named` names what was found.
    """

    item: EvalItem
    response: Response
    text: str
    is_raw: bool = False
    relevant: frozenset[str] = frozenset()

    @property
    def has_failed(self) -> bool:
        """Whether the user got no answer."""
        return self.response.outcome is Outcome.FAILED

    @property
    def has_searched(self) -> bool:
        """Whether passages were looked for: an arm without a retriever is not judged by them."""
        return bool(self.response.found) or "retrieve" in self.response.seconds


class Measure(Struct, frozen=True, kw_only=True):
    """A score that Citewell brings.

    Attributes:
        name: key of the score wherever it is stored; never changes.
        title: for people.
        explanation: one line.
        compute: gives the score; may raise or give nonsense, see `guarding`.
        reads_text: it is computed of the delivered and of the model's own text.
    """

    name: str
    title: str
    explanation: str
    compute: Callable[[Case], Score]
    reads_text: bool = False
