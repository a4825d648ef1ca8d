import asyncio
import importlib.util
import logging
import math
import os
import shutil
import signal
from time import perf_counter

import numpy as np
import psutil
import pytest

import onnx_models
from citewell import Context, MissingExtra, ModelError
from citewell_onnx import process
from citewell_onnx.plugin import build_embedder
from citewell_onnx.settings import EmbedderConfig

LEAVE, OFFICE = "Every employee has 28 days of leave a year.", "The office is closed on Sundays."


def opened(folder, **settings):
    config = EmbedderConfig(**{"path": onnx_models.embedder(), "max_tokens": 64, **settings})
    log = logging.getLogger("citewell.embedder.local")
    return build_embedder(config, Context(name="local", log=log, data_dir=folder, base_dir=folder))


def nearness(one, other):
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def table_and_matrix(path):
    import onnx
    from onnx import numpy_helper

    known = onnx.load(path / "model.onnx").graph.initializer
    arrays = {one.name: numpy_helper.to_array(one) for one in known}
    return arrays["table"], arrays["matrix"]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
async def test_the_vectors_are_those_of_the_model(tmp_path, pooling):
    table, matrix = table_and_matrix(onnx_models.embedder())
    tokenizer = onnx_models.tokenizer()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rows = table[tokenizer.encode(LEAVE).ids] @ matrix
    expected = rows[0] if pooling == "cls" else rows.mean(axis=0)

    async with opened(tmp_path, pooling=pooling) as embedder:
        (vector,) = await embedder.embed([LEAVE], kind="passage")

    assert list(vector) == pytest.approx(list(expected / np.linalg.norm(expected)), abs=1e-5)


async def test_a_vector_that_the_model_has_made_itself_is_taken(tmp_path):
    folder = onnx_models.write_embedder(tmp_path / "model", pooled=True)
    async with opened(tmp_path, path=folder) as embedder:
        (mean,) = await embedder.embed([LEAVE], kind="passage")
    async with opened(tmp_path, path=folder, output="sentence_embedding") as embedder:
        (own,) = await embedder.embed([LEAVE], kind="passage")

    assert len(own) == onnx_models.WIDTH
    assert nearness(mean, own) == pytest.approx(1, abs=1e-5)


async def test_the_kind_chooses_the_prefix(tmp_path):
    async with opened(tmp_path, query_prefix="query: ", passage_prefix="passage: ") as embedder:
        (query,) = await embedder.embed([LEAVE], kind="query")
        (passage,) = await embedder.embed([LEAVE], kind="passage")
    async with opened(tmp_path) as embedder:
        (plain,) = await embedder.embed([f"query: {LEAVE}"], kind="passage")

    assert list(query) == list(plain)
    assert list(query) != list(passage)


async def test_a_long_text_is_more_than_its_beginning(tmp_path):
    beginning = " ".join(f"word{number}" for number in range(200))
    async with opened(tmp_path) as embedder:
        one, other = await embedder.embed(
            [f"{beginning} {ending}" for ending in ("leave", "office")], kind="passage"
        )

    assert list(one) != list(other)


async def test_what_is_embedded_beside_a_text_changes_no_bit_of_its_vector(tmp_path):
    async with opened(tmp_path) as embedder:
        (alone,) = await embedder.embed([LEAVE], kind="passage")
        *_, beside = await embedder.embed([OFFICE * 20] * 20 + [LEAVE], kind="passage")

    assert list(alone) == list(beside)


CHANGES = (
    {"pooling": "cls"},
    {"query_prefix": "query: "},
    {"passage_prefix": "passage: "},
    {"max_tokens": 128},
    {"output": "last_hidden_state"},
)


async def test_the_identity_follows_what_decides_about_the_vectors(tmp_path):
    other = onnx_models.embedder(5)
    tokens = shutil.copytree(onnx_models.embedder(), tmp_path / "tokens")
    tokenizer = onnx_models.tokenizer()
    tokenizer.add_tokens(["employee has"])
    tokenizer.save(str(tokens / "tokenizer.json"))
    found = set()
    for change in ({}, *CHANGES, {"path": other}, {"path": tokens}):
        async with opened(tmp_path, **change) as embedder:
            found.add(embedder.identity)

    assert len(found) == len(CHANGES) + 3


