"""Some steps of a training, measured; nothing of them stays."""

from __future__ import annotations

import sys
from statistics import median
from typing import Any

import torch

from citewell.training import Estimate
from citewell_trl import checkpoints
from citewell_trl.fitting import Lesson, learner_for, trainer_for
from citewell_trl.learning import Examples, Ready, Tell, made_ready
from citewell_trl.planning import Plan, trials_and_saves
from citewell_trl.samples import of_steps, of_trial
from citewell_trl.settings import TrlConfig
from citewell_trl.watching import Stopwatch
from citewell_trl.wire import Measured, Order

_TYPICAL_STEPS = 3
_ENOUGH_S = 60.0


def measure(
    order: Order, config: TrlConfig, examples: Examples, tell: Tell, *, began: float
) -> None:
    """Do some steps: one on the longest examples, for the memory, then some on typical ones.

    After them it is tried on some validation examples, and saved, as happens in a training.

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
    tried = None if ready.tried is None else of_trial(ready.tried, config)
    steps = 1 + _TYPICAL_STEPS
    plan = Plan(steps=steps, epoch_steps=steps, validates=tried is not None)
    watch = Stopwatch(plan, out=order.task.out, enough_s=_ENOUGH_S)
    trainer = trainer_for(
        config,
        Lesson(
            rows=of_steps(ready.learnt, config, typical=_TYPICAL_STEPS), validation=tried, plan=plan
        ),
        learner,
        out=order.task.out / checkpoints.FOLDER,
        callback=watch,
        in_order=True,
    )
    trainer.train()
    # A trial is on all of them, and some were measured.
    trial_s = watch.trial_s * len(ready.tried.rows) / len(tried) if ready.tried and tried else 0.0
    trials, saves = trials_and_saves(config, ready.plan)
    other_s = trials * trial_s + saves * watch.save_s
    tell(Measured(_estimate(ready, watch, began=began, other_s=other_s)))


def _estimate(ready: Ready, watch: Stopwatch, *, began: float, other_s: float) -> Estimate:
    # The first step is also where everything warms up.
    typical = watch.seconds[1:] or watch.seconds
    return Estimate(
        steps=ready.plan.steps,
        measured=len(typical),
        step_s=median(typical),
        start_s=watch.began - began,
        other_s=other_s,
        memory_bytes=_memory(ready),
        examples=len(ready.learnt.rows),
        tokens=ready.learnt.tokens,
        too_long=ready.learnt.too_long,
        device=ready.machine.name,
    )


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
