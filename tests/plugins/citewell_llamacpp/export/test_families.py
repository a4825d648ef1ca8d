"""Files of every family that is exported do what transformers does, and wrong ones are told."""

import json
import shutil

import gguf
import numpy as np
import pytest
import transformers
from msgspec.structs import replace
from tokenizers import AddedToken

import exports
import random_models
from citewell.children import ChildFailed
from citewell_llamacpp.export import tensors
from citewell_llamacpp.export.comparing import CONTINUED, Trial, expected, measured
from citewell_llamacpp.export.families import read_base
from citewell_llamacpp.export.reading import weight_files
from citewell_llamacpp.export.reference import Reference
from citewell_llamacpp.export.rope import rope_of
from citewell_llamacpp.export.samples import conversations
from citewell_llamacpp.export.vocabulary import read_vocabulary
from citewell_llamacpp.export.writing import Described, write_model

LONGEST = 700
NAMELESS = Described(name="x", card={})
ROPES = {
    "linear": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0},
    "llama3": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
        "rope_theta": 10_000.0,
    },
    "yarn": {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 256,
        "rope_theta": 10_000.0,
    },
}


class Compared:
    """A model, what it computes, and a file of it."""

    def __init__(self, folder, out, kind="F32"):
        self.folder, self.base = folder, read_base(folder)
        self.reference = Reference(folder, None, threads=1)
        self.conversations = [self.reference.fitted(one) for one in conversations(None, 12)]
        self.wanted = expected(self.reference, self.conversations, longest=LONGEST)
        self.wanted.logits = [self.reference.logits(one) for one in self.wanted.probes]
        self.wanted.logits.append(self.reference.last_logits(self.wanted.long))
        for tokens in self.wanted.tokens:
            written, margins = self.reference.continued(tokens, CONTINUED)
            self.wanted.continuations.append(written)
            self.wanted.margins.append(margins)
        self.vocabulary = read_vocabulary(folder, self.base.settings["vocab_size"])
        self.kind, self.file = kind, out / f"{kind}.gguf"

    def write(self, **changes):
        write_model(
            self.file,
            self.base,
            None,
            kind=self.kind,
            tokens=(self.vocabulary, replace(self.reference.specials, **changes)),
            described=NAMELESS,
        )

    def tried(self):
        """Return what differs in words, and in figures."""
        trial = Trial(self.file, None, threads=1, longest=LONGEST)
        try:
            words = trial.text_differences(self.wanted, self.conversations)
            logits = trial.logits(self.wanted.probes)
            logits.append(trial.last_logits(self.wanted.long))
            continuations = trial.continuations(self.wanted, self.wanted.tokens, CONTINUED)
        finally:
            trial.close()
        return words, measured(self.wanted, logits, continuations)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("family", random_models.FAMILIES)
def test_a_file_does_what_was_trained(family, tied, tmp_path):
    compared = Compared(exports.base(family, tied=tied), tmp_path)

    compared.write()
    words, figures = compared.tried()

    assert words == []
    assert compared.base.family.tolerance == (0.05 if family == "gemma3" else 0.02)
    assert figures["logits_max_difference"] < 0.02
    equal = figures["continuations_equal"] + figures["continuations_tied"]
    assert equal == figures["continuations"]


@pytest.mark.parametrize("kind", ROPES)
def test_positions_that_are_scaled_are_scaled_alike(kind, tmp_path):
    folder = random_models.make(tmp_path / "base", "llama", rope_parameters=ROPES[kind])
    compared = Compared(folder, tmp_path)

    compared.write()
    words, figures = compared.tried()

    assert rope_of(compared.base).kind == kind
    assert words == []
    assert figures["logits_max_difference"] < 0.02


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return Compared(exports.base("llama"), tmp_path_factory.mktemp("controls"), "F16")


def test_rows_that_keep_their_order_are_noticed(compared, monkeypatch):
    family = replace(compared.base.family, permutes=False)
    monkeypatch.setattr(compared, "base", replace(compared.base, family=family))
    compared.write()

    words, figures = compared.tried()

    assert words == []
    assert figures["logits_max_difference"] > 1


def test_another_chat_template_is_named(compared):
    compared.write(template=random_models.CHATML)

    words, _ = compared.tried()

    assert any("the chat template" in one and "was trained with" in one for one in words)


