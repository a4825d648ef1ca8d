import json
import re

import pytest

from citewell import TrainingError
from citewell_trl.bases import check_base, context_of


def weights(*sizes):
    """Return a file of safetensors with tensors of so many bytes."""
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
    header = {
        f"tensor{at}": {"dtype": "U8", "shape": [size], "data_offsets": [end - size, end]}
        for at, (size, end) in enumerate(zip(sizes, ends, strict=True))
    }
    encoded = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return len(encoded).to_bytes(8, "little") + encoded + bytes(sum(sizes))


@pytest.fixture
def base(tmp_path):
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 512}')
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(weights(8, 24))
    return tmp_path


def refused(base, said):
    with pytest.raises(TrainingError, match=said) as raised:
        check_base(base)
    assert "\n" not in str(raised.value)


def test_a_model_whose_files_are_whole_can_learn(base):
    check_base(base)

    assert context_of(base) == 512


def test_weights_in_several_files_can_learn(base):
    (base / "model.safetensors").unlink()
    for at in (1, 2):
        (base / f"part{at}.safetensors").write_bytes(weights(8))
    index = {"weight_map": {"a": "part1.safetensors", "b": "part2.safetensors"}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))

    check_base(base)
    (base / "part2.safetensors").unlink()

    refused(base, r"part2\.safetensors: is not there, and model\.safetensors\.index\.json names")


def test_an_index_that_names_files_elsewhere_is_refused(base):
    index = {"weight_map": {"a": "../elsewhere.safetensors"}}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))

    refused(base, "elsewhere")


@pytest.mark.parametrize("text", ["{}", '{"weight_map": []}', '{"weight_map": {}}'])
def test_an_index_that_names_nothing_is_refused(base, text):
    (base / "model.safetensors.index.json").write_text(text)

    refused(base, r"index\.json: names no files; expected a weight_map")


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    refused(tmp_path / "none", re.escape(f"{tmp_path / 'none'}: is not there"))


def test_a_file_is_no_base(base):
    refused(base / "model.safetensors", "is no folder")


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(base, missing):
    (base / missing).unlink()

    refused(base, re.escape(missing))


def test_pickled_weights_are_refused_with_the_fix(base):
    (base / "model.safetensors").unlink()
    (base / "pytorch_model.bin").write_bytes(b"")

    refused(base, r"pytorch_model\.bin: is a pickle, which could run code; .*safetensors")


@pytest.mark.parametrize(
    ("key", "said"), [("auto_map", "code of its own"), ("quantization_config", "quantised")]
)
def test_what_cannot_be_trained_safely_is_refused(base, key, said):
    (base / "config.json").write_text(json.dumps({key: {}}))

    refused(base, said)


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_a_config_that_is_no_object_is_refused(base, text):
    (base / "config.json").write_text(text)

    refused(base, r"config\.json: (is no JSON|holds no JSON object)")


@pytest.mark.parametrize("kept", [0, 7, 30, -1])
def test_weights_that_are_cut_off_are_refused(base, kept):
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])

    refused(base, r"model\.safetensors: (is no file of safetensors|has \d+ bytes; expected \d+)")


def test_weights_of_another_format_are_refused(base):
    (base / "model.safetensors").write_bytes(b"GGUF" + b"\xff" * 400)

    refused(base, "is no file of safetensors")
