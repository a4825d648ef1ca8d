"""Examples parted by the documents that they are from: a model is tested on documents it never saw.

Rows of one document say the same things in other words, so a split of rows would test what was
learnt by heart.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence

from citewell.errors import ConfigError
from citewell.tuning.data.examples import Example


def split(
    examples: Sequence[Example], shares: Mapping[str, float], *, seed: int = 0
) -> dict[str, list[Example]]:
    """Return examples by the name of their part, in their order.

    Examples that share a document stay together, and so do those that are joined by others.

    Args:
        examples: of one file; each names a document.
        shares: of the examples, in (0, 1), by the names of the parts; the rest is "train".
        seed: of the draw.

    Raises:
        ConfigError: an example names no document, or there are too few documents for the parts.
    """
    groups = _groups(examples)
    if len(groups) <= len(shares):
        raise ConfigError(
            f"the examples are of {len(groups)} documents that share none; expected at least "
            f"{len(shares) + 1}, one a part: add examples of other documents"
        )
    order = sorted(groups)
    random.Random(seed).shuffle(order)  # noqa: S311 - a draw is no secret
    parts: dict[str, list[int]] = {name: [] for name in (*shares, "train")}
    for left, name in enumerate(order_of_parts(shares)):
        wanted = shares[name] * len(examples)
        others = len(shares) - left
        while len(order) > others and (group := _fitting(order, groups, parts[name], wanted)):
            order.remove(group)
            parts[name] += groups[group]
    parts["train"] = [at for group in order for at in groups[group]]
    return {name: [examples[at] for at in sorted(found)] for name, found in parts.items()}


def order_of_parts(shares: Mapping[str, float]) -> list[str]:
    """Return the names of the parts, the smallest first: it is the hardest to fill."""
    return sorted(shares, key=lambda name: shares[name])


def _fitting(
    order: Sequence[str], groups: Mapping[str, Sequence[int]], taken: Sequence[int], wanted: float
) -> str | None:
    """Return the next group that brings a part nearer to its size; None once none does."""
    missing = wanted - len(taken)
    for group in order:
        # Nearer than without it; and no part is left empty.
        if abs(missing - len(groups[group])) < abs(missing):
            return group
    return min(order, key=lambda group: len(groups[group])) if not taken else None


def _groups(examples: Sequence[Example]) -> dict[str, list[int]]:
    """Return the places of examples that must stay together, by the first of their documents."""
    parents: dict[Hashable, Hashable] = {}

    def root(name: Hashable) -> Hashable:
        while parents.setdefault(name, name) != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for example in examples:
        if not example.documents:
            raise ConfigError(
                f"line {example.line}: names no document; expected the field documents in each "
                "row, as rows of one document belong together: add it, or name another with --by"
            )
        for other in example.documents[1:]:
            parents[root(other)] = root(example.documents[0])
    groups: dict[str, list[int]] = {}
    for at, example in enumerate(examples):
        groups.setdefault(str(root(example.documents[0])), []).append(at)
    return groups
