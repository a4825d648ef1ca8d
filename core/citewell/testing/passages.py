"""Passages for tests."""

from __future__ import annotations

from collections.abc import Iterable

from citewell.types.documents import Passage, Place, Placed, content_hash
from citewell.types.questions import EVERYONE


def make_passages(
    *texts: str, title: str = "Handbook", labels: Iterable[str] = (EVERYONE,), language: str = "en"
) -> tuple[Passage, ...]:
    """Return the passages of one document, which stand one below the other."""
    passages: list[Passage] = []
    start = 0
    line = 1
    for text in texts:
        place = Place(headings=(title,), line=line)
        passages.append(
            Passage(
                id=content_hash(f"{title}/{start}/{text}"),
                document_id=f"library:{title}",
                title=title,
                text=text,
                start=start,
                end=start + len(text),
                places=(Placed(start, place),),
                labels=frozenset(labels),
                uri=f"https://example.org/{title}",
                language=language,
            )
        )
        start += len(text) + 2
        line += text.count("\n") + 2
    return tuple(passages)
