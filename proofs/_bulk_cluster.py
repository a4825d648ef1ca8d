"""A Ray cluster of this machine, whose workers can be killed while they read."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

WORKERS = 4
_GIVE_UP_S = 180.0
_BUSY = "ray::read_batch"
_START = (
    *("start", "--head", "--block", "--port=0", f"--num-cpus={WORKERS}", "--disable-usage-stats"),
    *("--include-dashboard=false", "--object-store-memory=100000000"),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        environment: of processes that connect to it.
    """

    address: str
    environment: Mapping[str, str]
    process: psutil.Process

    def kill_a_busy_worker(self, chosen: int) -> bool:
        """End a worker by SIGKILL in the middle of a task; tell whether one was found."""
        busy = [process for process in self.process.children(recursive=True) if _is_busy(process)]
        for process in busy[chosen % len(busy) :] + busy[: chosen % len(busy)] if busy else []:
            with suppress(psutil.NoSuchProcess):
                # It is stopped first, so that its task cannot end between the look and the kill.
                process.suspend()
                if _is_busy(process):
                    process.kill()
                    return True
                process.resume()
        return False


def _is_busy(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[:1] == [_BUSY]
    except psutil.Error:
        return False


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a cluster of four workers, and stop it in the end."""
    # Sockets of the cluster stand in its folder, and a path to one has 107 characters at most.
    with TemporaryDirectory(prefix="r") as folder:
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
        environment = {**os.environ, **token, "RAY_USAGE_STATS_ENABLED": "0"}
        started = subprocess.Popen(
            [Path(sys.executable).with_name("ray"), *_START, f"--temp-dir={folder}/ray"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = _address(started, Path(folder, "ray", "ray_current_cluster"))
            yield Cluster(address, environment, psutil.Process(started.pid))
        finally:
            started.terminate()
            started.wait()


def _address(started: subprocess.Popen[bytes], told: Path) -> str:
    deadline = time.monotonic() + _GIVE_UP_S
    while time.monotonic() < deadline and started.poll() is None:
        if told.exists() and (address := told.read_text(encoding="utf-8")):
            # It names the machine's address in its network, and a proof stays on the machine.
            return f"127.0.0.1:{address.rpartition(':')[2]}"
        time.sleep(0.1)
    raise TimeoutError(f"the Ray cluster did not start in {_GIVE_UP_S:.0f} s")
