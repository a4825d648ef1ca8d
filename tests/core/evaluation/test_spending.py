"""What answers took, and when a training has paid for itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citewell import Outcome
from citewell.evaluation.spending import Spread, break_even, spent
from citewell.types.evaluation import Response


def response(total=1.0, *, retrieve=0.25, cost=None, **more):
    seconds = {"total": total, "retrieve": retrieve, "first_token": total / 2}
    return Response(outcome=Outcome.ANSWERED, seconds=seconds, cost=cost, **more)


def test_times_are_percentiles_and_retrieval_is_a_share_of_all():
    responses = [response(at / 100) for at in range(1, 102)]

    found = spent(responses, is_local=True, machine_per_hour=0)

    assert found.whole == Spread(0.51, 0.96)
    assert found.first_token == Spread(0.255, 0.48)
    assert found.retrieval_share == pytest.approx(0.25 * 101 / 51.51)


def test_a_local_model_costs_what_the_machine_does():
    found = spent([response(9.0), response(27.0)], is_local=True, machine_per_hour=2.0)

    assert found.cost == pytest.approx(18 / 3600 * 2)


def test_a_model_elsewhere_costs_its_price_and_not_the_machine():
    found = spent([response(cost=0.1), response(cost=0.3)], is_local=False, machine_per_hour=2.0)

    assert found.cost == pytest.approx(0.2)


def test_one_unknown_price_makes_the_mean_unknown():
    found = spent([response(cost=0.1), response()], is_local=False, machine_per_hour=0)

    assert found.cost is None


def test_an_answer_without_a_token_has_no_first_one():
    silent = Response(outcome=Outcome.REFUSED, seconds={"total": 0.1})

    found = spent([silent], is_local=True, machine_per_hour=0)

    assert found.first_token is None
    assert found.whole == Spread(0.1, 0.1)
    assert found.retrieval_share == 0


def test_tokens_are_means():
    responses = [response(input_tokens=10, output_tokens=1), response(input_tokens=30)]

    found = spent(responses, is_local=True, machine_per_hour=0)

    assert (found.input_tokens, found.output_tokens) == (20, 0.5)


@given(st.floats(0, 1e6), st.floats(1e-6, 1e3))
@example(5e-324, 2.0)
def test_after_the_break_even_number_the_training_is_paid(training_cost, saved):
    questions = break_even(training_cost, saved)

    assert questions * saved >= training_cost * (1 - 1e-9)
    assert (questions - 1) * saved <= training_cost


@pytest.mark.parametrize("saved", [0.0, -1.0])
def test_what_saves_nothing_is_never_paid(saved):
    assert break_even(100, saved) is None
