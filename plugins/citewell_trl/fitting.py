"""The model, its tokenizer and the trainer of TRL that fits it; imported in the process alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_caching, disable_progress_bars
from msgspec import Struct
from peft import LoraConfig as PeftLoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

from citewell.children import ChildFailed
from citewell.training import ExampleKind
from citewell_trl.planning import Plan
from citewell_trl.rows import Columns
from citewell_trl.settings import Method, TrlConfig

_TRAINERS: dict[Method, tuple[Any, Any]] = {
    "sft": (SFTConfig, SFTTrainer),
    "dpo": (DPOConfig, DPOTrainer),
    "kto": (KTOConfig, KTOTrainer),
}


class Machine(Struct, frozen=True, kw_only=True):
    """What computes.

    Attributes:
        name: like `cpu` or `cuda:0 NVIDIA H200`.
        repeats: it gives the same result, bit for bit, each time.
        dtype: of the weights that do not learn.
    """

    name: str
    is_gpu: bool
    repeats: bool
    dtype: Any


class Learner(Struct, frozen=True, kw_only=True):
    """What learns, and where."""

    model: Any
    tokenizer: Any
    machine: Machine


class Lesson(Struct, frozen=True, kw_only=True):
    """What is learnt from.

    Attributes:
        validation: examples that are not; None without any.
    """

    rows: Sequence[Columns]
    validation: Sequence[Columns] | None
    plan: Plan


def machine_for(config: TrlConfig) -> Machine:
    """Return what computes here, and make it ready.

    Raises:
        ChildFailed: it does not have the precision that is asked for.
    """
    disable_caching()
    disable_progress_bars()
    if torch.cuda.is_available():
        name = f"cuda:0 {torch.cuda.get_device_name(0)}"
        return Machine(name=name, is_gpu=True, repeats=False, dtype=_gpu_dtype(config, name))
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    return Machine(
        name="cpu",
        is_gpu=False,
        repeats=torch.get_num_threads() == 1,
        dtype=torch.bfloat16 if config.precision == "bfloat16" else torch.float32,
    )


def _gpu_dtype(config: TrlConfig, name: str) -> Any:
    has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    if config.precision == "bfloat16" and not has_bfloat16:
        raise ChildFailed(
            f'{name} has no bfloat16, and precision = "bfloat16"; expected "float32": set that'
        )
    return torch.bfloat16 if has_bfloat16 and config.precision != "float32" else torch.float32


def load_tokenizer(base: Path, kind: ExampleKind, template: Path | None) -> Any:
    """Return the tokenizer of a model, with the chat template that is learnt with.

    Raises:
        ChildFailed: it has none, or no token that ends what the model writes.
    """
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    if template is not None:
        tokenizer.chat_template = _text_of(template)
    if kind is not ExampleKind.TEXT and not tokenizer.chat_template:
        raise ChildFailed(
            f"{base}: has no chat template, so nothing says how it reads messages; expected one in "
            "chat_template.jinja: take the instruct variant of the model, or set chat_template"
        )
    if tokenizer.eos_token_id is None:
        raise ChildFailed(
            f"{base}: names no token that ends what the model writes; expected eos_token in "
            "tokenizer_config.json: add it"
        )
    return tokenizer


def learner_for(config: TrlConfig, base: Path, tokenizer: Any, machine: Machine) -> Learner:
    """Return the model with what it reads by.

    Raises:
        ChildFailed: weights or modules are missing.
    """
    model = _model(base, machine)
    _check_targets(model, config)
    return Learner(model=model, tokenizer=tokenizer, machine=machine)


def _model(base: Path, machine: Machine) -> Any:
    model, report = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=machine.dtype,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
    )
    missing = sorted(report["missing_keys"])
    if missing:
        raise ChildFailed(
            f"{base}: its weights lack {missing[0]} and {len(missing) - 1} others, which would be "
            "random; fetch them again"
        )
    return model


def _check_targets(model: Any, config: TrlConfig) -> None:
    if config.lora.targets == "all-linear":
        return
    known = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings()
    }
    for name in config.lora.targets:
        if name not in known:
            raise ChildFailed(
                f'targets names "{name}", which the layers of the model do not have; expected some '
                f"of {', '.join(sorted(known))}"
            )


def trainer_for(
    config: TrlConfig,
    lesson: Lesson,
    learner: Learner,
    *,
    out: Path,
    callback: TrainerCallback,
    in_order: bool = False,
) -> Any:
    """Return the trainer of TRL, which computes each loss on the answers alone.

    Args:
        config: how it learns.
        lesson: what it learns from.
        learner: what learns, and where.
        out: folder for checkpoints.
        callback: follows it.
        in_order: take the examples as they come; else each epoch in an order of its own.
    """
    arguments, trainer = _TRAINERS[config.method]
    settings = _arguments(config, lesson.plan, learner.machine, out)
    if in_order or config.method == "kto":
        # With KTO, TRL compares neighbours, and takes no other order.
        settings["train_sampling_strategy"] = "sequential"
    return trainer(
        model=learner.model,
        args=arguments(**settings, **_of_method(config, lesson.rows)),
        train_dataset=Dataset.from_list(list(lesson.rows)),
        eval_dataset=Dataset.from_list(list(lesson.validation)) if lesson.validation else None,
        processing_class=learner.tokenizer,
        peft_config=_adapter(config),
        callbacks=[callback],
    )


def _arguments(config: TrlConfig, plan: Plan, machine: Machine, out: Path) -> dict[str, Any]:
    return {
        "output_dir": str(out),
        "max_steps": plan.steps,
        "per_device_train_batch_size": config.batch_size,
        "per_device_eval_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulate,
        "learning_rate": config.rate,
        "lr_scheduler_type": config.schedule
        if config.schedule != "constant"
        else "constant_with_warmup",
        "warmup_steps": int(config.warmup * plan.steps),
        "weight_decay": config.weight_decay,
        "seed": config.seed,
        "data_seed": config.seed,
        "bf16": machine.dtype is torch.bfloat16,
        "gradient_checkpointing": config.gradient_checkpointing,
        # What is too long was left out: a cut example would teach to stop, or to begin, anywhere.
        "max_length": None,
        "use_cpu": not machine.is_gpu,
        "dataloader_pin_memory": machine.is_gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        # `Watch` decides on these.
        "eval_strategy": "no",
        "save_strategy": "no",
        "report_to": [],
        "push_to_hub": False,
    }


def _of_method(config: TrlConfig, rows: Sequence[Columns]) -> dict[str, Any]:
    if config.method == "sft":
        return {"packing": False}
    if config.method == "dpo":
        return {"beta": config.beta}
    good = sum(bool(row["label"]) for row in rows)
    bad = len(rows) - good
    # The rarer votes count as much as the others. Source: Ethayarajh et al. 2024, equation 8.
    return {
        "beta": config.beta,
        "desirable_weight": max(1.0, bad / good) if good and bad else 1.0,
        "undesirable_weight": max(1.0, good / bad) if good and bad else 1.0,
    }


def _adapter(config: TrlConfig) -> PeftLoraConfig:
    lora = config.lora
    return PeftLoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        use_rslora=lora.rslora,
        bias="none",
    )


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ChildFailed(
            f"{path}: the chat template cannot be read: {error}; expected a file of Jinja: check "
            "chat_template"
        ) from error
