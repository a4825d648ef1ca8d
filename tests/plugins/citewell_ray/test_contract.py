"""The engine `ray` on a cluster of this machine, which `ray start` starts as on any other."""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest

from citewell.testing import EngineContract

GIVE_UP_S = 120.0
START = (
    *("start", "--head", "--block", "--port=0", "--num-cpus=4", "--disable-usage-stats"),
    *("--include-dashboard=false", "--object-store-memory=100000000"),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return the address of a cluster with four CPUs."""
    # Sockets of the cluster stand in its folder, and a path to one has 107 characters at most.
    folder = Path(os.path.realpath(tmp_path_factory.getbasetemp().parent)) / f"r{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        # Ray reads them once in a process, so nothing else here may have imported it.
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
        cluster = subprocess.Popen(
            [Path(sys.executable).with_name("ray"), *START, f"--temp-dir={folder}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _address(cluster, folder / "ray_current_cluster")
        finally:
            cluster.terminate()
            cluster.wait()


def _address(cluster, told):
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline and cluster.poll() is None:
        if told.exists() and (address := told.read_text()):
            # It names the machine's address in its network, and tests stay on the machine.
            return f"127.0.0.1:{address.rpartition(':')[2]}"
        time.sleep(0.1)
    raise TimeoutError(f"the cluster did not start in {GIVE_UP_S:.0f} s")


class TestRay(EngineContract):
    name = "ray"

    @pytest.fixture(autouse=True)
    def cluster(self, address):
        self.config = {"address": address, "retries": 2}
