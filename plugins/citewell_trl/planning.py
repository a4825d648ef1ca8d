"""How many steps a training takes."""

from __future__ import annotations

import math

from msgspec import Struct

from citewell_trl.settings import TrlConfig


class Plan(Struct, frozen=True, kw_only=True):
    """What a training is going to do.

    Attributes:
        steps: of the whole training, at most.
        epoch_steps: of one epoch.
        validates: there are validation examples.
    """

    steps: int
    epoch_steps: int
    validates: bool


def is_tried(config: TrlConfig, plan: Plan, step: int) -> bool:
    """Tell whether it is tried on the validation examples after a step."""
    every = config.validate_every or plan.epoch_steps
    return plan.validates and (step >= plan.steps or step % every == 0)


def is_saved(config: TrlConfig, plan: Plan, step: int) -> bool:
    """Tell whether it is saved after a step, however the trials turn out."""
    return step >= plan.steps or step % config.save_every == 0


def trials_and_saves(config: TrlConfig, plan: Plan) -> tuple[int, int]:
    """Return how many there are at most: where each trial turns out better, and is saved."""
    before_last = plan.steps - 1
    saves = before_last // config.save_every
    if not plan.validates:
        return 0, saves + 1
    every = config.validate_every or plan.epoch_steps
    trials = before_last // every
    both = before_last // math.lcm(every, config.save_every)
    return trials + 1, trials + saves - both + 1


def plan_for(config: TrlConfig, examples: int, *, validates: bool) -> Plan:
    """Return how long a training on so many examples takes.

    An epoch ends with a step, also where that has fewer examples: Transformers counts alike.
    """
    batches = math.ceil(examples / config.batch_size)
    epoch_steps = math.ceil(batches / config.accumulate)
    steps = max(1, math.ceil(config.epochs * epoch_steps))
    return Plan(
        steps=min(steps, config.max_steps or steps), epoch_steps=epoch_steps, validates=validates
    )
