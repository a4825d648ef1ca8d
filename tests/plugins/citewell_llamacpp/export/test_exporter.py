"""What the exporter leaves behind: files that are whole, proven, and loaded as such; or nothing."""

import asyncio
import json
import os
import shutil
import signal
from contextlib import aclosing

import gguf
import psutil
import pytest
from gguf.scripts.gguf_new_metadata import copy_with_new_metadata

import exports
import llamacpp
import random_models
from citewell import ModelError, NotProven, TrainingError
from citewell.training import Exporting
from citewell_llamacpp.export.settings import GgufConfig, build, check
from citewell_llamacpp.export.writing import write_copy
from citewell_llamacpp.header import read_header
from citewell_llamacpp.proof import KEY, Probe, decoded, encoded
from citewell_llamacpp.proving import Memory, told


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def files(out):
    task = exports.task(
        out, exports.base("qwen2"), exports.adapter("qwen2"), card={"license": "apache-2.0"}
    )
    kinds = ["adapter", "F16", "Q8_0", "Q4_K_M"]
    return exports.by_kind(asyncio.run(exports.exported(task, files=kinds)))


def test_every_file_that_was_asked_for_is_there_and_nothing_else(files, out):
    names = {one.name for one in out.iterdir()}

    assert list(files) == ["adapter", "F16", "Q8_0", "Q4_K_M"]
    assert names == {*(one.file.name for one in files.values()), "qwen2-False-base-F16.gguf",
                     "export-log.txt"}  # fmt: skip


def test_files_that_are_not_quantised_do_what_was_trained(files):
    for kind in ("adapter", "F16"):
        figures = files[kind].figures

        assert figures["logits_max_difference"] < 0.1
        equal = figures["continuations_equal"] + figures["continuations_tied"]
        assert equal >= 0.95 * figures["continuations"] == 38


def test_a_file_says_what_it_was_made_of(files):
    reader = gguf.GGUFReader(files["F16"].file)
    proof = decoded(reader.get_field(KEY).contents())

    assert reader.get_field("general.license").contents() == "apache-2.0"
    assert {"config", "tokenizer", "adapter", "model.safetensors"} == set(proof.hashes)
    assert all(len(one) == 64 for one in proof.hashes.values())
    assert proof.made["llama-cpp-python"]


def test_no_sample_gets_into_a_file(tmp_path):
    secret = "the merger with Initech is on 3 May"
    samples = tmp_path / "samples.jsonl"
    row = {"messages": [{"role": "user", "content": secret}, {"role": "assistant", "content": "x"}]}
    samples.write_text(json.dumps(row), encoding="utf-8")
    task = exports.task(tmp_path / "out", exports.base("llama"), None, samples=samples)

    (made,) = asyncio.run(exports.exported(task, files=["F32"]))

    assert secret.encode() not in made.file.read_bytes()
    assert made.figures["logits_max_difference"] < 0.02


@pytest.mark.parametrize("kind", ["adapter", "F16", "Q8_0", "Q4_K_M"])
async def test_a_model_loads_what_was_exported_and_knows_that_it_was_proven(files, kind, tmp_path):
    section = dict(files[kind].section)
    section.pop("use")

    async with llamacpp.opened(tmp_path, **section, require_proof=True, context=512) as model:
        text, usage = await llamacpp.written(model, llamacpp.prompt(constraint=None, passages=()))

    assert usage.output_tokens > 0
    assert text
    paths = tuple(map(type(files[kind].file), [section["path"], *section.get("lora", {}).values()]))
    assert told(paths) == f"proven ({kind})"


async def test_what_did_what_it_is_proven_by_is_not_asked_again(files, tmp_path, monkeypatch):
    path = files["F16"].file

    async with llamacpp.opened(tmp_path, path=path, context=512):
        pass
    asked = []
    monkeypatch.setattr("citewell_llamacpp.proving.Memory.note", lambda *parts: asked.append(parts))
    async with llamacpp.opened(tmp_path, path=path, context=512):
        pass

    assert (tmp_path / "proven.json").is_file()
    assert asked == []


