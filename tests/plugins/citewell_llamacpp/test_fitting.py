"""What a model and its adapters need, and whether they fit each other."""

import logging
from pathlib import Path

import numpy as np
import psutil
import pytest

import ggufs
import llamacpp
from citewell import Context, ModelError
from citewell_llamacpp import plugin

MB = 1_000_000
SHAPES = {
    # The process itself is most of it.
    "small": (ggufs.Shape(), 1_024),
    # The scores of attention are.
    "many heads": (ggufs.Shape(width=512, layers=1, heads=32, kv_heads=8), 6_144),
    # The cache of conversations is.
    "many layers": (ggufs.Shape(width=256, layers=24, heads=4, kv_heads=4), 2_048),
}


def estimated(folder: Path, **settings: object) -> int:
    config = plugin.LlamaCppConfig(**settings)
    log = logging.getLogger("citewell.model.tuned")
    context = Context(name="tuned", log=log, data_dir=folder, base_dir=folder)
    return sum(plugin.memory(config, context).values())


@pytest.mark.parametrize("name", SHAPES)
async def test_the_memory_of_a_worker_is_what_was_estimated(tmp_path, name):
    shape, context = SHAPES[name]
    path = tmp_path / "model.gguf"
    ggufs.write_model(path, shape)
    settings = {"path": path, "context": context, "conversations": 2}
    # A word of this alphabet is about two tokens.
    asked = llamacpp.prompt("9 " * (context // 2 - 200), max_output_tokens=8)

    before = set(psutil.Process().children(recursive=True))
    async with llamacpp.opened(tmp_path, **settings) as model:
        (worker,) = set(psutil.Process().children(recursive=True)) - before
        _, usage = await llamacpp.written(model, asked)
        await llamacpp.written(model, llamacpp.prompt())
        taken = worker.memory_info().rss

    assert usage.input_tokens > context * 0.7
    assert taken < estimated(tmp_path, **settings) < taken + 80 * MB


def test_the_adapter_that_is_used_is_counted(tmp_path):
    adapter = ggufs.adapter()
    settings = {"path": ggufs.model(), "lora": {"one": adapter, "other": "missing.gguf"}}

    bare = estimated(tmp_path, path=ggufs.model())

    assert estimated(tmp_path, **settings, adapter="one") == bare + adapter.stat().st_size


def zeros(*shape: int, kind: type = np.float32) -> np.ndarray:
    """Return a tensor; GGUF names its dimensions the other way round."""
    return np.zeros(shape, kind)


_EMBEDDINGS = {
    "token_embd.weight.lora_a": zeros(512, 4),
    "token_embd.weight.lora_b": zeros(64, 4),
}
_A, _B = "blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"
UNFIT = {
    "second half in one dimension": {_B: zeros(64)},
    "first half in one dimension": {_A: zeros(64)},
    "three dimensions": {_A: zeros(2, 4, 64), _B: zeros(2, 64, 4)},
    "other ranks": {_A: zeros(8, 64)},
    "other input": {_A: zeros(4, 128)},
    "other output": {_B: zeros(128, 4)},
    "one half": {_B: None},
    "a half of no name": {f"{_A}x": zeros(4, 64)},
    "a norm": {
        "blk.0.attn_norm.weight.lora_a": zeros(4, 64),
        "blk.0.attn_norm.weight.lora_b": zeros(1, 4),
    },
    "a weight that is not there": {
        "blk.7.attn_q.weight.lora_a": zeros(4, 64),
        "blk.7.attn_q.weight.lora_b": zeros(64, 4),
    },
    "whole numbers": {_A: zeros(4, 64, kind=np.int32)},
    "other ranks in the embeddings": _EMBEDDINGS | {"token_embd.weight.lora_b": zeros(64, 8)},
}


@pytest.mark.parametrize("name", UNFIT)
async def test_an_adapter_that_would_end_the_process_is_refused(tmp_path, name):
    path = tmp_path / "lora.gguf"
    ggufs.write_adapter(path, others=UNFIT[name])

    with pytest.raises(ModelError, match=r"lora\.gguf: (changes|stores)") as caught:
        async with llamacpp.opened(tmp_path, lora={"one": path}):
            pass

    assert "\n" not in str(caught.value)


async def test_an_adapter_may_change_the_embeddings_and_carry_norms(tmp_path):
    path = tmp_path / "lora.gguf"
    ggufs.write_adapter(path, others=_EMBEDDINGS | {"blk.0.attn_norm.weight": zeros(64)})

    async with llamacpp.opened(tmp_path, lora={"one": path}) as model:
        text, _ = await llamacpp.written(model, llamacpp.prompt())

    assert text


async def test_an_adapter_may_not_change_embeddings_that_the_model_also_writes_with(tmp_path):
    model, adapter = tmp_path / "tied.gguf", tmp_path / "lora.gguf"
    ggufs.write_model(model, ggufs.Shape(tied=True))
    ggufs.write_adapter(adapter, others=_EMBEDDINGS)

    with pytest.raises(ModelError, match="also writes with"):
        async with llamacpp.opened(tmp_path, path=model, lora={"one": adapter}):
            pass


async def test_an_adapter_whose_scale_is_no_number_with_a_point_is_refused(tmp_path):
    path, key = tmp_path / "lora.gguf", b"adapter.lora.alpha"
    ggufs.write_adapter(path)
    written = path.read_bytes()
    at = written.index(key) + len(key)
    path.write_bytes(written[:at] + b"\5" + written[at + 1 :])

    with pytest.raises(ModelError, match=r"gives adapter\.lora\.alpha as another type"):
        async with llamacpp.opened(tmp_path, lora={"one": path}):
            pass
