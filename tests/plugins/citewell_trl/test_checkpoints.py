import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from citewell.children import ChildFailed
from citewell_trl import checkpoints, child
from citewell_trl.checkpoints import Progress
from citewell_trl.ingredients import differing

FILES = ("adapter_config.json", "adapter_model.safetensors", "optimizer.pt", "trainer_state.json")
CONFIG = '{"target_modules": ["v", "q"], "base_model_name_or_path": "/somewhere"}'


def written(out, step):
    """Write a checkpoint as TRL does: file by file, and without a seal."""
    folder = checkpoints.folder_of(out, step)
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(CONFIG if name == FILES[0] else f"{name} of {step}")
    return folder


def sealed(out, step, **progress):
    folder = written(out, step)
    checkpoints.seal(out, step, made_of={"the base": "a"}, progress=Progress(**progress))
    return folder


def test_the_last_one_with_a_seal_is_gone_on_from(tmp_path):
    sealed(tmp_path, 9)
    sealed(tmp_path, 10, best_step=9, best_loss=0.5, waited=1)
    written(tmp_path, 11)

    found = checkpoints.newest(tmp_path)

    assert found.step == 10
    assert found.made_of == {"the base": "a"}
    assert found.progress == Progress(best_step=9, best_loss=0.5, waited=1)


def test_without_the_best_one_the_last_one_does_not_count(tmp_path):
    sealed(tmp_path, 4)
    (sealed(tmp_path, 5, best_step=5, best_loss=1.0) / "optimizer.pt").unlink()
    sealed(tmp_path, 6, best_step=5, best_loss=1.0, waited=1)

    assert checkpoints.newest(tmp_path).step == 4


@given(st.data())
def test_what_was_written_in_part_is_never_gone_on_from(data):
    with TemporaryDirectory() as place:
        out = Path(place)
        sealed(out, 1)
        folder = sealed(out, 2)
        name = data.draw(st.sampled_from([*FILES, "seal.json"]))
        content = (folder / name).read_bytes()
        part = content[: data.draw(st.integers(0, len(content) - 1))]
        (folder / name).write_bytes(part)

        assert checkpoints.newest(out).step == 1


def test_what_nobody_needs_is_removed(tmp_path):
    for step in (1, 2, 3):
        sealed(tmp_path, step)
    written(tmp_path, 4)

    checkpoints.keep(tmp_path, (2, 3))

    assert checkpoints.is_begun(tmp_path)
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {
        "checkpoint-2",
        "checkpoint-3",
    }
    assert checkpoints.newest(tmp_path).step == 3


def test_checkpoints_of_other_things_are_kept_until_they_are_needed_again(tmp_path):
    sealed(tmp_path, 7)

    put_aside = checkpoints.turn_to(tmp_path, {"the base": "b"})
    anew = checkpoints.newest(tmp_path)
    written(tmp_path, 1)
    checkpoints.turn_to(tmp_path, {"the base": "a"})

    assert put_aside == {"the base": "a"}
    assert anew is None
    assert checkpoints.newest(tmp_path).step == 7


def test_checkpoints_of_the_same_things_stay(tmp_path):
    sealed(tmp_path, 7)

    assert checkpoints.turn_to(tmp_path, {"the base": "a"}) is None
    assert checkpoints.newest(tmp_path).step == 7


def test_without_checkpoints_there_is_nothing_to_go_on_from(tmp_path):
    assert checkpoints.newest(tmp_path) is None
    assert not checkpoints.is_begun(tmp_path)


def test_an_adapter_has_its_name_only_once_it_is_given(tmp_path):
    sealed(tmp_path, 7)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "old").touch()

    checkpoints.make_adapter(tmp_path, 7, base="tiny")
    old = [path.name for path in (tmp_path / "adapter").iterdir()]
    named = checkpoints.name_adapter(tmp_path)

    assert old == ["old"]
    assert {path.name for path in named.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    assert json.loads((named / "adapter_config.json").read_text()) == {
        "base_model_name_or_path": "tiny",
        "target_modules": ["q", "v"],
    }
    assert {path.name for path in tmp_path.iterdir()} == {"adapter", "checkpoints"}


def test_what_changed_is_named():
    then = {"the base": "a", "the examples": "b", "the settings": "c"}

    assert not differing(then, then)
    assert differing({**then, "the base": "x"}, then) == "the base"
    assert differing({**then, "the base": "x", "the settings": "y"}, then) == (
        "the base and the settings"
    )


def test_two_processes_do_not_train_in_one_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "_PATIENCE_S", 0.05)

    with (
        FileLock(tmp_path / "lock"),
        pytest.raises(ChildFailed, match="another process trains in it"),
        child._alone(tmp_path),
    ):
        pass
    with child._alone(tmp_path):
        pass