async def test_a_file_without_a_proof_is_loaded_unless_one_is_demanded(tmp_path):
    path = llamacpp.ggufs.model()

    async with llamacpp.opened(tmp_path, context=512):
        pass
    with pytest.raises(ModelError, match=r"carries no proof .*require_proof is set"):
        async with llamacpp.opened(tmp_path, context=512, require_proof=True):
            pass

    assert told((path,)) == "not proven equal to what was trained"


def changed(path, target, **changes):
    """Write a copy of a file whose proof demands something else."""
    header = read_header(path)
    proof = decoded(header.values[KEY])
    fields = {name: getattr(proof, name) for name in proof.__struct_fields__}
    reader = gguf.GGUFReader(path)
    writer_values = {KEY: encoded(type(proof)(**fields | changes))}
    assert reader.get_field(KEY) is not None
    write_copy(path, target, writer_values)
    return target


BEYOND = Probe(tokens=[1, 2], likeliest=[(10**7, 1.0)], continuation=[3])
CHANGES = {
    "beyond": ({"probes": [BEYOND]}, "speaks of tokens that it does not have"),
    "ends beyond": ({"end": 10**7}, "speaks of tokens that it does not have"),
    "tokens": ({"texts": [("28 days", [1, 2, 3])]}, "makes other tokens of '28 days'"),
    "end": ({"end": 5}, "ends a text otherwise"),
    "stop": ({"stops": [5]}, "does not stop at"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_is_not_what_it_was_proven_to_be_is_refused(files, change, tmp_path):
    changes, said = CHANGES[change]
    path = changed(files["F16"].file, tmp_path / "other.gguf", **changes)

    with pytest.raises(ModelError, match=f"is not what was trained: it {said}"):
        async with llamacpp.opened(tmp_path, path=path, context=512):
            pass


async def test_other_weights_below_the_same_proof_are_refused(files, tmp_path):
    proof = read_header(files["F16"].file).values[KEY]
    other = random_models.make(tmp_path / "other", "qwen2", seed=7)
    task = exports.task(tmp_path / "out", other, None)
    (made,) = await exports.exported(task, files=["F16"])
    path = tmp_path / "swapped.gguf"
    write_copy(made.file, path, {KEY: proof})

    with pytest.raises(ModelError, match="computes something else than it was proven to"):
        async with llamacpp.opened(tmp_path, path=path, context=512):
            pass


ABSURD = {
    "nothing": {"texts": [], "chats": [], "stops": [], "probes": []},
    "an unknown kind": {"kind": "\x1b[2J"},
    "a long probe": {"probes": [Probe(tokens=[1] * 70, likeliest=[(1, 1.0)], continuation=[3])]},
    "any number": {"tolerance": 1e308 * 10},
}


@pytest.mark.parametrize("absurd", ABSURD)
async def test_a_proof_that_proves_nothing_is_none(files, absurd, tmp_path):
    path = changed(files["F16"].file, tmp_path / "other.gguf", **ABSURD[absurd])

    with pytest.raises(ModelError, match="carries no proof"):
        async with llamacpp.opened(tmp_path, path=path, context=512, require_proof=True):
            pass

    assert told((path,)) == "not proven equal to what was trained"


async def test_another_base_is_no_base_of_an_adapter(files, tmp_path):
    other = random_models.make(tmp_path / "other", "qwen2", seed=7)
    (made,) = await exports.exported(exports.task(tmp_path / "out", other, None), files=["F16"])
    task = exports.task(tmp_path / "again", exports.base("qwen2"), exports.adapter("qwen2"))

    with pytest.raises(NotProven, match=r"adapter with .*% of the likeliest tokens"):
        await exports.exported(task, base_gguf=made.file, min_agreement=0.5)
    with pytest.raises(ModelError, match="goes on otherwise with this base"):
        async with llamacpp.opened(
            tmp_path, path=made.file, lora={"a": files["adapter"].file}, context=512
        ):
            pass


async def test_an_adapter_knows_what_the_file_of_its_base_does_not_say(files, tmp_path):
    plain = tmp_path / "plain.gguf"
    reader = gguf.GGUFReader(files["adapter"].section["path"])
    writer = gguf.GGUFWriter(plain, "qwen2")
    copy_with_new_metadata(reader, writer, {}, ["citewell.normalizer", KEY])

    async with llamacpp.opened(
        tmp_path, path=plain, lora={"a": files["adapter"].file}, context=512, require_proof=True
    ) as model:
        _, usage = await llamacpp.written(model, llamacpp.prompt(constraint=None, passages=()))

    assert usage.output_tokens > 0


async def test_an_adapter_that_learnt_nothing_is_not_proven(tmp_path):
    learnt = random_models.adapt(exports.base("qwen2"), tmp_path / "lora", scale=1e-4)
    task = exports.task(tmp_path / "out", exports.base("qwen2"), learnt)

    with pytest.raises(NotProven, match="from one that learnt nothing"):
        await exports.exported(task)

    assert not list(task.out.glob("*.gguf"))


async def test_a_template_that_tells_the_date_stays_proven(tmp_path, monkeypatch):
    folder = shutil.copytree(exports.base("qwen2"), tmp_path / "base")
    template = "{{ strftime_now('%d %b %Y') }}\n" + random_models.CHATML
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    (made,) = await exports.exported(exports.task(tmp_path / "out", folder, None), files=["F16"])
    monkeypatch.setenv("TZ", "AAA-23")

    async with llamacpp.opened(tmp_path, path=made.file, context=512, require_proof=True) as model:
        _, usage = await llamacpp.written(model, llamacpp.prompt(constraint=None, passages=()))

    assert usage.output_tokens > 0


async def test_giving_up_an_adapter_leaves_the_answers_of_others(files, tmp_path):
    settings = {"path": files["adapter"].section["path"], "context": 2048, "conversations": 1}
    asked = llamacpp.prompt(constraint=None, passages=(), max_output_tokens=1500)

    async with (
        llamacpp.opened(tmp_path, **settings) as model,
        aclosing(model.generate(asked)) as it,
    ):
        await anext(it)
        # The one conversation is taken, so the adapter has to wait to be asked.
        opening = llamacpp.opened(tmp_path, **settings, lora={"a": files["adapter"].file})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), opening:
                pass
        items = [one async for one in it]

    assert items[-1].output_tokens > 1


@pytest.mark.parametrize("content", [b"[1, 2]", b"[" * 100_000, b"{", b'{"a": 1}'])
def test_a_memory_that_cannot_be_read_is_begun_anew(content, tmp_path):
    (tmp_path / "proven.json").write_bytes(content)

    memory = Memory(tmp_path)
    memory.note("a", "b")

    assert Memory(tmp_path).has("a", "b")


async def test_another_chat_template_is_refused(files, tmp_path):
    template = tmp_path / "template.jinja"
    template.write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}", encoding="utf-8")

    with pytest.raises(ModelError, match="lays out conversations otherwise"):
        async with llamacpp.opened(
            tmp_path, path=files["F16"].file, chat_template=template, context=512
        ):
            pass


