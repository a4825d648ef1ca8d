"""Measures one search system, the same way in every environment: the standard library suffices.

A system is given passages in batches, makes them durable if it can, and answers questions with the
ids of ten passages whose texts it has at hand.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeAlias, TypedDict

LIMIT = 10
BATCH = 10_000
THREADS = 2
_THREADS_S = 3.0


class Passage(TypedDict):
    id: str
    text: str


class Question(TypedDict):
    """What is asked.

    Attributes:
        words: the same without stopwords, for systems that would look for them.
    """

    text: str
    words: str


class Answer(TypedDict):
    ms: float
    ids: list[str]


class System(Protocol):
    """A search system."""

    def add(self, passages: Sequence[Passage]) -> None:
        """Take passages."""
        ...

    def finish(self) -> None:
        """Make all of them findable."""
        ...

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Answer one question after another, with the time that each takes."""
        ...


class Measured(TypedDict):
    """What one process measures.

    Attributes:
        query_ms: of each question, by round.
        per_s: questions a second of two threads.
        disk_mb: of the folder that the system was given.
        peak_mb: the most memory that the process had, from the first passage to the last question.
        found: ids by question.
    """

    build_s: float
    query_ms: list[list[float]]
    per_s: float
    disk_mb: float
    peak_mb: float
    found: list[list[str]]


Make: TypeAlias = Callable[[Path], System]
"""Makes a system that may keep files in a folder."""


def measure(make: Make, passages: Path, questions: Path, rounds: int) -> Measured:
    """Build from `passages` and ask all of `questions`, `rounds` times."""
    asked: list[Question] = list(_lines(questions))
    with TemporaryDirectory() as name:
        system = make(Path(name))
        build_s = 0.0
        lines: Iterator[Passage] = _lines(passages)
        while batch := list(islice(lines, BATCH)):
            begin = time.perf_counter()
            system.add(batch)
            build_s += time.perf_counter() - begin
        begin = time.perf_counter()
        system.finish()
        build_s += time.perf_counter() - begin
        list(system.ask(asked[:1]))
        answers = [list(system.ask(asked)) for _ in range(rounds)]
        per_s = _per_s(system, asked)
        disk = sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file())
    return {
        "build_s": build_s,
        "query_ms": [[answer["ms"] for answer in one] for one in answers],
        "per_s": per_s,
        "disk_mb": disk / 1e6,
        "peak_mb": _peak_mb(),
        "found": [answer["ids"] for answer in answers[0]],
    }


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        # What `getrusage` says begins with the memory of the process that started this one.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def timed(
    search: Callable[[Question], Sequence[str]], questions: Iterable[Question]
) -> Iterator[Answer]:
    """Ask `search`, which returns ids, one question after another."""
    for question in questions:
        begin = time.perf_counter()
        ids = search(question)
        yield {"ms": (time.perf_counter() - begin) * 1000, "ids": list(ids)}


def _per_s(system: System, questions: Sequence[Question]) -> float:
    """Return how many questions two threads ask in a second."""
    begin = time.perf_counter()

    def asked(first: int) -> Iterator[Question]:
        # Slow ones are asked one question at least.
        for number, question in enumerate(islice(cycle(questions), first, None)):
            if number and time.perf_counter() - begin > _THREADS_S:
                return
            yield question

    def count(first: int) -> int:
        return sum(1 for _ in system.ask(asked(first)))

    with ThreadPoolExecutor(THREADS) as pool:
        counts = list(pool.map(count, (at * len(questions) // THREADS for at in range(THREADS))))
    return sum(counts) / (time.perf_counter() - begin)


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def main(systems: Mapping[str, Make]) -> None:
    """Measure the system that the command line names: SYSTEM PASSAGES QUESTIONS ROUNDS."""
    name, passages, questions, rounds = sys.argv[1:]
    print(json.dumps(measure(systems[name], Path(passages), Path(questions), int(rounds))))
