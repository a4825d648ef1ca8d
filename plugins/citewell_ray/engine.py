"""Calls run as tasks of a Ray cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from citewell import EngineError, WorkerLost, blocking
from citewell_ray.plugin import RayConfig

# Read when Ray is imported: nothing is told to anybody.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
from ray import exceptions
from ray._private import worker as ray_worker  # noqa: PLC2701 - see _connect

_LISTENS_S = 10.0
_LOST = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
    exceptions.LocalRayletDiedError,
    exceptions.ObjectLostError,
)


class RayEngine:
    """Runs functions as Ray tasks, which Ray itself runs again where a worker ends.

    Args:
        config: of the engine.
        workers: tasks that run at once.
    """

    def __init__(self, config: RayConfig, workers: int) -> None:
        self.workers = workers
        self.shares_files = config.shared_files
        self._options = {"num_cpus": config.cpus, "max_retries": config.retries}
        self._remote: dict[Callable[[bytes], bytes], Any] = {}

    async def call(self, function: Callable[[bytes], bytes], task: bytes) -> bytes:
        """Return `function(task)`.

        Raises:
            WorkerLost: each worker that tried it ended.
            EngineError: the cluster cannot be reached any more, or the function failed.
        """
        if function not in self._remote:
            self._remote[function] = ray.remote(function).options(**self._options)
        try:
            # Large bytes are copied to the object store, which may have to make room.
            reference = await blocking.call(self._remote[function].remote, task)
        except (exceptions.RayError, ConnectionError, RuntimeError) as error:
            raise EngineError(f"the Ray cluster takes no work: {_line(error)}") from error
        try:
            result: bytes = await reference
        except asyncio.CancelledError:
            ray.cancel(reference, force=True)
            raise
        except exceptions.RayTaskError as error:
            raise EngineError(f"a Ray worker failed: {_line(error.cause)}") from error
        except _LOST as error:
            raise WorkerLost(f"Ray workers ended again and again: {_line(error)}") from error
        except (exceptions.RayError, ConnectionError) as error:
            raise EngineError(f"the Ray cluster is gone: {_line(error)}") from error
        return result


@asynccontextmanager
async def connected(config: RayConfig) -> AsyncIterator[RayEngine]:
    """Yield an engine; the connection ends with it.

    Raises:
        EngineError: there is no cluster, or it cannot be used.
    """
    async with blocking.opened(partial(_connect, config.address), _disconnect):
        cpus = (await blocking.call(ray.cluster_resources)).get("CPU", 0)
        workers = config.workers or int(cpus // config.cpus)
        if workers < 1:
            raise EngineError(
                f"the Ray cluster has {cpus:g} CPUs, and a task takes {config.cpus:g}; "
                "lower cpus of the engine, or add a machine"
            )
        yield RayEngine(config, workers)


def _disconnect(_: None) -> None:
    ray.shutdown()


def _connect(named: str) -> None:
    if ray.is_initialized():
        raise EngineError("this process is connected to a Ray cluster already; use one engine")
    address = os.environ.get("RAY_ADDRESS", named) if named == "auto" else named
    # Else Ray prints what befalls its workers among our own output; nothing public prevents it.
    ray_worker._worker_logs_enabled = False  # noqa: SLF001 - see above
    start = partial(ray.init, address=address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        _look_for(address)
        if address == "local":
            start(include_dashboard=False)
        else:
            start()
    except (exceptions.RayError, OSError, RuntimeError, ValueError) as error:
        raise EngineError(
            f"no Ray cluster can be used at {address!r}: {_line(error)}; start one with "
            "`ray start --head`, or name its address in the settings of the engine"
        ) from error


def _look_for(address: str) -> None:
    """Find out whether anything listens at `HOST:PORT`; Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_LISTENS_S):
            pass


def _line(error: BaseException) -> str:
    """Return the reason in one line of a bearable length."""
    said = " ".join(str(error).split())
    return f"{said:.300}" if said else type(error).__name__
