"""Right and wrong refusals are told apart."""

import pytest

from citewell import Outcome, Unscored
from citewell.evaluation.scores.refusals import answered, refusal, refused
from scored_cases import case, said


@pytest.mark.parametrize(
    ("outcome", "unanswerable", "expected"),
    [
        (Outcome.REFUSED, True, (1, 1, None)),
        (Outcome.ANSWERED, True, (0, 0, None)),
        (Outcome.UNSOURCED, True, (0, 0, None)),
        (Outcome.REFUSED, False, (0, None, 0)),
        (Outcome.ANSWERED, False, (1, None, 1)),
        (Outcome.UNSOURCED, False, (1, None, 1)),
    ],
)
def test_a_refusal_is_right_where_the_documents_do_not_say(outcome, unanswerable, expected):
    one = case(response=said("", outcome=outcome), unanswerable=unanswerable)

    assert (refusal(one), refused(one), answered(one)) == expected


@pytest.mark.parametrize("unanswerable", [True, False])
def test_a_failure_neither_answers_nor_refuses(unanswerable):
    one = case(response=said("", outcome=Outcome.FAILED), unanswerable=unanswerable)

    assert isinstance(refusal(one), Unscored)
