"""What is to be known about examples before a model learns them, beyond their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from citewell.evaluation.leaks import Lookout
from citewell.evaluation.questions import load_questions
from citewell.tuning.data.examples import Example
from citewell.tuning.data.lengths import Counter
from citewell.tuning.data.likeness import Likenesses, twins
from citewell.tuning.data.loading import Loaded
from citewell.tuning.data.private import Private
from citewell.tuning.data.problems import Concern, Problem, shown

FEWEST = 20
"""Examples, below which a model learns little but to repeat them."""

Told = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and of how much."""


class Limits(Struct, frozen=True, kw_only=True):
    """What is looked for.

    Attributes:
        context: the most tokens that an example may have; None for any number.
        is_near: whether near-duplicates are looked for.
        private: looks for secrets and personal data; None where nothing does.
    """

    count: Counter
    context: int | None = None
    is_near: bool = True
    private: Private | None = None


def inspect(loaded: Loaded, limits: Limits, told: Told) -> list[Problem]:
    """Return what one file lacks or holds, beyond what `load` found, in the order of its lines.

    Raises:
        MissingExtra: something is looked for that needs a package that is not installed.
    """
    found = [
        *_few(loaded),
        *_long(loaded, limits),
        *_twice(loaded, limits, told),
        *_private(loaded, limits, told),
    ]
    return sorted(found, key=lambda one: one.line)


def every_problem(
    loaded: Loaded, other: Loaded | None, questions: Sequence[Path], limits: Limits, told: Told
) -> list[Problem]:
    """Return all that is wrong with a file, the errors first.

    Args:
        loaded: the file.
        other: what a training is validated with.
        questions: sets of an evaluation, none of which may be learnt.
        limits: what is looked for.
        told: what is being done.

    Raises:
        ConfigError: questions cannot be read.
        MissingExtra: something is looked for that needs a package that is not installed.
    """
    found = [*loaded.problems, *inspect(loaded, limits, told)]
    if other is not None:
        found += between(loaded, other, limits, told)
    for path in questions:
        found += asked_in(loaded, path)
    return sorted(found, key=lambda one: (not one.is_error, one.line))


def between(train: Loaded, other: Loaded, limits: Limits, told: Told) -> list[Problem]:
    """Return what of `train` stands in another file too, with which a model is to be tested."""
    known = Likenesses(is_near=limits.is_near)
    for example in other.examples:
        known.add(example)
    documents = {name for example in other.examples for name in example.documents}
    found: list[Problem] = []
    for number, example in enumerate(train.examples, 1):
        twin = known.find(example)
        if twin is not None:
            how = "says" if twin.is_exact else "nearly says"
            found.append(
                _leak(train, example, f"{how} what {other.path}, line {twin.of.line} says")
            )
        elif shared := documents.intersection(example.documents):
            document = shown(min(shared), most=80)
            found.append(
                _leak(train, example, f"is of the document {document}, as rows of {other.path} are")
            )
        told("Comparing", number, len(train.examples))
    return found


def asked_in(train: Loaded, questions: Path) -> list[Problem]:
    """Return the lines of `train` that hold a question of an evaluation.

    Raises:
        ConfigError: a file cannot be read.
    """
    lookout = Lookout(load_questions(questions))
    leaks: dict[tuple[str, int], str] = {}
    for example in train.examples:
        for text in example.texts:
            for item, _ in lookout.found_in(text):
                leaks[item.id, example.line] = item.question
    return [
        _at(
            train,
            line,
            Concern.LEAK,
            (
                f'asks "{shown(question, most=80)}", a question of {questions}',
                "other questions, or the evaluation measures what was learnt by heart",
                "delete it here",
            ),
        )
        for (_, line), question in leaks.items()
    ]


def _few(loaded: Loaded) -> Iterator[Problem]:
    number = len(loaded.examples)
    if 0 < number < FEWEST:
        yield _at(
            loaded,
            0,
            Concern.NUMBER,
            (
                f"holds {number} sound examples",
                f"at least {FEWEST}, and 500 to be of use",
                "add some",
            ),
        )


def _long(loaded: Loaded, limits: Limits) -> Iterator[Problem]:
    if limits.context is None:
        return
    for example in loaded.examples:
        count = limits.count(example)
        if count > limits.context:
            yield _at(
                loaded,
                example.line,
                Concern.LENGTH,
                (
                    f"has {count:,} tokens",
                    f"at most {limits.context:,}",
                    "cut it, or raise --context; what is behind would not be learnt",
                ),
            )


def _twice(loaded: Loaded, limits: Limits, told: Told) -> Iterator[Problem]:
    number = len(loaded.examples)
    found = twins(
        loaded.examples,
        is_near=limits.is_near,
        told=lambda done: told("Comparing", done, number),
    )
    for twin in found:
        how = "says" if twin.is_exact else "nearly says"
        yield _at(
            loaded,
            twin.example.line,
            Concern.DUPLICATE if twin.is_exact else Concern.NEAR_DUPLICATE,
            (
                f"{how} what line {twin.of.line} says",
                "each example once",
                "delete one, or run citewell data clean",
            ),
        )


def _private(loaded: Loaded, limits: Limits, told: Told) -> Iterator[Problem]:
    if limits.private is None:
        return
    for number, example in enumerate(loaded.examples, 1):
        named = [("documents", " ".join(example.documents)), ("origin", example.origin)]
        for place, text in (*example.placed, *named):
            for kind in limits.private.secrets(text):
                yield _at(
                    loaded,
                    example.line,
                    Concern.SECRET,
                    (
                        f"holds a secret ({kind})",
                        "none, as a model repeats what it learnt",
                        "take it out, and have it replaced",
                    ),
                    place,
                )
            for kind in limits.private.personal(text):
                yield _at(
                    loaded,
                    example.line,
                    Concern.PERSONAL,
                    (
                        f"holds personal data ({kind})",
                        "none, as a model repeats what it learnt",
                        "write another one, unless it is meant to be learnt",
                    ),
                    place,
                )
        told("Looking for secrets", number, len(loaded.examples))


def _leak(train: Loaded, example: Example, said: str) -> Problem:
    return _at(
        train,
        example.line,
        Concern.LEAK,
        (said, "other documents there", "delete it here, or run citewell data split"),
    )


def _at(
    loaded: Loaded, line: int, concern: Concern, told: tuple[str, str, str], place: str = ""
) -> Problem:
    """Return a problem; `told` is what is wrong, what was expected, and what mends it."""
    said, expected, fix = told
    return Problem(
        file=loaded.path,
        line=line,
        field=place,
        concern=concern,
        said=said,
        expected=expected,
        fix=fix,
    )


def by_concern(problems: Sequence[Problem]) -> dict[Concern, int]:
    """Return how many problems there are of each concern, the errors first."""
    order = [*Concern]
    found = sorted(problems, key=lambda one: (not one.is_error, order.index(one.concern)))
    counts: dict[Concern, int] = {}
    for one in found:
        counts[one.concern] = counts.get(one.concern, 0) + 1
    return counts
