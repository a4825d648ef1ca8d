"""A plugin with a trainer that learns nothing but how far it has counted; quick, and without torch.

It is its own process as well: `python -m counting_trainer`.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from struct import pack

import msgspec

from citewell import (
    Config,
    Context,
    Trainer,
    TrainerSpec,
    TrainingError,
    TrainingLost,
    children,
    hookimpl,
)
from citewell.training import (
    Estimate,
    ExampleKind,
    Saved,
    Started,
    Stepped,
    Trained,
    TrainEvent,
    TrainingTask,
    Validated,
)

STEPS, SAVE_EVERY = 12, 4
EVENTS = msgspec.json.Decoder(TrainEvent, dec_hook=lambda kind, value: kind(value))


class Counting(Config):
    """There is nothing to set."""


class CountingTrainer:
    """Counts in a process of its own."""

    async def estimate(self, task):
        rows = check(task)
        return Estimate(
            steps=STEPS,
            measured=1,
            step_s=0.01,
            start_s=0.1,
            memory_bytes=20_000_000,
            examples=len(rows),
            tokens=len(rows) * 10,
        )

    async def train(self, task, *, resume):
        check(task)
        order = json.dumps([str(task.out), str(task.examples), resume])
        running = children.run("counting_trainer", order.encode(), log=task.out / "log.txt")
        try:
            async with aclosing(running) as messages:
                async for one in messages:
                    yield msgspec.json.decode(
                        one, type=TrainEvent, dec_hook=lambda kind, it: kind(it)
                    )
        except children.ChildLost as error:
            raise TrainingLost(f"the process that counts {error}") from error


def check(task: TrainingTask) -> list[str]:
    """Return the lines of the examples."""
    if not task.base.is_dir():
        raise TrainingError(f"{task.base}: is not there; expected a folder: check the path")
    if task.kind is not ExampleKind.CHAT:
        raise TrainingError(f"the examples are {task.kind}; expected chat")
    lines = [one for one in task.examples.read_text().splitlines() if one.strip()]
    if not lines:
        raise TrainingError(f"{task.examples}: holds no examples; write some")
    return lines


def work(order, tell):
    """Count, and write down now and then how far it is."""

    def say(event):
        tell(msgspec.json.encode(event, enc_hook=os.fspath))

    out, examples, resume = json.loads(order)
    out, content = Path(out), Path(examples).read_bytes()
    name, began = hashlib.sha256(content).hexdigest(), time.monotonic()
    kept = out / "state.json"
    step, of = json.loads(kept.read_text()) if resume and kept.exists() else (0, name)
    notice = "" if of == name else "it begins anew: the examples changed"
    step = 0 if notice else step
    say(Started(steps=STEPS, step=step, examples=content.count(b"\n"), parameters=2, notice=notice))
    for at in range(step + 1, STEPS + 1):
        time.sleep(0.01)
        seconds = time.monotonic() - began
        say(Stepped(step=at, loss=1 / at, learning_rate=0.1, tokens=10 * at, seconds=seconds))
        if at % SAVE_EVERY == 0:
            say(Validated(step=at, loss=1 / at))
            write(kept, json.dumps([at, name]).encode())
            say(Saved(step=at))
    say(Trained(adapter=adapter(out, name), step=STEPS))


def adapter(out, name):
    made = out / "adapter.part"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    (made / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 1}))
    header = {
        f"q_proj.lora_{half}.weight": {"dtype": "F32", "shape": [1], "data_offsets": [at, at + 4]}
        for half, at in (("A", 0), ("B", 4))
    }
    encoded = json.dumps(header).encode()
    values = pack("<ff", 1, int(name[:4], 16) + STEPS)
    content = pack("<Q", len(encoded)) + encoded + values
    (made / "adapter_model.safetensors").write_bytes(content)
    return made.replace(out / "adapter")


def write(path, content):
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


@asynccontextmanager
async def build(config: Counting, context: Context) -> AsyncIterator[Trainer]:
    yield CountingTrainer()


def learns(config: Counting) -> frozenset[ExampleKind]:
    return frozenset((ExampleKind.CHAT,))


@hookimpl
def register_trainers() -> tuple[TrainerSpec[Counting], ...]:
    return (
        TrainerSpec(
            name="counting", summary="it counts", config=Counting, build=build, learns=learns
        ),
    )


if __name__ == "__main__":
    children.serve(work)
