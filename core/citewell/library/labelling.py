"""Who may read a document, by its path."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from citewell.errors import ConfigError
from citewell.globs import Globs
from citewell.types.documents import Labels
from citewell.types.questions import EVERYONE

_EVERY = "**"
_WILDCARD = re.compile(r"[*?\[]")
_FIXED = re.compile(r"[^*?\[\]/]")


class Labelling:
    """Labels by glob. The pattern that says most about where a document is decides alone.

    That is the one with the longest beginning before its first wildcard; among equals the one with
    the most characters that are not wildcards; among equals the last. So `hr/**` beats `**` and
    `hr/public/**` beats both, in whatever order they are written. A document that no pattern
    matches has no labels, so nobody reads it.

    Where a source knows who may read a document, that holds unless a pattern says otherwise; only
    `**` with `everyone`, which also stands where nothing is written, is no word against it.

    Args:
        rules: patterns as in `citewell.globs`, each with its labels.

    Raises:
        ConfigError: a pattern is malformed.
    """

    def __init__(self, rules: Iterable[tuple[str, Labels]]) -> None:
        ranked = sorted(enumerate(rules), key=lambda rule: (*_weight(rule[1][0]), rule[0]))
        try:
            self._rules = tuple(
                (glob, Globs([glob]), labels) for _, (glob, labels) in reversed(ranked)
            )
        except ValueError as error:
            raise ConfigError(f"labels: {error}") from error

    def of(self, id_: str) -> Labels:
        """Return the labels of the document `id_`; none when no pattern matches."""
        for _, globs, labels in self._rules:
            if globs.matches(id_):
                return labels
        return frozenset()

    def given(self, id_: str, own: Labels | None) -> Labels:
        """Return the labels of the document `id_`, of which its source says `own`.

        Beside `everyone`, what `**` says is added: such a label may say what must not leave here.
        """
        labels = self.of(id_)
        if own is None or not self.leaves(id_):
            return labels
        return own | (labels - {EVERYONE}) if own else own

    def leaves(self, id_: str) -> bool:
        """Tell whether the patterns leave it to the source who may read the document `id_`."""
        for glob, globs, labels in self._rules:
            if globs.matches(id_):
                return glob == _EVERY and EVERYONE in labels
        return True

    def unmatched(self, ids: Collection[str]) -> list[str]:
        """Return the patterns other than `**` that match none of the documents `ids`."""
        return [
            glob
            for glob, globs, _ in self._rules
            if glob != _EVERY and not any(globs.matches(id_) for id_ in ids)
        ]


def _weight(glob: str) -> tuple[int, int]:
    bare = glob.lstrip("/")
    return len(_WILDCARD.split(bare, maxsplit=1)[0]), len(_FIXED.findall(bare))
