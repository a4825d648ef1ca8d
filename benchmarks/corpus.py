"""Passages and questions, the same for every system, as files that each of them reads.

Where the data set MedQuAD is on this machine, its answers are the first passages and seeded
variations of them fill up the number; otherwise all is drawn from a seeded made-up vocabulary. How
well systems find is measured on collections whose questions have known answers.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias

from citewell_embedded.terms import query_terms
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
        questions: with `text`, and the same without stopwords as `words`.
        count: of passages.
    """

    name: str
    passages: Path
    questions: Path
    count: int


def has_medquad() -> bool:
    """Tell whether MedQuAD is on this machine."""
    return Path(os.environ.get("CITEWELL_DATA", ""), "medquad_4k", "corpus.jsonl").is_file()


def make(count: int, *, questions: int, folder: Path) -> Corpus:
    """Write a corpus of `count` passages to `folder`; the same arguments give the same files."""
    chosen = random.Random(SEED)
    root = Path(os.environ.get("CITEWELL_DATA", ""), "medquad_4k")
    known = has_medquad()
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
    _write(corpus.questions, map(_question, chosen.sample(asked, questions)))
    return corpus


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection whose questions have known answers; files as those of a corpus.

    Attributes:
        relevant: ids of the passages that answer, by question.
    """

    passages: Path
    questions: Path
    relevant: tuple[frozenset[str], ...]


def judged(name: str, folder: Path) -> Judged | None:
    """Write the collection `name` to `folder`; None where it is not on this machine."""
    root = Path(os.environ.get("CITEWELL_DATA", ""), name)
    if not root.is_dir():
        return None
    passages, asked = _paragraphs(root) if name == "xquad_mini" else _texts_and_queries(root)
    found = Judged(
        folder / f"passages-{name}.jsonl",
        folder / f"questions-{name}.jsonl",
        tuple(relevant for _, relevant in asked),
    )
    _write(found.passages, ({"id": id_, "text": text} for id_, text in passages.items()))
    _write(found.questions, (_question(text) for text, _ in asked))
    return found


_Asked: TypeAlias = list[tuple[str, frozenset[str]]]


def _texts_and_queries(root: Path) -> tuple[dict[str, str], _Asked]:
    texts = {line["id"]: line["text"] for line in rows(root / "corpus.jsonl")}
    queries = rows(root / "queries.jsonl")
    return texts, [(line["query"], frozenset(line["relevant"])) for line in queries]


def _paragraphs(root: Path) -> tuple[dict[str, str], _Asked]:
    """Return the paragraphs of XQuAD, and its questions with the paragraph that answers each."""
    paragraphs = {
        f"{path.stem} {at}": text
        for path in sorted((root / "corpus").glob("*.md"))
        # The title comes first.
        for at, text in enumerate(path.read_text(encoding="utf-8").split("\n\n"), -1)
    }
    asked = [
        (line["question"], frozenset(f"{one['doc_id']} {one['paragraph']}" for one in evidence))
        for line in rows(root / "questions.jsonl")
        if (evidence := line.get("evidence"))
    ]
    return paragraphs, asked


def _question(text: str) -> dict[str, str]:
    """Return a question, with the words that are left of it when its stopwords are dropped.

    They are those that the retriever `lexical` drops, so that every system looks for the same.
    """
    words = query_terms(text, "en", stemming=False)
    return {"text": text, "words": " ".join(words) or text}


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
