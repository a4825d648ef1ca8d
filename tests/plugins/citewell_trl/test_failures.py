import errno

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


def test_a_full_disk_is_told_with_its_folder(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device")

    assert said(tmp_path, error).startswith(f"{tmp_path / 'out'}: there is no space left")


def test_a_package_that_is_missing_is_told_with_the_command(tmp_path):
    error = ImportError("No module named 'trl'", name="trl")

    assert said(tmp_path, error) == (
        "the training needs trl, which cannot be imported: No module named 'trl'; "
        'run: pip install "citewell[train]"'
    )


def test_damaged_weights_are_told_with_their_folder(tmp_path):
    assert said(tmp_path, SafetensorError("header too large")).startswith(f"{tmp_path / 'base'}: ")


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
