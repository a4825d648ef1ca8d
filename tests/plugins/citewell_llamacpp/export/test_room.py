"""An export that this machine has no room for is refused before it begins."""

import shutil
from typing import NamedTuple

import pytest

import exports
from citewell.children import ChildFailed
from citewell_llamacpp.export import room


class Usage(NamedTuple):
    total: int
    used: int
    free: int


ALL = ("adapter", "F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")


@pytest.fixture
def llama():
    return exports.base("llama")


def test_what_there_is_room_for_begins(llama, tmp_path):
    room.check_room(llama, tmp_path, ALL, base_is_given=False)


def test_too_little_memory_is_told_with_what_is_needed(llama, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "available_bytes", lambda: 500_000_000)

    with pytest.raises(ChildFailed, match=r"about 1\.0 GB of memory, and 0\.5 GB are free"):
        room.check_room(llama, tmp_path, ["adapter"], base_is_given=False)


def test_too_little_disk_is_told_with_the_folder(llama, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 100_000))

    with pytest.raises(ChildFailed, match=rf"{tmp_path}: the files, and those in between, need"):
        room.check_room(llama, tmp_path, ALL, base_is_given=False)


@pytest.mark.parametrize(
    ("kinds", "given", "bits"),
    [
        (["adapter"], True, 16),
        (["adapter"], False, 32),
        (["F16"], False, 32),
        (["F32"], False, 64),
        (["Q8_0"], False, 16 + 2 * 8.5),
        (["adapter", "F16", "Q8_0"], True, 16 + 16 + 16 + 2 * 8.5),
    ],
)
def test_files_are_counted_with_what_they_are_made_from(kinds, given, bits):
    assert room._bits_written(kinds, base_is_given=given) == bits