async def test_the_identity_outlives_a_move_and_another_number_of_threads(tmp_path):
    moved = shutil.copytree(onnx_models.embedder(), tmp_path / "moved")
    async with opened(tmp_path) as before:
        pass
    async with opened(tmp_path, path=moved, threads=1) as after:
        pass

    assert before.identity == after.identity


async def test_weights_in_a_file_beside_the_model_count_for_its_identity(tmp_path):
    folders = [
        onnx_models.write_embedder(tmp_path / name, seed=seed, outside="model.onnx_data")
        for name, seed in (("one", 0), ("other", 5))
    ]
    found = []
    for folder in folders:
        async with opened(tmp_path, path=folder) as embedder:
            (vector,) = await embedder.embed([LEAVE], kind="passage")
            found.append((embedder.identity, list(vector)))
    async with opened(tmp_path) as embedder:
        (inside,) = await embedder.embed([LEAVE], kind="passage")

    assert found[0][0] != found[1][0]
    assert found[0][1] == list(inside)


async def test_a_model_in_a_folder_of_its_own_is_found(tmp_path):
    folder = tmp_path / "model"
    onnx_models.write_embedder(folder / "onnx")
    (folder / "onnx" / "tokenizer.json").rename(folder / "tokenizer.json")
    async with opened(tmp_path, path="model", model="onnx/model.onnx") as embedder:
        vectors = await embedder.embed([LEAVE], kind="passage")

    assert len(vectors) == 1


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "a/../../b", ""])
@pytest.mark.parametrize("setting", ["model", "tokenizer"])
def test_a_file_outside_the_folder_cannot_be_named(setting, name):
    with pytest.raises(ValueError, match="expected a path inside the folder"):
        EmbedderConfig(path="model", **{setting: name})


def _emptied(folder):
    (folder / "model.onnx").write_bytes(b"")


def _cut(folder):
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])


def _garbled(folder):
    data = bytearray((folder / "model.onnx").read_bytes())
    data[10:400] = b"\xff" * 390
    (folder / "model.onnx").write_bytes(data)


def _without_model(folder):
    (folder / "model.onnx").unlink()


def _without_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


def _another_tokenizer(folder):
    (folder / "tokenizer.json").write_text('{"model": {"type": "Unheard"}}')


def _text(folder):
    (folder / "model.onnx").write_text("this is no model")


def _a_folder(folder):
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()


DAMAGES = {
    _emptied: "model.onnx",
    _cut: "model.onnx",
    _garbled: "model.onnx",
    _text: "model.onnx",
    _without_model: "is not there; expected an ONNX file",
    _without_tokenizer: "is not there; expected a tokenizer",
    _another_tokenizer: "its tokenizer cannot be read",
    _a_folder: "is not there; expected an ONNX file",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
async def test_a_damaged_folder_is_refused_in_one_line(tmp_path, damage):
    folder = shutil.copytree(onnx_models.embedder(), tmp_path / "model")
    damage(folder)

    with pytest.raises(ModelError) as caught:
        async with opened(tmp_path, path=folder):
            pass

    assert DAMAGES[damage] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("path", ["nowhere", "file"])
async def test_what_is_no_folder_is_refused(tmp_path, path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"expected a folder with model.onnx and tokenizer.json"):
        async with opened(tmp_path, path=path):
            pass


async def test_weights_elsewhere_are_not_opened(tmp_path):
    folder = onnx_models.write_embedder(tmp_path / "model", outside="model.onnx_data")
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data.replace(b"model.onnx_data", b"../onnx_data.bi"))
    with pytest.raises(ModelError, match=r"keeps weights in '\.\./onnx_data.bi'; expected a file"):
        async with opened(tmp_path, path=folder):
            pass


async def test_weights_that_are_missing_are_named(tmp_path):
    folder = onnx_models.write_embedder(tmp_path / "model", outside="model.onnx_data")
    (folder / "model.onnx_data").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx keeps weights in it: fetch it too"):
        async with opened(tmp_path, path=folder):
            pass


async def test_another_file_than_the_pinned_one_is_refused(tmp_path):
    with pytest.raises(ModelError, match="another file than the one that was pinned"):
        async with opened(tmp_path, sha256="0" * 64):
            pass


