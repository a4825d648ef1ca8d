"""What trainers and exporters are given, and what they tell while they work."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, field


class ExampleKind(StrEnum):
    """What an example teaches; a file holds examples of one kind.

    In files for trainers a line is a JSON object: of `CHAT` with `messages`, whose last one is the
    answer; of `TEXT` with `text`; of `PREFERENCE` with `prompt`, `chosen` and `rejected`; of `VOTE`
    with `prompt`, `completion` and `label`. All but `text` and `label` are lists of messages, and a
    message has a `role` (system, user, assistant) and a `content`. Other keys tell where the
    example is from; nothing is learnt from them.
    """

    CHAT = "chat"
    TEXT = "text"
    PREFERENCE = "preference"
    VOTE = "vote"


class TrainingTask(Struct, frozen=True, kw_only=True):
    """What a trainer is given.

    Attributes:
        base: folder of the model that learns, in the form of Hugging Face: `config.json`, the
            tokenizer, weights as safetensors.
        kind: of the examples.
        examples: file of them.
        validation: the same, never learnt from; None where there is none.
        out: folder of the trainer's own, which exists; what it needs to go on stands there.
    """

    base: Path
    kind: ExampleKind
    examples: Path
    validation: Path | None = None
    out: Path


class Estimate(Struct, frozen=True, kw_only=True):
    """What a training will take, from some steps that were measured.

    Attributes:
        steps: of the whole training, at most.
        measured: steps that were measured.
        step_s: seconds of one step, the median.
        start_s: seconds until the first step.
        other_s: seconds of all trials on validation examples and all saves, at most.
        memory_bytes: at most, of all that the trainer needs, on a GPU where that computes.
        examples: that are learnt from.
        tokens: of these, once over all of them.
        too_long: examples that do not fit and are left out.
        device: that computes, like `cpu` or `cuda:0 NVIDIA H200`.
    """

    steps: int
    measured: int
    step_s: float
    start_s: float
    other_s: float = 0.0
    memory_bytes: int
    examples: int
    tokens: int
    too_long: int = 0
    device: str = "cpu"

    @property
    def seconds(self) -> float:
        """How long the training will take."""
        return self.start_s + self.steps * self.step_s + self.other_s


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """A training begins.

    Attributes:
        steps: of the whole training, at most.
        step: that it goes on behind; 0 where it begins.
        examples: that are learnt from.
        too_long: examples that do not fit and are left out.
        parameters: that are learnt.
        device: that computes.
        repeats: whether the same task and settings give the same adapter, byte for byte.
        notice: what whoever trains should know, in one line: why it began anew though it was to go
            on, or cannot be repeated exactly, or what is odd about the examples; else empty.
    """

    steps: int
    step: int = 0
    examples: int = 0
    too_long: int = 0
    parameters: int = 0
    device: str = "cpu"
    repeats: bool = True
    notice: str = ""


class Stepped(Struct, frozen=True, kw_only=True, tag=True):
    """Some steps were done.

    Attributes:
        step: the last of them.
        loss: the mean over them.
        learning_rate: of the last.
        tokens: that were learnt from so far, in this process.
        seconds: since `Started`.
    """

    step: int
    loss: float
    learning_rate: float
    tokens: int
    seconds: float


class Validated(Struct, frozen=True, kw_only=True, tag=True):
    """What was learnt so far was tried on the validation examples."""

    step: int
    loss: float


class Saved(Struct, frozen=True, kw_only=True, tag=True):
    """From here a training can go on, also after a power failure."""

    step: int


class Trained(Struct, frozen=True, kw_only=True, tag=True):
    """A training has ended.

    Attributes:
        adapter: folder with a LoRA adapter in the form of PEFT: `adapter_config.json` and
            `adapter_model.safetensors`.
        step: whose weights it holds; the best one on the validation examples, where there are some.
        stopped_early: why it ended before its last step; else empty.
    """

    adapter: Path
    step: int
    stopped_early: str = ""


TrainEvent: TypeAlias = Started | Stepped | Validated | Saved | Trained


class ExportTask(Struct, frozen=True, kw_only=True):
    """What an exporter is given.

    Attributes:
        base: folder of the model that learnt, as in `TrainingTask`.
        adapter: folder of what it learnt, as in `Trained`; None to export the base itself.
        samples: file of examples whose prompts the proof uses; None where there are none.
        out: folder that the files belong into, which exists.
        card: what the files shall say about themselves, by keys like `license` and `datasets`.
    """

    base: Path
    adapter: Path | None
    samples: Path | None = None
    out: Path
    card: Mapping[str, str] = {}


class Exporting(Struct, frozen=True, kw_only=True, tag=True):
    """An export has got so far.

    Attributes:
        said: what is done now, in a few words.
        done: parts that are done.
        total: parts there are.
    """

    said: str
    done: int
    total: int


class Exported(Struct, frozen=True, kw_only=True, tag=True):
    """A file is finished, and was proven equal to what was trained.

    Attributes:
        kind: what it is, in the exporter's words, like `adapter` or `Q8_0`.
        file: what a model loads.
        section: the model section of a config that uses it; paths are absolute.
        figures: of the proof, by name.
    """

    kind: str
    file: Path
    section: Mapping[str, Any]
    figures: Mapping[str, float] = field(default_factory=dict)


ExportEvent: TypeAlias = Exporting | Exported
