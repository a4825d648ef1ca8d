"""Which examples stand for all of them where a training is measured."""

from __future__ import annotations

from collections.abc import Sequence

from citewell_trl.lengths import Fitting
from citewell_trl.rows import Columns
from citewell_trl.settings import TrlConfig

_TRIED_BATCHES = 4


def of_steps(learnt: Fitting, config: TrlConfig, *, typical: int) -> Sequence[Columns]:
    """Return the examples of a step on the longest, then of steps in which all lengths come up."""
    size, by_length = config.batch_size * config.accumulate, _by_length(learnt)
    if size < len(by_length):
        chosen = [*by_length[:size], *_spread(by_length, size * typical, parts=typical)]
    else:
        # Each step of the training learns from all of them, and from none twice.
        longest = by_length[: config.batch_size]
        chosen = [*longest, *sorted(by_length[config.batch_size :])]
    return [learnt.rows[at] for at in chosen]


def of_trial(tried: Fitting, config: TrlConfig) -> Sequence[Columns]:
    """Return the examples of some batches in which all lengths come up."""
    count = config.batch_size * _TRIED_BATCHES
    if count >= len(tried.rows):
        return tried.rows
    return [tried.rows[at] for at in _spread(_by_length(tried), count, parts=_TRIED_BATCHES)]


def _spread(by_length: Sequence[int], count: int, *, parts: int) -> list[int]:
    """Return so many, in parts of which each has long and short ones."""
    spread = [by_length[at * len(by_length) // count] for at in range(count)]
    return [spread[at] for part in range(parts) for at in range(part, count, parts)]


def _by_length(fitting: Fitting) -> list[int]:
    """Return where the examples are, the longest first."""
    return sorted(range(len(fitting.rows)), key=lambda at: fitting.lengths[at], reverse=True)
