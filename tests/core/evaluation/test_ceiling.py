"""A run ends before it costs more than it may, however its answers overlap."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.evaluation.ceiling import Ceiling

ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["small", "large"]), st.sampled_from([0.0, 0.25, 0.5, 1.0, 4.0, None])
    ),
    max_size=30,
)


async def answered(most, answers, at_once, *, free=()):
    """Ask for each answer, a model and what it costs; some at once, each model in its own lanes."""
    ceiling = Ceiling(most)
    done, lanes = [], {}
    for model, cost in answers:
        lanes.setdefault(model, []).append(cost)

    async def work(model, queue):
        for cost in queue:
            async with ceiling.room(model, is_free=model in free) as has_room:
                if not has_room:
                    return
                for _ in range(3):
                    await asyncio.sleep(0)
                done.append((model, cost))
                # What is free failed: it says nothing of the next one.
                ceiling.count(model, cost or 0.0, is_whole=cost is not None, is_price=False)

    async with asyncio.timeout(20):
        queues = {model: iter(costs) for model, costs in lanes.items()}
        await asyncio.gather(
            *(work(model, queue) for model, queue in queues.items() for _ in range(at_once))
        )
    return done


@given(st.floats(0, 20), ANSWERS, st.integers(1, 8))
def test_only_what_is_dearer_than_all_before_passes_the_bound(most, answers, at_once):
    done = asyncio.run(answered(most, answers, at_once))

    dearest, spent, steps = {}, 0.0, 0.0
    for model, cost in done:
        known = dearest.get(model, 0.0)
        counted = known if cost is None else cost
        spent += counted
        dearest[model] = max(known, counted)
        # Those on their way were expected to cost what was known before.
        steps += (dearest[model] - known) * (at_once if known else 1)
    assert spent <= most + steps


def test_a_failure_that_was_free_is_no_price():
    answers = [("small", 0.0), *[("small", 0.5)] * 20]

    assert sum(cost for _, cost in asyncio.run(answered(1.0, answers, 8))) == 1.0


@given(ANSWERS, st.integers(1, 8))
def test_without_a_bound_everything_is_asked(answers, at_once):
    assert len(asyncio.run(answered(None, answers, at_once))) == len(answers)


@pytest.mark.parametrize("at_once", [1, 4, 8])
def test_what_fits_is_asked(at_once):
    assert len(asyncio.run(answered(10.0, [("small", 1.0)] * 30, at_once))) == 10


def test_one_dear_answer_on_its_way_ends_no_other_lane():
    cheap = [("small", 0.001)] * 500
    done = asyncio.run(answered(10.0, [("large", 4.0), *cheap, ("large", 4.0)], 1))

    assert len(done) == 502


@pytest.mark.parametrize("most", [0.0, 1.0])
def test_what_costs_nothing_is_asked_whatever_the_others_cost(most):
    answers = [("large", 4.0)] * 3 + [("small", 0.0)] * 50
    done = asyncio.run(answered(most, answers, 2, free={"small"}))

    assert done.count(("small", 0.0)) == 50
    assert done.count(("large", 4.0)) == (1 if most else 0)


def test_a_failure_of_unknown_cost_counts_as_the_dearest_answer():
    answers = [("small", 0.5), *[("small", None)] * 30]

    assert len(asyncio.run(answered(2.0, answers, 1))) == 4


def test_first_answers_of_models_are_asked_for_one_at_a_time():
    answers = [(str(model), 1.0) for model in range(4) for _ in range(8)]

    assert len(asyncio.run(answered(1.5, answers, 8))) <= 2
