"""Paths chosen by patterns as in a `.gitignore` file.

`*.md` matches in every folder; a pattern with a slash begins at the root (`hr/**`, `/README.md`);
`**` stands for any folders; `drafts/` names a folder with everything in it; `!` takes back what a
pattern before it chose.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

CLUTTER = (
    ".*",
    "node_modules/",
    "__pycache__/",
    "venv/",
    "*.egg-info/",
    "*~",
    "~$*",
    r"\#*#",
    "Thumbs.db",
    "desktop.ini",
)
"""What a source leaves out unless told otherwise: hidden, generated, half-written."""


_DOTS = re.compile(r"(?:^!?|/)\.\.?(?:/|$)")
# Beside a leading # or ! and a space at the end, what is meant is the folders of Windows.
_BACKSLASH = re.compile(r"\\(?![#! ])")


class Globs:
    """Patterns of which the last that matches a path decides. Remembers its verdicts.

    Raises:
        ValueError: a pattern is malformed or can match no path; the message quotes it.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        # Imported here because every plugin imports this package, and few match paths.
        from pathspec import GitIgnoreSpec

        patterns = tuple(patterns)
        # The bracket in "[[]" makes `re` warn of what a later Python may do.
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            for pattern in patterns:
                try:
                    GitIgnoreSpec.from_lines([pattern])
                except Exception as error:  # pathspec lets errors of `re` pass as well
                    raise ValueError(f'"{pattern}" is not a glob pattern') from error
                if expected := _expected(pattern):
                    raise ValueError(f'"{pattern}" matches nothing: {expected}')
            spec = GitIgnoreSpec.from_lines(patterns)
        self._match = lru_cache(maxsize=1 << 18)(spec.match_file)

    def matches(self, path: str) -> bool:
        """Tell whether `path` is chosen: below the root, with `/`; a folder's ends in `/`."""
        return self._match(path)


def _expected(pattern: str) -> str | None:
    """Return what was to be written in place of a pattern that can match no path, or None."""
    if _DOTS.search(pattern):
        return 'expected a path below the folder, like "hr/**"; leave out "./" and "../"'
    if _BACKSLASH.search(pattern):
        return 'expected "/" between folders; for a special character itself write "[*]"'
    return None


def _checked(pattern: str) -> str:
    try:
        Globs([pattern])
    except ValueError as error:
        expected = 'expected a pattern as in a .gitignore file, like "drafts/" or "*.md"'
        raise ValueError(_expected(pattern) or expected) from error
    return pattern


Glob: TypeAlias = Annotated[str, AfterValidator(_checked)]
"""A pattern in settings: a malformed one is refused when they are checked."""
