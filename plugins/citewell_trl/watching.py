"""Looks on while TRL trains: tells what happens, decides when to try, save and stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from msgspec.structs import replace
from transformers import TrainerCallback

from citewell.training import Saved, Stepped, Validated
from citewell_trl import checkpoints
from citewell_trl.checkpoints import Progress
from citewell_trl.failures import diverged
from citewell_trl.planning import Plan, is_saved, is_tried
from citewell_trl.settings import TrlConfig
from citewell_trl.wire import FromChild


# Without the package, which type checks do without, its classes are of any type.
class Watch(TrainerCallback):  # type: ignore[misc]
    """Follows a training.

    Args:
        config: when to try and save, and how patient to be.
        plan: how long it takes.
        out: folder with the checkpoints.
        made_of: what their seals say that decided about them.
        progress: of the checkpoint that it goes on from.
        tell: hears of everything.

    Attributes:
        progress: how it stands.
        step: the last one that was saved.
    """

    def __init__(
        self,
        config: TrlConfig,
        plan: Plan,
        *,
        out: Path,
        made_of: Mapping[str, str],
        progress: Progress,
        tell: Callable[[FromChild], None],
    ) -> None:
        self._config = config
        self._plan = plan
        self._out = out
        self._made_of = made_of
        self._tell = tell
        self._began = monotonic()
        self.progress = progress
        self.step = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Have it tried and saved when that is due, and always at the end."""
        del args
        control.should_evaluate = is_tried(self._config, self._plan, state.global_step)
        control.should_save = is_saved(self._config, self._plan, state.global_step)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, Any], **_: Any
    ) -> None:
        """Tell of a step."""
        del args, control
        if "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise diverged(self._config, step=state.global_step, loss=loss, what="loss")
        self._tell(
            Stepped(
                step=state.global_step,
                loss=loss,
                learning_rate=float(logs["learning_rate"]),
                tokens=int(logs.get("num_tokens", 0)),
                seconds=monotonic() - self._began,
            )
        )

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any], **_: Any
    ) -> None:
        """Tell of a trial; keep what is the best so far, and stop where nothing gets better."""
        del args
        step, loss = state.global_step, float(metrics["eval_loss"])
        if not math.isfinite(loss):
            raise diverged(self._config, step=step, loss=loss, what="loss on validation examples")
        self._tell(Validated(step=step, loss=loss))
        best = self.progress.best_loss
        if best is None or loss < best:
            self.progress = Progress(best_step=step, best_loss=loss)
            control.should_save = True
            return
        waited = self.progress.waited + 1
        self.progress = replace(self.progress, waited=waited)
        if waited == self._config.patience and step < self._plan.steps:
            self.progress = replace(self.progress, stopped=self._why_stopped())
            control.should_save = control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seal the checkpoint that was written, and remove those that nobody needs any more."""
        del args, control
        self.step = state.global_step
        checkpoints.seal(self._out, self.step, made_of=self._made_of, progress=self.progress)
        best = self.progress.best_step
        checkpoints.keep(self._out, {self.step} if best is None else {self.step, best})
        self._tell(Saved(step=self.step))

    def _why_stopped(self) -> str:
        progress = self.progress
        return (
            f"{progress.waited} trials on the validation examples were no better than that of step "
            f"{progress.best_step}, whose loss was {progress.best_loss:.4g}"
        )


class Stopwatch(TrainerCallback):  # type: ignore[misc]
    """Times the steps of a training, and after the last one a trial and a save.

    Args:
        plan: how long it takes, and whether there is a trial.
        out: folder with the checkpoints.
        enough_s: seconds after which no further step begins, once two were done.

    Attributes:
        began: when the first step did.
        seconds: of each step.
        trial_s: seconds of the trial on the validation examples.
        save_s: seconds of the save.
    """

    def __init__(self, plan: Plan, *, out: Path, enough_s: float) -> None:
        self._plan = plan
        self._out = out
        self._enough_s = enough_s
        self.began = 0.0
        self.seconds: list[float] = []
        self.trial_s = 0.0
        self.save_s = 0.0
        self._last = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember when."""
        del args, state, control
        self._last = monotonic()
        self.began = self.began or self._last

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember how long it took."""
        del args
        self.seconds.append(self._lap())
        is_enough = len(self.seconds) > 1 and self._last - self.began > self._enough_s
        if is_enough or state.global_step >= self._plan.steps:
            control.should_training_stop = control.should_save = True
            control.should_evaluate = self._plan.validates

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember how long the trial took."""
        del args, state, control
        self.trial_s = self._lap()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember how long the save took, until the disk has it."""
        del args, control
        checkpoints.seal(self._out, state.global_step, made_of={}, progress=Progress())
        self.save_s = self._lap()

    def _lap(self) -> float:
        """Return the seconds since it was asked the last time, or a step began."""
        before, self._last = self._last, monotonic()
        return self._last - before
