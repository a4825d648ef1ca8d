"""A run ends before it costs more than it may, however its answers overlap."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from citewell.evaluation.ceiling import Ceiling

MODELS = st.sampled_from(["small", "large"])
PRICES = {"small": 1.0, "large": 4.0}


async def spent(most, models, at_once):
    """Ask for an answer of each of `models`, some at once; return the models that answered."""
    ceiling = Ceiling(most)
    queue = iter(models)
    answered = []

    async def work():
        for model in queue:
            async with ceiling.room(model) as has_room:
                if not has_room:
                    return
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                answered.append(model)
                ceiling.count(model, PRICES[model])

    await asyncio.gather(*(work() for _ in range(at_once)))
    return answered


@given(st.floats(0, 60), st.lists(MODELS, max_size=30), st.integers(1, 8))
def test_nothing_but_the_first_answers_of_models_passes_the_bound(most, models, at_once):
    answered = asyncio.run(spent(most, models, at_once))

    first = sum(PRICES[model] for model in set(answered))
    assert sum(PRICES[model] for model in answered) <= most + first


@given(st.lists(MODELS, max_size=30), st.integers(1, 8))
def test_without_a_bound_everything_is_asked(models, at_once):
    assert len(asyncio.run(spent(None, models, at_once))) == len(models)


def test_what_fits_is_asked():
    assert len(asyncio.run(spent(10.0, ["small"] * 30, 4))) == 10
