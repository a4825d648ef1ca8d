"""Teaches small random models how to go on behind prompts, each its own way.

What they write is then likely, where that of random weights is nearly a draw at each token.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

_BATCH = 8
_RATE = 4e-3
_PADDING = -100

Lesson = tuple[Sequence[int], Sequence[int]]
"""The tokens of a prompt, and those that stand behind it."""


def teach(base: Path, lessons: Sequence[Lesson], *, steps: int) -> None:
    """Teach a model in its own folder."""
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    _learn(model, lessons, steps)
    model.save_pretrained(base)


def teach_adapter(base: Path, folder: Path, lessons: Sequence[Lesson], *, steps: int) -> Path:
    """Write a LoRA adapter that learnt other lessons than its base, and return its folder."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(
        r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", lora_dropout=0.0
    )
    with warnings.catch_warnings():
        # PEFT asks transformers for what the latter calls by another name by now.
        warnings.simplefilter("ignore", FutureWarning)
        adapted = get_peft_model(model, config)
    _learn(adapted, lessons, steps)
    adapted.save_pretrained(folder)
    return folder


def _learn(model: Any, lessons: Sequence[Lesson], steps: int) -> None:
    learner = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(learner, max_lr=_RATE, total_steps=steps)
    model.train()
    for _ in range(steps):
        drawn = torch.randperm(len(lessons))[:_BATCH].tolist()
        tokens, labels = _padded([lessons[at] for at in drawn])
        model(input_ids=tokens, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        learner.step()
        schedule.step()
        learner.zero_grad()
    model.eval()


def _padded(lessons: Sequence[Lesson]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens, and labels for those behind the prompts; padding is behind both."""
    longest = max(len(prompt) + len(behind) for prompt, behind in lessons)
    tokens = torch.zeros((len(lessons), longest), dtype=torch.long)
    labels = torch.full((len(lessons), longest), _PADDING)
    for row, (prompt, behind) in enumerate(lessons):
        end = len(prompt) + len(behind)
        tokens[row, :end] = torch.tensor([*prompt, *behind])
        labels[row, len(prompt) : end] = torch.tensor(behind)
    return tokens, labels
