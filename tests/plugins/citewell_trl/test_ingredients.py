import os
from importlib.util import find_spec

import pytest
from msgspec.structs import replace

from citewell.training import ExampleKind, TrainingTask
from citewell_trl.ingredients import differing, made_of
from citewell_trl.wire import Order, line, to_order

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="what trains is not installed")


@pytest.fixture
def order(tmp_path):
    for name in ("examples", "validation", "config.json", "model.safetensors", "README.md"):
        (tmp_path / name).write_text(name)
    task = TrainingTask(
        base=tmp_path,
        kind=ExampleKind.CHAT,
        examples=tmp_path / "examples",
        validation=tmp_path / "validation",
        out=tmp_path / "out",
    )
    return Order(task=task, settings="{}")


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("examples", "the examples"),
        ("validation", "the validation examples"),
        ("config.json", "the base"),
        ("model.safetensors", "the base"),
        ("README.md", ""),
    ],
)
def test_a_file_that_changes_is_told_by_what_it_is(order, name, differs):
    then = made_of(order)

    (order.task.base / name).write_text("something else")

    assert differing(made_of(order), then) == differs


def test_a_base_that_was_only_touched_is_the_same(order):
    then = made_of(order)

    os.utime(order.task.base / "model.safetensors", (1, 1))

    assert not differing(made_of(order), then)


def test_other_weights_of_the_same_length_are_another_base(order):
    then = made_of(order)

    (order.task.base / "model.safetensors").write_text("model.safetensorz")

    assert differing(made_of(order), then) == "the base"


def test_settings_and_templates_decide_as_well(order, tmp_path):
    then = made_of(order)
    template = tmp_path / "own" / "template.jinja"
    template.parent.mkdir()
    template.write_text("{{ messages }}")

    assert differing(made_of(replace(order, settings='{"seed": 1}')), then) == "the settings"
    assert differing(made_of(replace(order, chat_template=template)), then) == "the settings"


def test_where_things_stand_decides_nothing(order, tmp_path):
    moved = tmp_path / "moved"
    (tmp_path / "examples").rename(moved)

    now = made_of(replace(order, task=replace(order.task, examples=moved, out=tmp_path)))

    moved.rename(tmp_path / "examples")
    assert not differing(now, made_of(order))


def test_an_order_arrives_as_it_was_given(order):
    assert to_order(line(order)) == order
