import errno
import subprocess
import sys
from importlib.util import find_spec

import pytest

from citewell.children import ChildFailed
from citewell_trl.failures import explained, lost
from citewell_trl.settings import TrlConfig


class SafetensorError(Exception):
    """Named as that of the package, which tells by its name alone."""


def said(tmp_path, error, **settings):
    config = TrlConfig(**settings)
    with (
        pytest.raises(ChildFailed) as raised,
        explained(config, base=tmp_path / "base", out=tmp_path / "out"),
    ):
        raise error
    return str(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_no_memory_is_told_with_smaller_batches_that_learn_the_same(tmp_path, error):
    assert said(tmp_path, error, batch_size=8, accumulate=2) == (
        "memory ran out with batch_size = 8; set batch_size = 4 and accumulate = 4, which learn "
        "the same"
    )


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({"batch_size": 1, "gradient_checkpointing": False}, "set gradient_checkpointing = true"),
        ({"batch_size": 1}, "lower max_tokens"),
        ({"batch_size": 2, "method": "kto"}, "lower max_tokens"),
        ({"batch_size": 3, "method": "kto", "accumulate": 2}, "batch_size = 2 and accumulate = 3"),
    ],
)
def test_where_batches_cannot_be_smaller_something_else_is_advised(tmp_path, settings, fix):
    assert fix in said(tmp_path, MemoryError(), **settings)


# Writes more than it may: what it may is as little as if the disk were full.
WRITE = """
import resource, signal, sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from citewell.children import ChildFailed
from citewell_trl.failures import explained
from citewell_trl.settings import TrlConfig

out = Path(sys.argv[1])
numbers = {"numbers": torch.zeros(100_000)}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
for write in (
    lambda: save_file(numbers, out / "adapter_model.safetensors"),
    lambda: torch.save(numbers, out / "optimizer.pt"),
    lambda: (out / "seal.json").write_bytes(bytes(100_000)),
):
    try:
        with explained(TrlConfig(), base=out / "base", out=out):
            write()
    except ChildFailed as error:
        print(error)
"""


@pytest.mark.skipif(find_spec("torch") is None, reason="what trains is not installed")
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such limits")
def test_each_file_that_does_not_fit_on_the_disk_is_told_with_its_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WRITE, tmp_path], check=True, capture_output=True, text=True
    )

    told = done.stdout.splitlines()
    assert len(told) == 3
    assert all(one.startswith(f"{tmp_path}: there is no space left") for one in told)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EFBIG, "File too large"),
        SafetensorError(
            f"Error while serializing: I/O error: No space left on device (os error {errno.ENOSPC})"
        ),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
    ],
)
def test_a_full_disk_is_told_with_its_folder(tmp_path, error):
    assert said(tmp_path, error).startswith(f"{tmp_path / 'out'}: there is no space left")


def test_a_package_that_is_missing_is_told_with_the_command(tmp_path):
    error = ImportError("No module named 'trl'", name="trl")

    assert said(tmp_path, error) == (
        "the training needs trl, which cannot be imported: No module named 'trl'; "
        'run: pip install "citewell[train]"'
    )


@pytest.mark.parametrize(
    "text", ["header too large", "Error while deserializing header: incomplete metadata"]
)
def test_damaged_weights_are_told_with_their_folder(tmp_path, text):
    assert said(tmp_path, SafetensorError(text)).startswith(f"{tmp_path / 'base'}: ")


def test_what_cannot_be_written_is_not_blamed_on_the_base(tmp_path):
    error = SafetensorError("Error while serializing: I/O error: Permission denied (os error 13)")

    assert said(tmp_path, error).startswith(f"{tmp_path / 'out'}: cannot be written: ")


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), OSError("odd"), KeyError("x")])
def test_other_errors_stay_what_they_are(tmp_path, error):
    with (
        pytest.raises(type(error)),
        explained(TrlConfig(), base=tmp_path, out=tmp_path),
    ):
        raise error


def test_a_process_that_is_lost_is_told_with_what_may_help():
    assert lost(TrlConfig(), "was killed") == (
        "the process that trains was killed; run it again, and it goes on from its last "
        "checkpoint; if memory ran out, set batch_size = 2 and accumulate = 8, which learn the same"
    )
