"""Builds trainers of TRL as the plugin does, and prints as JSON what they would learn from.

It stands in a process of its own: what it imports warns, and stays.
"""

import json
import sys
from pathlib import Path

from msgspec.structs import replace
from transformers import TrainerCallback

from citewell.children import ChildFailed
from citewell.training import ExampleKind
from citewell_trl import learning
from citewell_trl.fitting import Lesson, learner_for, load_tokenizer, machine_for, trainer_for
from citewell_trl.learning import Ready
from citewell_trl.lengths import fitting
from citewell_trl.planning import plan_for
from citewell_trl.rows import read_rows
from citewell_trl.settings import TrlConfig

KINDS = {"sft": "chat", "text": "text", "dpo": "preference", "kto": "vote"}


def learnt(trainer, tokenizer):
    """Return what counts in the loss and what does not, decoded, by part of a batch."""
    batch = trainer.data_collator([trainer.train_dataset[0]])
    ids = batch["input_ids"]
    mask = batch["completion_mask"] if "completion_mask" in batch else batch["labels"] != -100
    return [
        {
            "learnt": tokenizer.decode(row[counts.bool()]),
            "read": tokenizer.decode(row[~counts.bool()]),
        }
        for row, counts in zip(ids, mask, strict=True)
    ]


def lesson(base, folder, name):
    kind = ExampleKind(KINDS[name])
    config = TrlConfig(method="sft" if name == "text" else name, threads=1)
    machine = machine_for(config)
    tokenizer = load_tokenizer(base, kind, None)
    path = folder / f"{name}.jsonl"
    fit = fitting(read_rows(path, kind), tokenizer, path=path, limit=200)
    plan = plan_for(config, len(fit.rows), validates=False)
    trainer = trainer_for(
        config,
        Lesson(rows=fit.rows, validation=None, plan=plan),
        learner_for(config, base, tokenizer, machine),
        out=folder / "out",
        callback=TrainerCallback(),
    )
    return {
        "rows": learnt(trainer, tokenizer),
        "tokens": fit.tokens,
        "arguments": trainer.args.to_dict(),
    }


def refusal(act):
    """Return what `act` says that is wrong."""
    try:
        act()
    except ChildFailed as error:
        return str(error)
    return ""


def notices(base, rows, **settings):
    """Return what is said of a training with such examples."""
    config = TrlConfig(**settings)
    machine = machine_for(config)
    fit = replace(
        fitting(rows, load_tokenizer(base, ExampleKind.VOTE, None), path=base, limit=99),
        unlike=1,
        endless=1,
    )
    plan = plan_for(config, len(rows), validates=False)
    ready = Ready(
        machine=machine, tokenizer=None, learnt=fit, tried=replace(fit, too_long=3), plan=plan
    )
    return list(learning._notices(ready))


def main():
    base, folder = map(Path, sys.argv[1:])
    untemplated = folder / "untemplated"
    tokenizer = load_tokenizer(base, ExampleKind.CHAT, None)
    found = {name: lesson(base, folder, name) for name in KINDS}
    named = TrlConfig(lora={"targets": ["q_proj", "qproj"]})
    machine = machine_for(TrlConfig(threads=1))
    chat = read_rows(folder / "sft.jsonl", ExampleKind.CHAT)
    odd = TrlConfig(chat_template=folder / "refusing.jinja")
    own = load_tokenizer(untemplated, ExampleKind.CHAT, folder / "own.jinja")
    refusing = load_tokenizer(base, ExampleKind.CHAT, odd.chat_template)
    path = folder / "sft.jsonl"
    acts = {
        "targets": lambda: learner_for(named, base, None, machine),
        "lacking": lambda: learner_for(TrlConfig(), folder / "lacking", None, machine),
        "untemplated": lambda: load_tokenizer(untemplated, ExampleKind.CHAT, None),
        "text needs none": lambda: load_tokenizer(untemplated, ExampleKind.TEXT, None),
        "too long": lambda: fitting(chat, tokenizer, path=path, limit=9),
        "refused": lambda: fitting(chat, refusing, path=path, limit=99),
    }
    found |= {name: refusal(act) for name, act in acts.items()}
    found["own"] = own.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    votes = read_rows(folder / "kto.jsonl", ExampleKind.VOTE)
    found["notices"] = notices(base, votes[:1], method="kto", threads=2)
    sys.stdout.write(json.dumps(found, default=str))


main()
