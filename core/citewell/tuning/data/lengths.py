"""How long examples are, in tokens of a model where its tokenizer is there."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from citewell.errors import ConfigError, MissingExtra
from citewell.tuning.data.examples import Example

CHARS_A_TOKEN = 4.0
"""Of English in common tokenizers, roughly; used where no tokenizer is named.

Source: OpenAI help center, "What are tokens and how to count them?".
"""

_A_MESSAGE = 5
"""Tokens that a chat template puts around a message, roughly."""

Counter: TypeAlias = Callable[[Example], int]


class Lengths(Struct, frozen=True):
    """Of some examples, in tokens.

    Attributes:
        p50: the median.
        p95: so many are as long as this or shorter, in percent.
        bins: how many examples are as long as each bound or shorter, and longer than the one
            before.
    """

    shortest: int
    p50: int
    p95: int
    longest: int
    total: int
    bins: tuple[tuple[int, int], ...]


def counter(tokenizer: Path | None) -> Counter:
    """Return what counts the tokens of an example.

    Args:
        tokenizer: a `tokenizer.json`, or the folder of a model that holds one; None to estimate.

    Raises:
        ConfigError: it cannot be read.
        MissingExtra: it needs a package that is not installed.
    """
    if tokenizer is None:
        return lambda example: round(example.chars / CHARS_A_TOKEN) + _around(example)
    path = tokenizer / "tokenizer.json" if tokenizer.is_dir() else tokenizer
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("counting tokens", package="tokenizers", extra="data") from error
    try:
        # The library raises nothing more particular.
        read = Tokenizer.from_file(str(path))
        # It may be kept with a length to which it cuts, or fills up.
        read.no_truncation()
        read.no_padding()
    except Exception as error:
        raise ConfigError(
            f"{path}: is no tokenizer: {str(error)[:80]}; expected a tokenizer.json, or the folder "
            "of a model that holds one: name it"
        ) from error

    def tokens(text: str) -> int:
        try:
            return len(read.encode(text, add_special_tokens=False).ids)
        except Exception as error:
            raise ConfigError(
                f"{path}: cannot count the tokens of a text: {str(error)[:80]}; expected a whole "
                "tokenizer: name another"
            ) from error

    def count(example: Example) -> int:
        shared = sum(tokens(one.content) for one in example.messages)
        others = (example.text, example.chosen, example.rejected, example.answer)
        return shared + max(map(tokens, others)) + _around(example)

    return count


def measured(counts: Sequence[int], *, bins: int = 10) -> Lengths | None:
    """Return how long examples are; None where there are none."""
    if not counts:
        return None
    ordered = sorted(counts)
    cuts = (
        statistics.quantiles(ordered, n=20, method="inclusive")
        if len(ordered) > 1
        else ordered * 19
    )
    return Lengths(
        shortest=ordered[0],
        p50=round(cuts[9]),
        p95=round(cuts[18]),
        longest=ordered[-1],
        total=sum(ordered),
        bins=_binned(ordered, bins),
    )


def _binned(ordered: Sequence[int], number: int) -> tuple[tuple[int, int], ...]:
    width = max(1, -(-(ordered[-1] - ordered[0] + 1) // number))
    counts: dict[int, int] = {}
    bound = ordered[0] + width - 1
    while bound < ordered[-1] + width:
        counts[bound] = 0
        bound += width
    for one in ordered:
        counts[ordered[0] + ((one - ordered[0]) // width + 1) * width - 1] += 1
    return tuple(counts.items())


def _around(example: Example) -> int:
    answers = bool(example.chosen or example.answer)
    return _A_MESSAGE * (len(example.messages) + answers)
