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
