"""Starts the process that a model runs in."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from citewell import ModelError
from citewell_llamacpp.wire import Load

_KEPT_VARIABLES = frozenset(
    ("LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME",
     "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ")
)  # fmt: skip
_KEPT_FAMILIES = ("CUDA_", "GGML_", "GOMP_", "HIP_", "LC_", "OMP_", "ROCR_")

# The path of this process, so that the child finds the same packages.
_BOOT = "from citewell_llamacpp.child import main; main()"


async def spawned(load: Load) -> asyncio.subprocess.Process:
    """Start the process that loads a model.

    Raises:
        ModelError: it cannot be started.
    """
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # Without the working folder on its path: a folder must not run code by being there.
            "-P",
            "-c",
            _BOOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(load),
            # What is typed to stop this process is not for that one, which answers to the end.
            start_new_session=True,
        )
    except OSError as error:
        raise ModelError(f"its process cannot be started: {error.strerror}") from error


def _environment(load: Load) -> dict[str, str]:
    """Return what the process needs to know, and no secret."""
    # A thread that waits for the others holds its processor, which on a busy machine makes answers
    # and vectors many times slower. Measured: the steps of an answer are too short to let it go at
    # once, and lose nothing when it waits for a moment only. GNU OpenMP reads this, and no other.
    waiting = {"OMP_WAIT_POLICY": "PASSIVE"} if load.pooling else {"GOMP_SPINCOUNT": "1000"}
    if "OMP_WAIT_POLICY" in os.environ:
        waiting = {}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith(_KEPT_FAMILIES)
    }
    package = str(Path(__file__).resolve().parent.parent)
    inherited = [path for path in sys.path if path and Path(path).is_dir()]
    # Where llama.cpp aborts it would start a debugger first.
    paths = os.pathsep.join([*inherited, package])
    return {**waiting, **kept, "GGML_NO_BACKTRACE": "1", "PYTHONPATH": paths}
