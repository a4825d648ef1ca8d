"""Conversations of made-up words: what a user sends again with every question, and what is new."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from citewell import EVERYONE, Generation, Marks, Passage, Place, Placed, Prompt, Turn
from proofs.harness import ROOT

ANSWER_TOKENS = 64
CONTEXT = 2048

# 12 layers of 6.3 million weights, and twice 16,384 x 768 of the vocabulary: 100.7 million.
_SHAPE = {"width": 768, "layers": 12, "heads": 12, "kv-heads": 4, "vocabulary": 16_384, "seed": 7}
# Words that the model's tokenizer holds as one token each.
_WORDS = (
    "the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by",
    "on", "not", "he", "his", "but", "at", "are", "this", "have", "from", "or", "had", "an",
    "they", "which", "one", "you", "were", "all", "we", "there", "their", "has", "been",
)  # fmt: skip
_TURNS = 6
_WORDS_A_TURN = 110
_WORDS_A_PART = 30


def write_model(path: Path) -> None:
    """Write the model that all systems run."""
    shape = [f"--{name}={size}" for name, size in _SHAPE.items()]
    subprocess.run([sys.executable, ROOT / "scripts" / "random_gguf.py", path, *shape], check=True)


def prompts(user: int, *, count: int) -> list[Prompt]:
    """Return `count` prompts of one user.

    Each begins with the same 1,000 tokens, rules and conversation, and ends with some 200 others:
    two passages and a question.
    """
    words = random.Random(user)
    turns = tuple(
        Turn("assistant" if at % 2 else "user", _text(words, _WORDS_A_TURN)) for at in range(_TURNS)
    )
    return [_prompt(turns, words) for _ in range(count)]


def _prompt(turns: tuple[Turn, ...], words: random.Random) -> Prompt:
    passages = tuple(_passage(name, _text(words, _WORDS_A_PART)) for name in ("a", "b"))
    return Prompt(
        instructions="",
        turns=turns,
        passages=passages,
        question=_text(words, _WORDS_A_PART),
        refusal="The documents do not say.",
        constraint=Marks(len(passages)),
        generation=Generation(max_output_tokens=ANSWER_TOKENS, temperature=0.0),
    )


def _text(words: random.Random, count: int) -> str:
    return " ".join(words.choices(_WORDS, k=count))


def _passage(name: str, text: str) -> Passage:
    return Passage(
        id=name,
        document_id="library:made-up",
        title="",
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place(line=1)),),
        labels=frozenset({EVERYONE}),
    )
