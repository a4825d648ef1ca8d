"""Some steps of a training, measured; nothing of them stays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch

from citewell.training import Estimate
from citewell_trl.fitting import Lesson, learner_for, trainer_for
from citewell_trl.learning import Examples, Ready, Tell, made_ready
from citewell_trl.lengths import Fitting
from citewell_trl.planning import Plan
from citewell_trl.rows import Columns
from citewell_trl.settings import TrlConfig
from citewell_trl.watching import Stopwatch
from citewell_trl.wire import Measured, Order

_TYPICAL_STEPS = 3
_ENOUGH_S = 60.0


def measure(
    order: Order, config: TrlConfig, examples: Examples, tell: Tell, *, began: float
) -> None:
    """Do some steps: one on the longest examples, for the memory, then some on typical ones.

    Args:
        order: what would be trained.
        config: its settings.
        examples: all of them.
        tell: hears what was measured.
        began: when the process did.

    Raises:
        ChildFailed: it cannot be trained; says why, and the fix.
    """
    ready = made_ready(order, config, examples)
    learner = learner_for(config, order.task.base, ready.tokenizer, ready.machine)
    rows = _sample(ready.learnt, config.batch_size * config.accumulate)
    steps = 1 + _TYPICAL_STEPS
    plan = Plan(steps=steps, epoch_steps=steps, validates=False)
    watch = Stopwatch(enough_s=_ENOUGH_S)
    trainer = trainer_for(
        config,
        Lesson(rows=rows, validation=None, plan=plan),
        learner,
        out=order.task.out,
        callback=watch,
        in_order=True,
    )
    trainer.train()
    tell(Measured(_estimate(ready, watch, began)))


def _estimate(ready: Ready, watch: Stopwatch, began: float) -> Estimate:
    # The first step is also where everything warms up.
    typical = watch.seconds[1:] or watch.seconds
    return Estimate(
        steps=ready.plan.steps,
        measured=len(typical),
        step_s=median(typical),
        start_s=watch.began - began,
        memory_bytes=_memory(ready),
        examples=len(ready.learnt.rows),
        tokens=ready.learnt.tokens,
        too_long=ready.learnt.too_long,
        device=ready.machine.name,
    )


def _sample(learnt: Fitting, size: int) -> Sequence[Columns]:
    """Return the examples of the steps: the longest, then such as all lengths come up alike."""
    by_length = sorted(range(len(learnt.rows)), key=lambda at: learnt.lengths[at], reverse=True)
    steps = range(_TYPICAL_STEPS)
    count = size * len(steps)
    longest = [by_length[at % len(by_length)] for at in range(size)]
    spread = [by_length[at * len(by_length) // count] for at in range(count)]
    # Each step gets long and short ones, not the first all long ones.
    typical = [spread[at] for step in steps for at in range(step, count, len(steps))]
    return [learnt.rows[at] for at in (*longest, *typical)]


def _memory(ready: Ready) -> int:
    if ready.machine.is_gpu:
        return int(torch.cuda.max_memory_allocated())
    return _highest_rss()


def _highest_rss() -> int:
    """Return the most memory that this process ever had, in bytes."""
    if sys.platform == "win32":
        import psutil

        found: Any = psutil.Process().memory_info()
        return int(found.peak_wset)
    import resource

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Source: getrusage(2), in kilobytes; on macOS in bytes.
    return highest if sys.platform == "darwin" else highest * 1024
