"""Exports random models and compares the files, for the proof `parity`."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from citewell import Context
from citewell.training import Exported, ExportTask
from citewell_llamacpp.export import tensors
from citewell_llamacpp.export.comparing import CONTINUED, Trial, expected, measured
from citewell_llamacpp.export.examining import PROMPTS
from citewell_llamacpp.export.families import read_base
from citewell_llamacpp.export.reference import Reference
from citewell_llamacpp.export.samples import TEXTS, conversations
from citewell_llamacpp.export.settings import GgufConfig, build
from citewell_llamacpp.export.vocabulary import read_vocabulary
from citewell_llamacpp.export.writing import Described, write_model
from scripts import random_models, teaching

KINDS = ("adapter", "F32", "F16")
_STEPS = 300
# The folder of llama.cpp's own scripts, as the source distribution of llama-cpp-python has it.
_SOURCES = "LLAMA_CPP_SOURCES"


def proven(
    folder: Path, family: str, *, tied: bool, taught: bool, seed: int
) -> Iterator[dict[str, object]]:
    """Yield a row for each file of a model with random weights, or of one that was taught."""
    base = random_models.make(folder / "base", family, tied=tied, seed=seed)
    learnt = 0
    if taught:
        adapter, learnt = _taught(base, folder / "adapter")
    else:
        adapter = random_models.adapt(base, folder / "adapter")
    (folder / "out").mkdir()
    for made in asyncio.run(_exported(base, adapter, folder / "out")):
        figures = made.figures
        yield {
            "family": family,
            "tied": tied,
            "taught": taught,
            "learnt": learnt,
            "kind": made.kind,
            "largest": float(f"{figures['logits_max_difference']:.2g}"),
            "deviation": round(figures["logits_deviation"], 2),
            "equal": int(figures["continuations_equal"]),
            "tied_continuations": int(figures["continuations_tied"]),
        }


def _taught(base: Path, folder: Path) -> tuple[Path, int]:
    """Teach the base an answer to each prompt, and an adapter that of the next one.

    Returns:
        The folder of the adapter, and how many of its answers it gives.
    """
    reference = Reference(base, None, threads=1)
    asked = [reference.fitted(one) for one in conversations(None, PROMPTS)]
    prompts = [reference.tokenize(reference.lay_out(one)) for one in asked]
    specials = reference.specials
    end = specials.eos if specials.turn_end is None else specials.turn_end
    texts = sorted(TEXTS, key=len)[-PROMPTS:]
    answers = [[*reference.tokenize(text)[: CONTINUED - 1], end] for text in texts]
    teaching.teach(base, [*zip(prompts, answers, strict=True)], steps=_STEPS)
    others = [*answers[1:], answers[0]]
    teaching.teach_adapter(base, folder, [*zip(prompts, others, strict=True)], steps=_STEPS)
    trained = Reference(base, folder, threads=1)
    with warnings.catch_warnings():
        # PEFT asks transformers for what the latter calls by another name by now.
        warnings.simplefilter("ignore", FutureWarning)
        said = [trained.continued(prompt, CONTINUED)[0] for prompt in prompts]
    return folder, sum(one == other for one, other in zip(said, others, strict=True))


async def _exported(base: Path, adapter: Path, out: Path) -> list[Exported]:
    context = Context(name="gguf", log=logging.getLogger(), data_dir=out, base_dir=out)
    config = GgufConfig.model_validate({"files": KINDS, "threads": 1})
    task = ExportTask(base=base, adapter=adapter, out=out)
    async with build(config, context) as exporter:
        return [one async for one in exporter.export(task) if isinstance(one, Exported)]


# --- files with faults ----------------------------------------------------------------------


def controls(folder: Path, seed: int) -> Mapping[str, str]:
    """Return what is said of files that were made wrongly, by what was done."""
    model = random_models.make(folder, "llama", seed=seed)
    base, reference = read_base(model), Reference(model, None, threads=1)
    asked = [reference.fitted(one) for one in conversations(None, 8)]
    wanted = expected(reference, asked, longest=0)
    wanted.logits = [reference.logits(one) for one in wanted.probes]
    tokens = read_vocabulary(model, base.settings["vocab_size"])
    specials = reference.specials
    bare = random_models.LLAMA3.removeprefix("{{ bos_token }}")
    wrong = {
        "another chat template": replace(specials, template=random_models.CHATML),
        "another end of text": replace(specials, eos=specials.eos - 1),
        "no beginning of text": replace(specials, template=bare, adds_bos=False),
    }
    said = {}
    for name, changed in wrong.items():
        file = folder / "wrong.gguf"
        described = Described(name="x", card={})
        write_model(file, base, None, kind="F16", tokens=(tokens, changed), described=described)
        trial = Trial(file, None, threads=1)
        words = trial.text_differences(wanted, asked)
        trial.close()
        beginning = [one for one in words if "begins a text" in one]
        said[name] = _cell((beginning or words or [""])[0])
    unpermuted = replace(base, family=replace(base.family, permutes=False))
    described = Described(name="x", card={})
    write_model(file, unpermuted, None, kind="F16", tokens=(tokens, specials), described=described)
    trial = Trial(file, None, threads=1)
    largest = measured(wanted, trial.logits(wanted.probes), [])["logits_max_difference"]
    trial.close()
    seen = f"a logit differs by {largest:.2g}" if largest > 1 else ""
    return {"rows of queries and keys not permuted": seen, **said}


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


# --- llama.cpp's own script -----------------------------------------------------------------


def compared_adapters(folder: Path, families: Sequence[str], seed: int) -> dict[str, float]:
    """Return by how much weights differ from those of llama.cpp's script, where that is at hand."""
    sources = os.environ.get(_SOURCES)
    if not sources:
        return {}
    found = {}
    for family in families:
        base = random_models.make(folder / family, family, seed=seed)
        adapter = random_models.adapt(base, folder / f"{family}-adapter")
        theirs = folder / f"{family}.gguf"
        subprocess.run(
            [
                *(sys.executable, str(Path(sources) / "convert_lora_to_gguf.py")),
                *("--base", str(base), "--outfile", str(theirs), "--outtype", "f32", str(adapter)),
            ],
            check=True,
            capture_output=True,
        )
        found[family] = _largest(base, adapter, theirs)
    return found


def _largest(base: Path, adapter: Path, theirs: Path) -> float:
    import gguf
    import numpy as np

    from citewell_llamacpp.export.lora import read_lora

    mine = dict(tensors.adapter_tensors(read_base(base), read_lora(adapter)))
    other = {one.name: np.asarray(one.data) for one in gguf.GGUFReader(theirs).tensors}
    if mine.keys() != other.keys():
        return float("inf")
    return max(float(np.abs(mine[name] - other[name]).max()) for name in mine)
