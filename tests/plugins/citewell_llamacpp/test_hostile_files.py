"""Files that are broken, or meant to do harm: each costs one line, soon, and nothing else."""

import os
import struct
from pathlib import Path
from time import perf_counter

import pytest

import ggufs
import llamacpp
from citewell import CitewellError
from citewell_llamacpp.header import read_header
from citewell_llamacpp.wire import File

WHOLE = ggufs.model().read_bytes()
# Magic and version, then the two counts.
TENSORS, KEYS = 8, 16
HUGE = struct.pack("<Q", 2**63 - 1)


def patched(at: int, data: bytes) -> bytes:
    return WHOLE[:at] + data + WHOLE[at + len(data) :]


def at_key(name: str) -> int:
    """Return where the value of a key begins, behind its type."""
    return WHOLE.index(name.encode()) + len(name) + 4


def at_tensor(name: str) -> int:
    """Return where the number of dimensions of a tensor stands."""
    return WHOLE.index(struct.pack("<Q", len(name)) + name.encode()) + 8 + len(name)


_EMBEDDING = at_tensor("token_embd.weight")
BROKEN = {
    "empty": (b"", "no GGUF file"),
    "text": (b"hello, this is no model", "no GGUF file"),
    "zip": (b"PK\x03\x04" + bytes(100), "no GGUF file"),
    "magic alone": (WHOLE[:4], "cut short"),
    "version 1": (patched(4, struct.pack("<I", 1)), "version 1"),
    "version 999": (patched(4, struct.pack("<I", 999)), "version 999"),
    "big-endian": (patched(4, struct.pack(">I", 3)), "big-endian"),
    "cut in the head": (WHOLE[:200], "cut short"),
    "cut in the vocabulary": (WHOLE[:3_000], "cut short"),
    "cut in the weights": (WHOLE[:-5_000], "cut short"),
    "last byte missing": (WHOLE[:-1], "cut short"),
    "huge count of tensors": (patched(TENSORS, HUGE), "tensors"),
    "huge count of keys": (patched(KEYS, HUGE), "keys"),
    "more tensors than there are": (patched(TENSORS, struct.pack("<Q", 30)), ""),
    "more keys than there are": (patched(KEYS, struct.pack("<Q", 200)), ""),
    "huge key": (patched(24, HUGE), "at most"),
    "huge text": (patched(at_key("general.architecture"), HUGE), "at most"),
    "huge array": (patched(at_key("tokenizer.ggml.tokens") + 4, HUGE), "items"),
    "array of arrays": (patched(at_key("tokenizer.ggml.tokens"), struct.pack("<I", 9)), "type 9"),
    "unknown type of a key": (
        patched(at_key("llama.context_length") - 4, struct.pack("<I", 77)),
        "type 77",
    ),
    "no dimensions": (patched(_EMBEDDING, struct.pack("<I", 0)), "dimensions"),
    "many dimensions": (patched(_EMBEDDING, struct.pack("<I", 4_000_000)), "dimensions"),
    "shape that overflows": (patched(_EMBEDDING + 4, struct.pack("<QQ", 2**40, 2**40)), "shape"),
    "shape of zero": (patched(_EMBEDDING + 4, struct.pack("<QQ", 64, 0)), "shape"),
    "unknown type of a tensor": (patched(_EMBEDDING + 20, struct.pack("<I", 250)), "type 250"),
    "offset behind the end": (patched(_EMBEDDING + 24, HUGE), "cut short"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_file_is_refused_before_it_is_loaded(tmp_path, name):
    data, expected = BROKEN[name]
    path = tmp_path / "broken.gguf"
    path.write_bytes(data)

    await refused(tmp_path, expected, path=path)


async def refused(folder: Path, expected: str, **settings: object) -> None:
    """Check that a model is refused in one line, soon."""
    since = perf_counter()
    with pytest.raises(CitewellError) as caught:
        async with llamacpp.opened(folder, **settings):
            pass
    assert perf_counter() - since < 10
    assert expected in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000


def made(folder: Path, **changes: object) -> Path:
    path = folder / "made.gguf"
    ggufs.write_model(path, **changes)
    return path


# What passes the look at the head and fails in the library, or kills its process.
CONTRADICTIONS = {
    "no heads": {"llama.attention.head_count": 0},
    "many heads": {"llama.attention.head_count": 4_000_000_000},
    "more layers than there are": {"llama.block_count": 40},
    "other hidden width": {"llama.feed_forward_length": 100},
    "odd rotation": {"llama.rope.dimension_count": 63},
    "token outside": {"tokenizer.ggml.eos_token_id": 4_000_000},
    "no context": {"llama.context_length": 0},
    "experts that are not there": {"llama.expert_count": 64},
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
async def test_a_model_that_contradicts_itself_costs_one_line_or_works(tmp_path, name):
    path = made(tmp_path, values=CONTRADICTIONS[name])
    since = perf_counter()

    problem = "none"
    try:
        async with llamacpp.opened(tmp_path, path=path) as model:
            await llamacpp.written(model, llamacpp.prompt())
    except CitewellError as error:
        problem = str(error)

    assert problem
    assert "\n" not in problem
    assert perf_counter() - since < 10


TEMPLATES = {
    "none": (None, "no chat template"),
    "no Jinja": ("{% for x in %}", "TemplateSyntaxError"),
    "endless": (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "takes more than",
    ),
    "much text": ("{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "characters"),
    "huge text": ("{{ 'x' * 10000000000 }}", "too large"),
    "doubling": (
        "{% set n = namespace(x='a') %}{% for a in range(60) %}{% set n.x = n.x*2 %}{% endfor %}",
        "",
    ),
    "power": ("{{ 9 ** 9 ** 9 }}", "too large"),
    "format": ("{{ '%999999999999d' % 1 }}", "not allowed"),
    "runs code": (
        "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ messages[0].missing.more }}",
        "",
    ),
    "imports": (
        "{{ cycler.__init__.__globals__.os.system('exit 1') }}",
        "SecurityError",
    ),
    "refuses": ("{{ raise_exception('not today') }}", "not today"),
}


@pytest.mark.parametrize("name", TEMPLATES)
async def test_a_bad_template_costs_one_line_and_runs_nothing(tmp_path, name):
    template, expected = TEMPLATES[name]

    await refused(tmp_path, expected, path=made(tmp_path, template=template))


async def test_a_vocabulary_of_another_model_is_refused(tmp_path):
    path = made(tmp_path, tokens=500)

    await refused(tmp_path, "vocabulary of 500 tokens and embeddings of 512", path=path)


async def test_an_adapter_of_another_model_is_refused(tmp_path):
    path = tmp_path / "lora.gguf"
    ggufs.write_adapter(path, ggufs.Shape(width=128))

    await refused(tmp_path, "the model that it was trained on", lora={"one": path})


async def test_a_model_is_no_adapter_and_an_adapter_no_model(tmp_path):
    await refused(tmp_path, "is no LoRA adapter", lora={"one": ggufs.model()})
    await refused(tmp_path, "is a LoRA adapter", path=ggufs.adapter())


async def test_another_file_than_the_pinned_one_is_refused(tmp_path):
    await refused(tmp_path, "expected " + "0" * 64, sha256="0" * 64)


async def test_a_file_that_is_not_there_is_named(tmp_path):
    await refused(tmp_path, "is not there", path=tmp_path / "missing.gguf")
    await refused(tmp_path, "is no file", path=tmp_path)


def test_the_head_of_a_whole_file_is_read(tmp_path):
    header = read_header(ggufs.model())

    assert header.architecture == "llama"
    assert header.tensors["token_embd.weight"].shape == (64, 512)
    assert header.counts["tokenizer.ggml.tokens"] == 512
    assert header.number("block_count") == 2


async def test_one_part_of_a_model_is_refused(tmp_path):
    """The others would be loaded without being pinned, checked or counted."""
    await refused(tmp_path, "is one of 2 parts", path=made(tmp_path, values={"split.count": 2}))


async def test_another_adapter_than_the_pinned_one_is_refused(tmp_path):
    lora = {"house": ggufs.adapter()}

    await refused(tmp_path, "expected " + "0" * 64, lora=lora, lora_sha256={"house": "0" * 64})


async def test_a_file_whose_time_was_set_back_is_another_one(tmp_path):
    path = made(tmp_path)
    before, stat = File.at(path), path.stat()
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert not before.is_unchanged


async def test_what_a_file_makes_the_library_say_is_one_short_line(tmp_path):
    name = "\x1b]0;hello\x07 " + "x" * 1_000_000
    await refused(tmp_path, "xxx", path=made(tmp_path, values={"tokenizer.ggml.pre": name}))
    await refused(
        tmp_path, "not", path=made(tmp_path, template="{{ raise_exception('not\x1b[2J') }}")
    )


async def test_special_tokens_that_cannot_be_told_from_text_are_refused(tmp_path):
    shape = ggufs.Shape(added=("a\u200c", "ay"))
    template = f"{ggufs.TEMPLATE}{{# a\u200c ay #}}"

    await refused(tmp_path, "shows nothing", path=made(tmp_path, shape=shape, template=template))
