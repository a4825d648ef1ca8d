import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from citewell.children import ChildFailed
from citewell_trl.lengths import most_tokens
from citewell_trl.planning import Plan, is_saved, is_tried, plan_for, trials_and_saves
from citewell_trl.settings import TrlConfig


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "kto", "batch_size": 1}, "batch_size = 1 is too few for kto"),
        ({"lora": {"targets": ["q_proj", "lm_head"]}}, 'targets names "lm_head"'),
        ({"lora": {"targets": []}}, "targets is empty"),
        ({"lora": {"use_dora": True}}, "use_dora"),
        ({"lora": {"modules_to_save": ["lm_head"]}}, "modules_to_save"),
        ({"lora": {"rank_pattern": {}}}, "rank_pattern"),
        ({"method": "ppo"}, "method"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"epochs": -1}, "epochs"),
        ({"beta": math.inf}, "beta"),
        ({"lora": {"alpha": math.inf}}, "alpha"),
        ({"batch_size": 10**9}, "batch_size"),
        ({"accumulate": 10**9}, "accumulate"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        TrlConfig.model_validate(settings)


@pytest.mark.parametrize(("method", "rate"), [("sft", 2e-4), ("dpo", 5e-6), ("kto", 5e-6)])
def test_each_method_has_a_learning_rate_of_its_own(method, rate):
    assert TrlConfig(method=method).rate == rate
    assert TrlConfig(method=method, learning_rate=0.1).rate == 0.1


@given(
    examples=st.integers(1, 10_000),
    batch=st.integers(1, 64),
    accumulate=st.integers(1, 16),
    epochs=st.floats(0.01, 20),
)
def test_the_steps_take_in_every_example_as_often_as_is_asked(examples, batch, accumulate, epochs):
    config = TrlConfig(batch_size=batch, accumulate=accumulate, epochs=epochs)

    plan = plan_for(config, examples, validates=False)

    assert (plan.epoch_steps - 1) * batch * accumulate < examples
    assert plan.epoch_steps * batch * accumulate >= examples
    assert plan.steps >= 1
    assert epochs * plan.epoch_steps <= plan.steps < epochs * plan.epoch_steps + 1


def test_a_bound_on_the_steps_ends_before_the_last_epoch_and_never_after():
    config = TrlConfig(batch_size=1, accumulate=1, epochs=2, max_steps=15)

    assert plan_for(config, 10, validates=False).steps == 15
    assert plan_for(config, 5, validates=False).steps == 10


@given(
    steps=st.integers(1, 60),
    epoch_steps=st.integers(1, 20),
    save_every=st.integers(1, 20),
    validate_every=st.none() | st.integers(1, 20),
    validates=st.booleans(),
)
def test_as_many_trials_and_saves_are_counted_as_are_due(
    steps, epoch_steps, save_every, validate_every, validates
):
    config = TrlConfig(save_every=save_every, validate_every=validate_every)
    plan = Plan(steps=steps, epoch_steps=epoch_steps, validates=validates)

    tried = {step for step in range(1, steps + 1) if is_tried(config, plan, step)}
    saved = {step for step in range(1, steps + 1) if is_saved(config, plan, step)}

    assert trials_and_saves(config, plan) == (len(tried), len(tried | saved))
    assert steps in saved
    assert (steps in tried) == validates


@pytest.mark.parametrize(
    ("context", "asked", "most"), [(512, None, 512), (32_768, None, 2048), (32_768, 4096, 4096)]
)
def test_an_example_may_be_as_long_as_the_model_can_read(tmp_path, context, asked, most):
    config = {"max_position_embeddings": context}
    (tmp_path / "config.json").write_text(json.dumps(config))

    assert most_tokens(TrlConfig(max_tokens=asked), tmp_path) == most


def test_more_than_the_model_can_read_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 512}')

    with pytest.raises(ChildFailed, match=r"max_tokens = 513 is more .* at most 512"):
        most_tokens(TrlConfig(max_tokens=513), tmp_path)
