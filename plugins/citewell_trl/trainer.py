"""The trainer `trl`: gives orders to a process that trains, and passes on what it tells."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path

import msgspec
from msgspec.structs import replace

from citewell import Context, TrainingError, TrainingLost, blocking, children
from citewell.training import Estimate, ExampleKind, Trained, TrainEvent, TrainingTask
from citewell_trl.bases import check_base
from citewell_trl.checkpoints import ADAPTER, discard, name_adapter
from citewell_trl.failures import lost
from citewell_trl.settings import LEARNS, TrlConfig
from citewell_trl.wire import FromChild, Learned, Measured, Order, line, to_message

_MODULE = "citewell_trl.child"
_LOG, _SCRATCH = "log.txt", "scratch"
_MEASURING = "measuring-"


class TrlTrainer:
    """Trains with TRL in a process of its own, which ends when nobody listens any more.

    Args:
        config: how it trains.
        context: of the component.
    """

    def __init__(self, config: TrlConfig, context: Context) -> None:
        self._config = config
        template = config.chat_template
        self._template = None if template is None else context.resolve(template)

    async def estimate(self, task: TrainingTask) -> Estimate:
        """Measure some steps; nothing of them stays.

        Raises:
            TrainingError: the model cannot be trained so; says why, and the fix.
        """
        await blocking.call(self._check, task)
        folder = await blocking.call(_new_folder, task.out)
        try:
            order = self._order(replace(task, out=folder), measures=True)
            async with aclosing(self._told(order)) as messages:
                async for message in messages:
                    if isinstance(message, Measured):
                        return message.estimate
            raise TrainingLost(lost(self._config, "ended without a word"))
        finally:
            await blocking.call(shutil.rmtree, folder, ignore_errors=True)

    async def train(self, task: TrainingTask, *, resume: bool) -> AsyncGenerator[TrainEvent, None]:
        """Yield `Started`, what happens, and `Trained` in the end.

        Raises:
            TrainingLost: the process ended; another attempt goes on from the last `Saved`.
            TrainingError: it cannot be done; says why, and the fix.
        """
        await blocking.call(self._check, task)
        await blocking.call(discard, task.out / ADAPTER)
        order = self._order(task, resume=resume)
        async with aclosing(self._told(order)) as messages:
            async for message in messages:
                if isinstance(message, Learned):
                    adapter = await blocking.call(name_adapter, task.out)
                    yield Trained(
                        adapter=adapter, step=message.step, stopped_early=message.stopped_early
                    )
                elif not isinstance(message, Measured):
                    yield message

    def _check(self, task: TrainingTask) -> None:
        """Refuse at once what needs no process to be refused.

        Raises:
            TrainingError: says why, and the fix.
        """
        _check_kind(task.kind, self._config)
        check_base(task.base)
        for path in filter(None, (task.examples, task.validation)):
            _check_examples(path)

    def _order(self, task: TrainingTask, *, resume: bool = False, measures: bool = False) -> Order:
        return Order(
            task=replace(
                task,
                base=task.base.absolute(),
                examples=task.examples.absolute(),
                validation=task.validation and task.validation.absolute(),
                out=task.out.absolute(),
            ),
            settings=self._config.model_dump_json(),
            chat_template=self._template,
            resume=resume,
            measures=measures,
        )

    async def _told(self, order: Order) -> AsyncGenerator[FromChild, None]:
        """Yield what the process tells.

        Raises:
            TrainingLost: it ended before it was done.
            TrainingError: it cannot do it; says why, and the fix.
        """
        out = order.task.out
        scratch = await blocking.call(_emptied, out / _SCRATCH)
        running = children.run(
            _MODULE, line(order), log=out / _LOG, variables=self._variables(scratch)
        )
        try:
            async with aclosing(running) as messages:
                async for message in messages:
                    yield to_message(message)
        except children.ChildFailed as error:
            raise TrainingError(str(error)) from error
        except children.ChildLost as error:
            raise TrainingLost(lost(self._config, str(error))) from error
        except msgspec.DecodeError as error:
            raise TrainingLost(lost(self._config, "told what is no message")) from error
        finally:
            await blocking.call(shutil.rmtree, scratch, ignore_errors=True)

    def _variables(self, scratch: Path) -> Mapping[str, str]:
        """Return the environment of the process: what it writes on the side, it writes to us."""
        threads = self._config.threads
        counted = {} if threads is None else {"OMP_NUM_THREADS": f"{threads}"}
        return {
            **counted,
            "HF_HOME": str(scratch),
            "TMPDIR": str(scratch),
            "PYTHONHASHSEED": "0",
            "TOKENIZERS_PARALLELISM": "false",
            # One alone: TRL does not spread over several.
            "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0],
        }


def _check_kind(kind: ExampleKind, config: TrlConfig) -> None:
    learns = LEARNS[config.method]
    if kind not in learns:
        expected = " or ".join(sorted(learns))
        other = next(method for method, kinds in LEARNS.items() if kind in kinds)
        raise TrainingError(
            f"the examples are of the kind {kind}; expected {expected} for method = "
            f'"{config.method}": set method = "{other}", or take other examples'
        )


def _check_examples(path: Path) -> None:
    try:
        with path.open("rb") as lines:
            if any(one.strip() for one in lines):
                return
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read: {error.strerror}; check the path") from error
    raise TrainingError(f"{path}: holds no examples; expected a JSON object a line: write some")


def _new_folder(out: Path) -> Path:
    for left in out.glob(f"{_MEASURING}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_MEASURING, dir=out))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
