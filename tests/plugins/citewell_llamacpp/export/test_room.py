"""An export that this machine has no room for is refused before its first file."""

import asyncio
import json
import shutil
from typing import NamedTuple

import psutil
import pytest

import exports
from citewell import TrainingError
from citewell.children import ChildFailed
from citewell_llamacpp.export import room
from citewell_llamacpp.export.families import read_base

ALL = ("adapter", "F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def llama():
    return read_base(exports.base("llama"))


@pytest.fixture
def weights(llama):
    """How many numbers the model holds, as PyTorch counts them."""
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(llama.folder)
    return sum(one.numel() for one in model.parameters())


def checked(base, folder, monkeypatch, *, memory=10**12, disk=10**12):
    monkeypatch.setattr(room, "available_bytes", lambda: memory)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, disk))
    room.check_room(base, folder, ALL, base_is_given=False)


def test_what_there_is_just_room_for_begins(llama, tmp_path, monkeypatch):
    memory = room.memory_bytes(llama)
    disk = room.disk_bytes(llama, ALL, base_is_given=False)

    checked(llama, tmp_path, monkeypatch, memory=memory, disk=disk)

    with pytest.raises(ChildFailed, match=rf"needs about {memory / 1e9:.1f} GB of memory, and"):
        checked(llama, tmp_path, monkeypatch, memory=memory - 1)
    with pytest.raises(ChildFailed, match=rf"{tmp_path}: the files, and those in between, need"):
        checked(llama, tmp_path, monkeypatch, disk=disk - 1)


def test_memory_holds_the_weights_in_full_and_what_is_compared(llama, weights):
    settings = llama.settings
    longest = settings["max_position_embeddings"]
    compared = 3 * llama.heads * longest**2 + 2 * 8 * 48 * settings["vocab_size"]

    assert room.memory_bytes(llama) == 4 * (weights + compared) + 1_000_000_000


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
def test_files_are_counted_with_what_they_are_made_from(llama, weights, kinds, given, bits):
    assert room.disk_bytes(llama, kinds, base_is_given=given) == int(weights * bits / 8)


def test_a_weight_that_no_file_holds_is_not_counted(weights, tmp_path):
    """A tied base may be saved with its head, which is its embeddings again."""
    from safetensors.torch import load_file, save_file

    tied = exports.base("llama", tied=True)
    folder = tmp_path / "base"
    shutil.copytree(tied, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    assert room.memory_bytes(read_base(folder)) == room.memory_bytes(read_base(tied))
    assert room.memory_bytes(read_base(tied)) < room.memory_bytes(read_base(exports.base("llama")))


def test_an_export_of_a_model_that_is_too_large_ends_at_once(tmp_path):
    base = tmp_path / "base"
    shutil.copytree(exports.base("llama"), base)
    (base / "model.safetensors").unlink()
    # Files with holes: together they say that they hold thrice the memory, and take no disk.
    each = psutil.virtual_memory().total // 6 // 4096 * 4096
    names = [f"model.layers.{layer}.{part}.weight" for layer in (0, 1) for part in PARTS]
    for name in names:
        write_hole(base / f"{name}.safetensors", name, each)
    index = {"weight_map": {name: f"{name}.safetensors" for name in names}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(TrainingError, match=r"full precision, which needs about \d+\.\d GB"):
        asyncio.run(exports.exported(exports.task(tmp_path / "out", base, None), files=["F16"]))
    assert [*(tmp_path / "out").glob("*.gguf")] == []


PARTS = (
    *("input_layernorm", "post_attention_layernorm", "mlp.down_proj", "mlp.gate_proj"),
    *("mlp.up_proj", "self_attn.k_proj", "self_attn.o_proj", "self_attn.q_proj"),
    "self_attn.v_proj",
)


def write_hole(path, name, size):
    held = {"dtype": "F32", "shape": [1024, size // 4096], "data_offsets": [0, size]}
    header = json.dumps({name: held}).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)
