"""A hook of MkDocs: on the site, a link to a file of the repository is its text alone."""

from __future__ import annotations

import posixpath
import re
from typing import Any

_LINK = re.compile(r"\[([^\]\n]+)\]\(((?:\.\./)+[^)\s]+)\)")


def on_page_markdown(markdown: str, /, *, page: Any, **_: object) -> str:
    """Return a page without links that lead out of the documentation."""
    folder = posixpath.dirname(page.file.src_uri)

    def without(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[1] if target.startswith("..") else match[0]

    return _LINK.sub(without, markdown)
