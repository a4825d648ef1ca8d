"""What keeps an example out that is right in itself: a secret, a leak, a repetition."""

from __future__ import annotations

from collections.abc import Sequence

from citewell.evaluation.arranging import is_named
from citewell.evaluation.leaks import Lookout
from citewell.tuning.data.checking import faults
from citewell.tuning.data.examples import Example
from citewell.tuning.data.likeness import Likenesses
from citewell.tuning.data.private import Private
from citewell.types.evaluation import EvalItem


class Guard:
    """Looks at each example before it is kept.

    Args:
        private: finds secrets.
        questions: of an evaluation, which no example may ask.

    Attributes:
        documents: names of those that these questions are about.
    """

    def __init__(self, private: Private, questions: Sequence[EvalItem] = ()) -> None:
        self._private = private
        self._lookout = Lookout(questions)
        self._known = Likenesses(is_near=False)
        self.documents = frozenset(name for question in questions for name in question.documents)

    def keeps_out(self, document_id: str) -> bool:
        """Tell whether questions of the evaluation are about a document."""
        return is_named(document_id, self.documents)

    def reason(self, example: Example) -> str | None:
        """Return why an example is not kept; None where it is, and known from now on."""
        for _, concern, *_ in faults(example):
            return f"the check of examples refuses it: {concern.value}"
        for text in (*example.texts, *example.documents, example.origin):
            if any(True for _ in self._private.secrets(text)):
                return "it holds a secret"
        if any(True for text in example.texts for _ in self._lookout.found_in(text)):
            return "it holds a question of the evaluation"
        if any(map(self.keeps_out, example.documents)):
            return "the evaluation asks about its document"
        if self._known.find(example) is not None:
            return "another example says the same"
        self._known.add(example)
        return None
