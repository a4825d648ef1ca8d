"""Questions of an evaluation that a model was tuned on: it may know the answers by heart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from citewell.engine.citing.words import words
from citewell.evaluation.training import training_texts
from citewell.types.evaluation import EvalItem

SIMILAR = 0.9
"""Of token sets, from 0 to 1; from here on two questions are taken for one."""

_FEWEST_WORDS = 3
_LONGEST = 60
"""A longer stretch is no question; that it contains one is all that is looked for."""

_UNLIKE = 0.67
"""Of two stretches, the shorter has at least so many of the other's words; or any two words would
be like every question that has both."""

_SHARED = 0.5
_STEM = 4
_COMMON = 0.02
_FEW = 5
_SHOWN_CHARS = 200
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
_TOKEN = re.compile(r"\w+")
_STRETCH = re.compile(r"[\r\n]+|(?<=[.?!])\s+")


class Leak(Struct, frozen=True, kw_only=True):
    """A question that stands in tuning data.

    Attributes:
        id: of the question.
        line: of the example in `file`, from 1.
        text: of the example, cut where it is long.
        similarity: 1 where it stands there word for word, else of the token sets.
    """

    id: str
    question: str
    file: Path
    line: int
    text: str
    similarity: float


class _Known(Struct, frozen=True):
    """A question of the evaluation.

    Attributes:
        telling: words of it without which another question asks for something else: numbers, and
            names as far as capital letters tell.
    """

    item: EvalItem
    plain: str
    words: frozenset[str]
    telling: frozenset[str]

    @classmethod
    def of(cls, item: EvalItem) -> _Known:
        """Read a question."""
        plain, words = _plain(item.question)
        telling = {
            one.lower()
            for at, one in enumerate(_TOKEN.findall(item.question))
            if any(map(str.isdigit, one)) or (at and one[:1].isupper())
        }
        return cls(item, plain, words, words.intersection(telling))


def leaks(
    questions: Sequence[EvalItem],
    files: Iterable[Path],
    told: Callable[[int, int], None] | None = None,
) -> list[Leak]:
    """Return where questions stand in tuning data, in the order of files and lines.

    A question is looked for word for word in every text, and among the lines and sentences of
    texts for one that is alike; of an example the most alike is told.

    Args:
        questions: of the evaluation.
        files: that a model was tuned on; see `training_texts`.
        told: given how many files are read, of how many.

    Raises:
        ConfigError: a file cannot be read.
    """
    looking = Lookout(questions)
    paths = [*files]
    found: list[Leak] = []
    for number, path in enumerate(paths, 1):
        best: dict[tuple[str, int], Leak] = {}
        for line, text in training_texts(path):
            for item, similarity in looking.found_in(text):
                key = item.id or item.question, line
                if key not in best or best[key].similarity < similarity:
                    best[key] = _leak(item, path, line, text, similarity)
        found += best.values()
        if told is not None:
            told(number, len(paths))
    return found


def _leak(item: EvalItem, path: Path, line: int, text: str, similarity: float) -> Leak:
    return Leak(
        id=item.id,
        question=item.question,
        file=path,
        line=line,
        text=" ".join(text.split())[:_SHOWN_CHARS],
        similarity=similarity,
    )


class Lookout:
    """Questions of an evaluation, to be looked for in texts.

    They are kept by their rarer words, so that few are compared with each text.
    """

    def __init__(self, questions: Sequence[EvalItem]) -> None:
        self._known = [*map(_Known.of, questions)]
        counts = Counter(word for known in self._known for word in known.words)
        most = max(_FEW, round(len(questions) * _COMMON))
        self._by_word: dict[str, list[int]] = {}
        self._rare: list[int] = []
        for index, known in enumerate(self._known):
            # Where all of its words are common, they have to do.
            rare = [word for word in known.words if counts[word] <= most] or [*known.words]
            self._rare.append(len(rare))
            for word in rare:
                self._by_word.setdefault(word, []).append(index)
        self._seen: dict[str, list[tuple[int, float]]] = {}

    def found_in(self, text: str) -> Iterator[tuple[EvalItem, float]]:
        """Yield the questions that `text` holds, with how alike they are."""
        read = map(_plain, _STRETCH.split(text))
        stretches = [(plain, present) for plain, present in read if plain]
        exact = set(self._contained(stretches))
        yield from ((self._known[index].item, 1.0) for index in sorted(exact))
        for plain, present in stretches:
            for index, similarity in self._alike(plain, present):
                if index not in exact:
                    yield self._known[index].item, similarity

    def _contained(self, stretches: Sequence[tuple[str, frozenset[str]]]) -> Iterator[int]:
        hits = self._hits(frozenset[str]().union(*(present for _, present in stretches)))
        if hits:
            whole = f" {' '.join(plain for plain, _ in stretches)} "
            for index, count in hits.items():
                if count == self._rare[index] and f" {self._known[index].plain} " in whole:
                    yield index

    def _hits(self, present: frozenset[str]) -> Counter[int]:
        """Count for each question how many of its rarer words are there."""
        shared = self._by_word.keys() & present
        return Counter(index for word in shared for index in self._by_word[word])

    def _alike(self, plain: str, present: frozenset[str]) -> list[tuple[int, float]]:
        if not _FEWEST_WORDS <= len(present) <= _LONGEST:
            return []
        # Prompts of one template repeat themselves in each example.
        if plain not in self._seen:
            found = [*self._compared(plain, present)]
            if len(self._seen) > 100_000:
                self._seen.clear()
            self._seen[plain] = found
        return self._seen[plain]

    def _compared(self, plain: str, present: frozenset[str]) -> Iterator[tuple[int, float]]:
        from rapidfuzz.fuzz import token_set_ratio

        for index, count in self._hits(present).items():
            known = self._known[index]
            sizes = sorted((len(known.words), len(present)))
            if not all(_is_told(word, present) for word in known.telling):
                continue
            if count < _SHARED * self._rare[index] or sizes[0] < _UNLIKE * sizes[1]:
                continue
            if sizes[0] >= _FEWEST_WORDS:
                score = token_set_ratio(known.plain, plain, score_cutoff=100 * SIMILAR)
                if score:
                    yield index, round(score / 100, 4)


def _is_told(word: str, present: frozenset[str]) -> bool:
    """Tell whether a word is among others, a name also in another form."""
    if word in present:
        return True
    stem = word[: max(_STEM, len(word) - 2)]
    is_name = not any(map(str.isdigit, word)) and len(word) > _STEM
    return is_name and any(one.startswith(stem) for one in present)


def _plain(text: str) -> tuple[str, frozenset[str]]:
    # Tuning data is long, and mostly plain.
    if text.isascii():
        found = [word.removesuffix("'s") for word in _ASCII_WORD.findall(text.lower())]
    else:
        found = [*words(text)]
    return " ".join(found), frozenset(found)
