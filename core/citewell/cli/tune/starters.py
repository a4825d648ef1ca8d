"""The recipes that `citewell tune init` writes: one for each kind of task."""

from __future__ import annotations

from typing import Literal, TypeAlias

from citewell.cli.starters import quoted

Task: TypeAlias = Literal["support", "classifier"]
TASKS: tuple[Task, ...] = ("support", "classifier")

_HEAD = {
    "support": """\
# A model that answers from passages, each sentence with its citation, or says that they do not say.
#
# Make the data of your own documents first, without those that an evaluation asks about:
#   citewell eval init --hold-out-docs 20%
#   citewell data build all.jsonl --keep-out questions.jsonl
#   citewell data split all.jsonl
""",
    "classifier": """\
# A model that sorts: each answer is one of some choices. With output_schema in their place it
# extracts, and each answer is JSON. Rows of the data look like this:
#   {"prompt": "My card was charged twice.", "completion": "billing"}
# What the model is told before each question is added to them, just as when people ask.
#
# Part your examples first, by what they are from: citewell data split all.jsonl --by FIELD
""",
}
_BASE = """\
# Check: citewell tune check FILE. What it will take: citewell tune estimate FILE.
# Train: citewell tune run FILE. Let it answer: citewell deploy RUN.

base = {base}            # a folder in the form of Hugging Face
# license = "apache-2.0"         # of the base, for the model card
# price_per_hour = 2.0           # of the machine; what it will cost is told before it begins
# currency = "EUR"

[data]
train = "all-train.jsonl"
validation = "all-validation.jsonl"
# questions = ["questions.jsonl"]  # of an evaluation, none of which may be learnt
"""
_FORM = """
[form]                           # as in the profile that the model will answer for
instructions = "Which team does this message belong to?"
choices = ["billing", "technical", "other"]
# output_schema = { type = "object", properties = { item = { type = "string" } } }
"""
_REST = """
[trainer]                        # pip install "citewell[train]"
use = "trl"
epochs = 3
learning_rate = 2e-4
patience = 3                     # ends early where the validation gets no better so often
# max_tokens = 2048              # longer examples are left out, and counted

[trainer.lora]
rank = 16
alpha = 32

[export]
use = "gguf"                     # an adapter over the base; what else: citewell plugins show gguf

[deploy]
model = {model}
"""


def recipe_text(task: Task, *, base: str) -> str:
    """Return the recipe for a kind of task, over the model in the folder `base`."""
    form = _FORM if task == "classifier" else ""
    head = _HEAD[task] + "#\n" + _BASE.format(base=quoted(base))
    return head + form + _REST.format(model=quoted("tuned" if task == "support" else task))
