"""The models that `scripts/tiny_base.py` makes, looked at in a process of its own."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

import tiny_base

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="what trains is not installed")

LOOK = """
import json, sys
from pathlib import Path
import torch, tiny_base
from tiny_base import Shape, write_base
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, text = Path(sys.argv[1]), "Grüße, 1234 Ωμέγα\\n\\n  it's 不可 \\U0001f600"
found = {}
for family in tiny_base.FAMILIES:
    for name, shape in (
        (family, Shape(family=family)), (f"{family} untied", Shape(family=family, tied=False))
    ):
        write_base(folder / name, shape)
        tokenizer = AutoTokenizer.from_pretrained(folder / name)
        model = AutoModelForCausalLM.from_pretrained(folder / name)
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        found[name] = {
            "parameters": model.num_parameters(),
            "rows": sorted({one.shape[-1] for one in model.parameters() if one.dim() == 2}),
            "type": model.config.model_type,
            "tied": model.config.tie_word_embeddings,
            "decoded": tokenizer.decode(ids[0]),
            "eos": tokenizer.eos_token,
            "spread": model(ids).logits.std().item(),
            "chat": tokenizer.apply_chat_template(
                [{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True
            ),
        }
losses = []
for steps in (0, 40):
    made = folder / f"taught {steps}"
    write_base(made, Shape(width=64), steps=steps)
    model = AutoModelForCausalLM.from_pretrained(made)
    ids = AutoTokenizer.from_pretrained(made)(tiny_base.TEXT, return_tensors="pt")["input_ids"]
    losses.append(model(input_ids=ids, labels=ids).loss.item())
write_base(folder / "again", Shape(width=64), steps=40)
same = [(folder / one / "model.safetensors").read_bytes() for one in ("taught 40", "again")]
sys.stdout.write(json.dumps({"made": found, "losses": losses, "repeats": same[0] == same[1]}))
"""


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bases")
    done = subprocess.run(
        [sys.executable, "-c", LOOK, folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("family", tiny_base.FAMILIES)
@pytest.mark.parametrize("tied", [True, False])
def test_a_model_of_each_family_can_be_loaded_and_reads_any_text(looked, family, tied):
    made = looked["made"][family if tied else f"{family} untied"]

    assert (made["type"], made["tied"]) == (family, tied)
    assert 300_000 < made["parameters"] < 1_200_000
    assert all(size % 256 == 0 for size in made["rows"])
    assert made["decoded"] == "Grüße, 1234 Ωμέγα\n\n  it's 不可 \U0001f600"
    assert made["eos"] == "<|im_end|>"
    assert made["chat"] == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert made["spread"] > 0.3


def test_one_that_was_taught_goes_on_better_and_alike_each_time(looked):
    before, after = looked["losses"]

    assert after < 0.8 * before
    assert looked["repeats"]
