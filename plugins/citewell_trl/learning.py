"""A training from its beginning to its end, in the process that does it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from citewell.training import Started
from citewell_trl import checkpoints
from citewell_trl.checkpoints import Progress, Seal
from citewell_trl.fitting import (
    Lesson,
    Machine,
    learner_for,
    load_tokenizer,
    machine_for,
    trainer_for,
)
from citewell_trl.ingredients import differing, made_of
from citewell_trl.lengths import Fitting, fitting, most_tokens
from citewell_trl.planning import Plan, plan_for
from citewell_trl.rows import Row
from citewell_trl.settings import TrlConfig
from citewell_trl.watching import Watch
from citewell_trl.wire import FromChild, Learned, Order

Tell: TypeAlias = Callable[[FromChild], None]


class Examples(Struct, frozen=True):
    """What was read: what is learnt from, and what is not."""

    learnt: Sequence[Row]
    tried: Sequence[Row]


class Ready(Struct, frozen=True, kw_only=True):
    """A training that could begin.

    Attributes:
        learnt: examples that are learnt from.
        tried: those that are not; None without any.
    """

    machine: Machine
    tokenizer: Any
    learnt: Fitting
    tried: Fitting | None
    plan: Plan


def made_ready(order: Order, config: TrlConfig, examples: Examples) -> Ready:
    """Find out which examples fit, and how long it takes.

    Raises:
        ChildFailed: they cannot be learnt from.
    """
    task, machine = order.task, machine_for(config)
    tokenizer = load_tokenizer(task.base, task.kind, order.chat_template)
    limit = most_tokens(config, task.base)

    def those_of(rows: Sequence[Row], path: Path) -> Fitting:
        return fitting(rows, tokenizer, path=path, limit=limit)

    learnt = those_of(examples.learnt, task.examples)
    tried = None if task.validation is None else those_of(examples.tried, task.validation)
    plan = plan_for(config, len(learnt.rows), validates=tried is not None)
    return Ready(machine=machine, tokenizer=tokenizer, learnt=learnt, tried=tried, plan=plan)


def learn(order: Order, config: TrlConfig, examples: Examples, tell: Tell) -> None:
    """Train, and leave an adapter that has no name yet.

    Raises:
        ChildFailed: it cannot be done; says why, and the fix.
    """
    task, ready, parts = order.task, made_ready(order, config, examples), made_of(order)
    last, anew = _last(order, parts)
    progress = Progress() if last is None else last.progress
    learner = learner_for(config, task.base, ready.tokenizer, ready.machine)
    watch = Watch(config, ready.plan, out=task.out, made_of=parts, progress=progress, tell=tell)
    trainer = trainer_for(
        config,
        _lesson(config, ready),
        learner,
        out=task.out / checkpoints.FOLDER,
        callback=watch,
    )
    # Only now: settings that cannot be used must not cost what was learnt with others.
    checkpoints.keep(task.out, _needed(last))
    tell(
        Started(
            steps=ready.plan.steps,
            step=0 if last is None else last.step,
            examples=len(ready.learnt.rows),
            too_long=ready.learnt.too_long,
            parameters=sum(one.numel() for one in trainer.model.parameters() if one.requires_grad),
            device=ready.machine.name,
            repeats=ready.machine.repeats,
            notice="; ".join(filter(None, (anew, *_notices(ready)))),
        )
    )
    step = _trained(trainer, watch, last, ready.plan, out=task.out)
    checkpoints.make_adapter(task.out, step, base=task.base.name)
    tell(Learned(step=step, stopped_early=watch.progress.stopped))


def _last(order: Order, parts: Mapping[str, str]) -> tuple[Seal | None, str]:
    """Return the checkpoint that it goes on from, or why there is none though there should be."""
    if not order.resume:
        return None, ""
    out = order.task.out
    other = checkpoints.turn_to(out, parts)
    found = checkpoints.newest(out)
    if found is not None:
        return found, ""
    if other is not None:
        return None, (
            "it begins anew, because its checkpoints are of other things: "
            f"{differing(parts, other)} changed; they are kept, for when that is changed back"
        )
    is_begun = checkpoints.is_begun(out)
    return None, "it begins anew, because no checkpoint is whole" if is_begun else ""


def _needed(last: Seal | None) -> set[int]:
    """Return the steps whose checkpoints it goes on with."""
    if last is None:
        return set()
    best = last.progress.best_step
    return {last.step} if best is None else {last.step, best}


def _lesson(config: TrlConfig, ready: Ready) -> Lesson:
    rows = list(ready.learnt.rows)
    if config.method == "kto":
        # TRL takes these as they come, and a file may have all good answers first.
        random.Random(config.seed).shuffle(rows)  # noqa: S311 - an order, no secret
    validation = None if ready.tried is None else ready.tried.rows
    return Lesson(rows=rows, validation=validation, plan=ready.plan)


def _trained(trainer: Any, watch: Watch, last: Seal | None, plan: Plan, *, out: Path) -> int:
    """Train to the end, and return the step whose weights are the best."""
    if last is None:
        trainer.train()
    elif last.step < plan.steps and not last.progress.stopped:
        trainer.train(resume_from_checkpoint=str(checkpoints.folder_of(out, last.step)))
    best = watch.progress.best_step
    if best is not None:
        return best
    return watch.step or (last.step if last is not None else 0)


def _notices(ready: Ready) -> Iterator[str]:
    """Yield what whoever trains should know."""
    learnt, machine = ready.learnt, ready.machine
    if machine.is_gpu:
        yield "a GPU computes, so another training would not give the same adapter byte for byte"
    elif not machine.repeats:
        yield (
            "several threads compute, so another training may not give the same adapter byte for "
            "byte; threads = 1 would"
        )
    if learnt.unlike:
        yield (
            f"the chat template writes {learnt.unlike} of {len(learnt.rows)} prompts otherwise "
            "once an answer follows, so what is learnt is not quite what is asked later"
        )
    if learnt.endless:
        yield (
            f"the chat template ends {learnt.endless} of {len(learnt.rows)} answers without the "
            "token that ends what the model writes, so it may not learn to stop"
        )
    if ready.tried is not None and ready.tried.too_long:
        yield f"{ready.tried.too_long} validation examples are too long and are left out"
    labels = {row["label"] for row in learnt.rows if "label" in row}
    if len(labels) == 1:
        yield f"all votes are {'up' if labels.pop() else 'down'}; kto learns better from both"
