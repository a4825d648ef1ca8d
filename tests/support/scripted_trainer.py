"""A plugin with a trainer and an exporter that do as their settings say, and learn nothing.

What stands in for weights is a hash of all that decides them, step by step, so that a training that
was interrupted and went on ends with the bytes of one that was not.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field

from citewell import (
    Config,
    Context,
    Exporter,
    ExporterSpec,
    LocalPath,
    NotProven,
    Trainer,
    TrainerSpec,
    TrainingError,
    TrainingLost,
    hookimpl,
)
from citewell.training import (
    Estimate,
    ExampleKind,
    Exported,
    ExportEvent,
    Exporting,
    ExportTask,
    Saved,
    Started,
    Stepped,
    Trained,
    TrainEvent,
    TrainingTask,
    Validated,
)

GIB = 1024**3


class Scripted(Config):
    """What the training does."""

    steps: int = Field(default=4, ge=1, le=1000, description="of the training")
    step_s: float = Field(default=0.0, ge=0, description="seconds of a step")
    learns: Literal["chat", "preference", "any"] = Field(default="any", description="of examples")
    save_every: int = Field(default=1, ge=1, description="steps between two checkpoints")
    lost_at: int = Field(default=0, ge=0, description="step at which the process is lost")
    lost_times: int = Field(default=1, ge=0, description="how often it is")
    fails_at: int = Field(default=0, ge=0, description="step at which the training fails")
    breaks_at: int = Field(default=0, ge=0, description="step at which the plugin has a defect")
    no_adapter: bool = Field(default=False, description="end without an adapter")
    estimate_s: float = Field(default=0.0, ge=0, description="seconds until steps are measured")


class ScriptedTrainer:
    """Counts steps, and remembers them in its folder."""

    def __init__(self, config: Scripted, context: Context) -> None:
        self._config = config
        self._context = context

    async def estimate(self, task: TrainingTask) -> Estimate:
        await asyncio.sleep(self._config.estimate_s)
        lines = task.examples.read_text(encoding="utf-8").splitlines()
        if "impossible" in task.base.name:
            raise TrainingError(f"{task.base}: no room for it on this machine; take another base")
        return Estimate(
            steps=self._config.steps,
            measured=2,
            step_s=self._config.step_s,
            start_s=3600.0,
            memory_bytes=2 * GIB,
            examples=len(lines),
            tokens=sum(map(len, lines)) // 4,
        )

    async def train(self, task: TrainingTask, *, resume: bool) -> AsyncIterator[TrainEvent]:
        begun = self._saved(task) if resume else 0
        weights = self._weights(task, begun)
        self._context.log.info("training from step %d", begun)
        yield Started(steps=self._config.steps, step=begun, examples=1, parameters=8)
        for step in range(begun + 1, self._config.steps + 1):
            await asyncio.sleep(self._config.step_s)
            self._misbehave(task, step)
            weights = hashlib.sha256(f"{weights} {step}".encode()).hexdigest()
            yield Stepped(
                step=step,
                loss=4.0 / step,
                learning_rate=1e-3 * (1 - step / self._config.steps),
                tokens=100 * (step - begun),
                seconds=0.1 * (step - begun),
            )
            if step % self._config.save_every == 0:
                (task.out / "step.json").write_text(json.dumps([step, weights]))
                yield Saved(step=step)
                if task.validation is not None:
                    yield Validated(step=step, loss=5.0 / step)
        if not self._config.no_adapter:
            yield Trained(adapter=_adapter(task.out / "adapter", weights), step=self._config.steps)

    def _saved(self, task: TrainingTask) -> int:
        path = task.out / "step.json"
        return int(json.loads(path.read_text())[0]) if path.exists() else 0

    def _weights(self, task: TrainingTask, begun: int) -> str:
        if begun:
            return str(json.loads((task.out / "step.json").read_text())[1])
        made_of = task.examples.read_bytes() + task.kind.encode()
        return hashlib.sha256(made_of).hexdigest()

    def _misbehave(self, task: TrainingTask, step: int) -> None:
        if step == self._config.fails_at:
            raise TrainingError("the loss is not a number; lower learning_rate")
        if step == self._config.breaks_at:
            raise ZeroDivisionError("a defect")
        lost = task.out / "lost"
        times = len(lost.read_text()) if lost.exists() else 0
        if step == self._config.lost_at and times < self._config.lost_times:
            lost.write_text("x" * (times + 1))
            raise TrainingLost("the trainer was killed; the machine may have run out of memory")


class ScriptedExport(Config):
    """What the export does."""

    files: list[Literal["adapter", "merged", "Q8_0"]] = Field(
        default=["adapter"], description="what is made"
    )
    file_s: float = Field(default=0.0, ge=0, description="seconds that a file takes")
    unproven: str = Field(default="", description="the file whose proof fails")
    lost_times: int = Field(default=0, ge=0, description="how often the process is lost")
    samples: LocalPath | None = Field(default=None, description="a file that nothing reads")
    started: str = Field(default="", description="a text that nothing reads")


class ScriptedExporter:
    """Writes files that say what they are of."""

    def __init__(self, config: ScriptedExport, context: Context) -> None:
        self._config = config
        self._context = context
        self._lost = 0

    async def export(self, task: ExportTask) -> AsyncIterator[ExportEvent]:
        for done, kind in enumerate(self._config.files):
            yield Exporting(said=f"writing {kind}", done=done, total=len(self._config.files))
            path = task.out / f"{kind}.gguf"
            part = path.with_suffix(".part")
            part.write_bytes(_content(task, kind))
            await asyncio.sleep(self._config.file_s)
            if self._lost < self._config.lost_times:
                self._lost += 1
                raise TrainingLost("the exporter ended with exit status 9")
            if kind == self._config.unproven:
                part.unlink()
                raise NotProven(f"{path}: logits differ by 4.8; expected at most 0.1")
            part.replace(path)
            yield Exported(
                kind=kind,
                file=path,
                section=_section(task, kind, path),
                figures={"logits": 0.01, "greedy": 40.0},
            )


def _section(task: ExportTask, kind: str, path: Path) -> dict[str, object]:
    if kind == "adapter":
        return {"use": "llamacpp", "path": task.base / "base.gguf", "lora": {"tuned": path}}
    return {"use": "llamacpp", "path": path}


def _content(task: ExportTask, kind: str) -> bytes:
    made_of = [kind.encode(), json.dumps(dict(task.card), sort_keys=True).encode()]
    if task.adapter is not None:
        made_of.append((task.adapter / "adapter_model.safetensors").read_bytes())
    return b"\n".join(made_of)


def _adapter(folder: Path, weights: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_model.safetensors").write_text(weights)
    return folder


@asynccontextmanager
async def build_trainer(config: Scripted, context: Context) -> AsyncIterator[Trainer]:
    yield ScriptedTrainer(config, context)


@asynccontextmanager
async def build_exporter(config: ScriptedExport, context: Context) -> AsyncIterator[Exporter]:
    yield ScriptedExporter(config, context)


def check_trainer(_config: Scripted, base: Path, _base_dir: Path) -> Iterable[tuple[str, str]]:
    if (base / "unfit").exists():
        yield "", f"{base} cannot learn; take another base"


def check_exporter(
    config: ScriptedExport, _base: Path, base_dir: Path
) -> Iterable[tuple[str, str]]:
    if config.samples is not None and not (base_dir / config.samples).is_file():
        yield "samples", f"{config.samples} is not there; name another"


def learns(config: Scripted) -> frozenset[ExampleKind]:
    return (
        frozenset(ExampleKind)
        if config.learns == "any"
        else frozenset([ExampleKind(config.learns)])
    )


@hookimpl
def register_trainers() -> Iterable[TrainerSpec[Scripted]]:
    return (
        TrainerSpec(
            name="steps",
            summary="counts steps",
            config=Scripted,
            build=build_trainer,
            check=check_trainer,
            learns=learns,
        ),
        TrainerSpec(
            name="heavy",
            summary="needs a package that nobody has",
            config=Scripted,
            build=build_trainer,
            learns=learns,
            extra="train",
        ),
    )


@hookimpl
def register_exporters() -> Iterable[ExporterSpec[ScriptedExport]]:
    return (
        ExporterSpec(
            name="files",
            summary="writes files",
            config=ScriptedExport,
            build=build_exporter,
            check=check_exporter,
        ),
    )
