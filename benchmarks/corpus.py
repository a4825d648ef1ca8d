"""Passages and questions, the same for every system, as files that each of them reads.

Where the data set MedQuAD is on this machine, its answers are the first passages and seeded
variations of them fill up the number; otherwise all is drawn from a seeded made-up vocabulary.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from proofs.harness import rows

SEED = 20
_CHANGED_SHARE = 0.15
_SECTIONS_A_FILE = 10


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where passages and questions are, one JSON object a line.

    Attributes:
        name: "MedQuAD" or "made up".
        passages: with `id` and `text`.
        questions: with `text`.
        count: of passages.
    """

    name: str
    passages: Path
    questions: Path
    count: int


def make(count: int, *, questions: int, folder: Path) -> Corpus:
    """Write a corpus of `count` passages to `folder`; the same arguments give the same files."""
    chosen = random.Random(SEED)
    root = Path(os.environ.get("CITEWELL_DATA", ""), "medquad_4k")
    known = (root / "corpus.jsonl").is_file()
    seeds = _texts(root / "corpus.jsonl", "text") if known else list(_made_up(4000, chosen))
    asked = _texts(root / "queries.jsonl", "query") if known else _asked(seeds, chosen)
    corpus = Corpus(
        "MedQuAD" if known else "made up",
        folder / f"passages-{count}.jsonl",
        folder / f"questions-{count}.jsonl",
        count,
    )
    _write(
        corpus.passages,
        ({"id": f"p{at}", "text": text} for at, text in enumerate(_padded(seeds, count, chosen))),
    )
    _write(corpus.questions, ({"text": text} for text in chosen.sample(asked, questions)))
    return corpus


def write_files(corpus: Corpus, folder: Path) -> int:
    """Write the passages as text files of ten paragraphs; return the number of files."""
    folder.mkdir(parents=True)
    texts = [entry["text"] for entry in rows(corpus.passages)]
    starts = range(0, len(texts), _SECTIONS_A_FILE)
    for at in starts:
        path = folder / f"{at // 1000:03}" / f"{at:06}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(texts[at : at + _SECTIONS_A_FILE]), encoding="utf-8")
    return len(starts)


def _padded(seeds: Sequence[str], count: int, chosen: random.Random) -> Iterator[str]:
    words = [word for text in seeds for word in text.split()]
    for at in range(count):
        seed = seeds[at % len(seeds)]
        yield seed if at < len(seeds) else _varied(seed, words, chosen)


def _varied(text: str, words: Sequence[str], chosen: random.Random) -> str:
    """Return `text` with its sentences in another order and some of its words replaced."""
    sentences = text.split(". ")
    chosen.shuffle(sentences)
    return " ".join(
        chosen.choice(words) if chosen.random() < _CHANGED_SHARE else word
        for word in ". ".join(sentences).split()
    )


def _made_up(count: int, chosen: random.Random) -> Iterator[str]:
    syllables = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]
    vocabulary = ["".join(chosen.choices(syllables, k=chosen.randint(1, 4))) for _ in range(20_000)]
    # Words of a language occur about as often as one over their rank (Zipf 1935).
    weights = list(accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    for _ in range(count):
        words = chosen.choices(vocabulary, cum_weights=weights, k=chosen.randint(60, 200))
        sentences = (" ".join(words[at : at + 12]) for at in range(0, len(words), 12))
        yield ". ".join(sentences) + "."


def _asked(texts: Sequence[str], chosen: random.Random) -> list[str]:
    return [
        f"what is {' '.join(chosen.sample(text.replace('.', '').split(), 5))}?"
        for text in chosen.sample(texts, 400)
    ]


def _texts(path: Path, key: str) -> list[str]:
    return [entry[key] for entry in rows(path)]


def _write(path: Path, entries: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for entry in entries:
            file.write(json.dumps(entry) + "\n")