async def test_a_model_of_another_kind_is_refused(tmp_path):
    inputs = ("input_ids", "attention_mask", "past_key_values")
    folder = onnx_models.write_embedder(tmp_path / "model", inputs=inputs)
    with pytest.raises(ModelError, match="wants the input past_key_values"):
        async with opened(tmp_path, path=folder):
            pass


async def test_an_output_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(ModelError, match='no output "pooled"; there are: last_hidden_state'):
        async with opened(tmp_path, output="pooled"):
            pass


@pytest.mark.parametrize("scale", [0.0, float("nan"), float("inf")])
async def test_a_vector_without_a_direction_is_refused(tmp_path, scale):
    folder = onnx_models.write_embedder(tmp_path / "model", scale=scale)
    with pytest.raises(ModelError, match="vector without a direction"):
        async with opened(tmp_path, path=folder):
            pass


async def test_a_process_that_dies_is_said_and_started_again(tmp_path):
    async with opened(tmp_path) as embedder:
        (before,) = await embedder.embed([LEAVE], kind="query")
        asking = asyncio.create_task(embedder.embed([LEAVE * 200] * 400, kind="passage"))
        await asyncio.sleep(0.1)
        os.kill(embedder._process.process_id, signal.SIGKILL)
        with pytest.raises(ModelError, match="SIGKILL"):
            await asking
        (after,) = await embedder.embed([LEAVE], kind="query")

    assert list(after) == list(before)


async def test_a_process_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "_SILENCE_S", 0.3)
    async with opened(tmp_path) as embedder:
        hung = embedder._process.process_id
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(ModelError, match=r"computed nothing within 0\.3 s"):
            await embedder.embed([LEAVE], kind="query")
        monkeypatch.undo()
        (vector,) = await embedder.embed([LEAVE], kind="query")

    assert len(vector) == onnx_models.WIDTH
    assert not psutil.pid_exists(hung)


async def test_a_cancelled_request_does_not_hold_up_the_next(tmp_path):
    async with opened(tmp_path) as embedder:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await embedder.embed([LEAVE * 2000] * 64, kind="passage")
        since = perf_counter()
        await embedder.embed([LEAVE], kind="query")
        took = perf_counter() - since

    assert took < 20


async def test_closing_ends_the_process(tmp_path):
    async with opened(tmp_path) as embedder:
        child = embedder._process.process_id
        assert psutil.pid_exists(child)

    assert not psutil.pid_exists(child)


async def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec

    def hidden(name, *arguments):
        return None if name == "onnxruntime" else find_spec(name, *arguments)

    monkeypatch.setattr("citewell_onnx.plugin.find_spec", hidden)
    with pytest.raises(MissingExtra, match=r'pip install "citewell\[onnx\]"'):
        async with opened(tmp_path):
            pass


# A process that a hostile model has taken over; it says `TOLD` to what it is asked.
TAKEN_OVER = """
import sys
from math import nan
from struct import pack
from citewell_onnx.wire import *

def read():
    (length,) = LENGTH.unpack(sys.stdin.buffer.read(LENGTH.size))
    return to_child(sys.stdin.buffer.read(length))

def send(message):
    sys.stdout.buffer.write(frame(message))
    sys.stdout.buffer.flush()

read()
send(Loaded(WIDTH))
while True:
    id = read().id
    send(TOLD)
"""


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (0, "Computed(id=id, rows=b'')"),
        (-1, "Computed(id=id, rows=b'1234')"),
        (2, "Computed(id=id, rows=pack('2f', nan, 1))"),
        (2, "Computed(id=id, rows=pack('4f', 1, 2, 3, 4))"),
        (2, "Computed(id=id, rows=b'odd')"),
        (2, "Failed(id=id, reason='\\x1b[31m' * 1000)"),
    ],
)
async def test_a_process_that_is_taken_over_is_not_believed(width, told, tmp_path, monkeypatch):
    boot = TAKEN_OVER.replace("WIDTH", str(width)).replace("TOLD", told)
    monkeypatch.setattr(process, "_BOOT", boot)

    with pytest.raises(ModelError) as raised:
        async with asyncio.timeout(30), opened(tmp_path) as embedder:
            await embedder.embed([LEAVE], kind="query")

    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 600
