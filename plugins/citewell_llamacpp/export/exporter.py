"""The parent's side of an export: hands the work to a process, and believes what it tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from citewell import Context, NotProven, TrainingError, TrainingLost, children
from citewell.training import ExportEvent, Exporting, ExportTask
from citewell_llamacpp.export import wire
from citewell_llamacpp.export.settings import GgufConfig
from citewell_llamacpp.export.wire import Differs, Job

_VARIABLES = {
    "TOKENIZERS_PARALLELISM": "false",
    # A thread that waits for the others gives its processor away.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GGML_NO_BACKTRACE": "1",
    "TQDM_DISABLE": "1",
}


class GgufExporter:
    """Makes GGUF files."""

    def __init__(self, config: GgufConfig, context: Context) -> None:
        self._config = config
        self._context = context

    async def export(self, task: ExportTask) -> AsyncIterator[ExportEvent]:
        """Make the files; see `Exporter`."""
        log = self._context.data_dir / "export-log.txt"
        running = children.run(
            "citewell_llamacpp.export.child",
            wire.encoded(self._job(task)),
            log=log,
            variables=_VARIABLES,
        )
        yield Exporting(said="loading the trained model", done=0, total=len(self._config.files))
        refused = ""
        try:
            async with aclosing(running) as messages:
                async for message in messages:
                    told = wire.told(message)
                    # The process still has to clear away what it made.
                    if isinstance(told, Differs):
                        refused = told.said
                    else:
                        yield told
        except children.ChildFailed as error:
            raise TrainingError(f"{error}; its log is {log}") from error
        except children.ChildLost as error:
            raise TrainingLost(f"the process that exported {error}; its log is {log}") from error
        if refused:
            raise NotProven(refused)

    def _job(self, task: ExportTask) -> Job:
        config = self._config
        given = config.base_gguf
        return Job(
            base=task.base.resolve(),
            adapter=None if task.adapter is None else task.adapter.resolve(),
            samples=None if task.samples is None else task.samples.resolve(),
            out=task.out.resolve(),
            kinds=tuple(dict.fromkeys(config.files)),
            base_gguf=None if given is None else self._context.resolve(given).resolve(),
            name=task.card.get("name") or task.base.resolve().name,
            card=task.card,
            agreement=config.min_agreement,
            threads=config.threads,
        )