def test_a_shifted_end_is_named(compared):
    compared.write(eos=compared.reference.specials.eos - 1)

    words, _ = compared.tried()

    assert words[0].startswith("the end of a text is '<|eot_id|>'")
    assert any("the file stops at '<|end_header_id|>'" in one for one in words)


def test_a_missing_beginning_is_named(compared):
    compared.write(template=random_models.LLAMA3.removeprefix("{{ bos_token }}"), adds_bos=False)

    words, _ = compared.tried()

    assert any("which begins a text, is missing" in one for one in words)


def test_a_doubled_beginning_is_named(compared):
    compared.write(
        template="{{ bos_token }}" + random_models.LLAMA3,
    )

    words, _ = compared.tried()

    assert any("the chat template" in one for one in words)


def test_other_tokens_are_named(compared, monkeypatch):
    merges = tuple(reversed(compared.vocabulary.merges))
    monkeypatch.setattr(compared, "vocabulary", replace(compared.vocabulary, merges=merges))
    compared.write()

    words, _ = compared.tried()

    assert any(one.startswith("tokens of text") for one in words)


def test_weights_in_half_precision_stay_near(compared):
    compared.write()

    words, figures = compared.tried()

    assert words == []
    assert figures["logits_max_difference"] < 0.1


def test_every_tensor_of_the_file_has_the_bytes_of_the_model(compared):
    compared.write()

    reader = gguf.GGUFReader(compared.file)
    found = {one.name: one for one in reader.tensors}

    assert found["blk.0.attn_q.weight"].data.dtype == np.float16
    assert found["output_norm.weight"].data.dtype == np.float32
    assert len(found) == len(list(tensors.model_shapes(compared.base)))


def test_a_model_without_a_chat_template_is_refused(tmp_path):
    folder = shutil.copytree(exports.base("qwen2"), tmp_path / "base")
    (folder / "chat_template.jinja").unlink()

    with pytest.raises(Exception, match="no chat template"):
        Reference(folder, None)


def test_probes_are_of_different_tokens(compared):
    probes = [tuple(one) for one in compared.wanted.probes]

    assert len(set(probes)) == len(probes) == 8
    assert len(compared.wanted.long) == LONGEST


def test_positions_are_tried_far_behind_the_probes(tmp_path):
    folder = random_models.make(tmp_path / "base", "llama", rope_parameters=ROPES["llama3"])
    compared = Compared(folder, tmp_path)
    parameters = compared.base.settings["rope_parameters"] | {"factor": 32.0}
    settings = {**compared.base.settings, "rope_parameters": parameters}
    compared.base = replace(compared.base, settings=settings)

    compared.write()
    words, figures = compared.tried()

    assert words == []
    assert figures["logits_max_difference"] > 0.1


def test_what_a_config_leaves_out_counts_as_in_transformers(tmp_path):
    folder = shutil.copytree(exports.base("mistral"), tmp_path / "base")
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del settings["sliding_window"]
    settings["max_position_embeddings"] = 8192
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")

    with pytest.raises(ChildFailed, match="sliding_window = 4096"):
        read_base(folder)


REFUSED = {
    "longrope": {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [2.0] * 8,
                 "rope_theta": 10_000.0, "original_max_position_embeddings": 256},
    "dynamic": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0},
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_positions_that_no_file_can_scale_alike_are_refused(kind, tmp_path):
    family = "phi3" if kind == "longrope" else "llama"
    folder = random_models.make(tmp_path / "base", family, rope_parameters=REFUSED[kind])

    with pytest.raises(ChildFailed, match=f"scales positions by '{kind}'"):
        rope_of(read_base(folder))


def test_a_token_that_takes_blanks_with_it_is_tried(tmp_path):
    folder = random_models.make(tmp_path / "base", "qwen2", vocab_size=1032)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([AddedToken("<tool>", rstrip=True, normalized=False)])
    tokenizer.save_pretrained(folder)
    compared = Compared(folder, tmp_path)

    compared.write()
    words, _ = compared.tried()

    assert any("tokens of text" in one for one in words)


def test_weights_are_those_that_transformers_would_load(tmp_path):
    folder = shutil.copytree(exports.base("qwen2"), tmp_path / "base")
    shutil.copy(folder / "model.safetensors", folder / "model-00001-of-00001.safetensors")

    assert [one.name for one in weight_files(folder)] == ["model.safetensors"]