async def test_an_adapter_for_another_base_is_refused(files, tmp_path):
    other = random_models.make(tmp_path / "other", "qwen2", seed=7, hidden_size=128)
    learnt = random_models.adapt(other, tmp_path / "lora")
    task = exports.task(tmp_path / "out", exports.base("qwen2"), learnt)

    with pytest.raises(TrainingError, match=r"is this the base|size mismatch"):
        await exports.exported(task, files=["F16"])

    assert [one.name for one in task.out.iterdir()] == ["export-log.txt"]


BROKEN = {
    "no weights": ("adapter_model.safetensors", None, "has no adapter_model.safetensors"),
    "half weights": ("adapter_model.safetensors", b"\x10\0\0\0", "cannot be read"),
    "no settings": ("adapter_config.json", None, "expected a folder that PEFT saved"),
    "no JSON": ("adapter_config.json", b"{", "is no JSON"),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_adapter_is_refused(broken, tmp_path):
    name, content, said = BROKEN[broken]
    learnt = shutil.copytree(exports.adapter("qwen2"), tmp_path / "lora")
    if content is None:
        (learnt / name).unlink()
    else:
        (learnt / name).write_bytes(content)
    task = exports.task(tmp_path / "out", exports.base("qwen2"), learnt)

    with pytest.raises(TrainingError, match=said):
        await exports.exported(task)

    assert not list(task.out.glob("*.gguf"))


def test_a_file_of_the_base_that_is_not_there_is_told_before_anything_is_made(tmp_path):
    (tmp_path / "there.gguf").touch()

    faults = [*check(GgufConfig(base_gguf="gone.gguf"), tmp_path, tmp_path)]

    assert [name for name, _ in faults] == ["base_gguf"]
    assert faults[0][1].startswith(f"{tmp_path}/gone.gguf is not there; expected a GGUF file")
    assert not [*check(GgufConfig(base_gguf="there.gguf"), tmp_path, tmp_path)]
    assert not [*check(GgufConfig(), tmp_path, tmp_path)]


async def test_what_no_file_can_say_is_refused_by_name(tmp_path):
    learnt = shutil.copytree(exports.adapter("qwen2"), tmp_path / "lora")
    path = learnt / "adapter_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | {"use_dora": True}), encoding="utf-8")
    task = exports.task(tmp_path / "out", exports.base("qwen2"), learnt)

    with pytest.raises(TrainingError, match="use_dora is True, which no GGUF adapter can say"):
        await exports.exported(task)


async def test_an_unknown_family_is_refused_by_name(tmp_path):
    folder = shutil.copytree(exports.base("qwen2"), tmp_path / "base")
    path = folder / "config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | {"architectures": ["MambaForCausalLM"]}))
    task = exports.task(tmp_path / "out", folder, None)

    with pytest.raises(TrainingError, match="MambaForCausalLM was not proven"):
        await exports.exported(task, files=["F16"])


async def test_a_quantised_file_that_lost_too_much_is_refused(tmp_path):
    task = exports.task(tmp_path / "out", exports.base("qwen2"), None)

    with pytest.raises(NotProven, match=r"Q4_K_M: \d+% of the likeliest tokens"):
        await exports.exported(task, files=["Q4_K_M"], min_agreement=0.99)

    assert [one.name for one in task.out.iterdir()] == ["export-log.txt"]


@pytest.mark.parametrize("moment", [1, 2, 3])
async def test_an_export_that_is_killed_leaves_no_file_that_could_be_loaded(moment, tmp_path):
    task = exports.task(tmp_path / "out", exports.base("qwen2"), exports.adapter("qwen2"))

    with pytest.raises(TrainingError, match="was killed"):
        await _killed_at(moment, task)

    assert not list(task.out.glob("*.gguf"))
    again = await exports.exported(task, files=["F16"])
    assert [one.name for one in task.out.iterdir() if one.name != "export-log.txt"] == [
        again[0].file.name
    ]


async def _killed_at(moment, task):
    config = GgufConfig(files=["F16"], threads=1)
    async with build(config, exports.context_in(task.out)) as exporter:
        seen = 0
        async with aclosing(exporter.export(task)) as events:
            async for event in events:
                if isinstance(event, Exporting) and seen == moment:
                    _kill_children()
                seen += 1


def _kill_children():
    for child in psutil.Process().children():
        if "citewell_llamacpp.export.child" in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
