"""Documents and questions for the contract of retrievers."""

from __future__ import annotations

from collections.abc import Iterable

from citewell.types.documents import IndexedDocument, Passage, Place, Placed
from citewell.types.questions import EVERYONE

ODD_QUERIES = (
    "",
    " \n\t",
    "?!",
    "\U0001f98a\U0001f98a",
    "\u200b",
    "the of and",
    '"fox',
    "fox AND (NOT OR",
    "title:fox^3 +fox -dog fo* [a TO b] {x}",
    "fox\x00fox",
    "\\ / ' ` % _ ; -- DROP TABLE",
    "fox " * 2500,
    " ".join(f"word{number}" for number in range(2500)),
    "f" * 10_000,
    "\u72d0\u72f8\u306f\u901f\u3044",
    "\u0644\u062b\u0639\u0644\u0628",
)
"""What people type, paste or try, and what search engines take for syntax."""


def make_document(
    name: str,
    *texts: str,
    version: str = "1",
    labels: Iterable[str] = (EVERYONE,),
    language: str = "en",
) -> IndexedDocument:
    """Return a document whose passages are `texts`, one below the other."""
    document_id = f"library:{name}"
    passages = []
    start = 0
    for line, text in enumerate(texts, 1):
        passages.append(
            Passage(
                id=f"{name}/{start}/{version}",
                document_id=document_id,
                title=name,
                text=text,
                start=start,
                end=start + len(text),
                places=(Placed(start, Place(line=2 * line - 1)),),
                labels=frozenset(labels),
                language=language,
            )
        )
        start += len(text) + 2
    return IndexedDocument(id=document_id, version=version, title=name, passages=tuple(passages))


def rich_document() -> IndexedDocument:
    """Return a document that uses every field of a passage."""
    text = "R\u00e9sum\u00e9\t36,413\r\n\u6771\u4eac \U0001f98a e\u0301 \u202eabc\u202c  end "
    row = "Paid\n36,413"
    document_id, title = "library:rich/\u00fc.md", "Rich \u2014 \u201ctitle\u201d"
    first = Passage(
        id="rich-1",
        document_id=document_id,
        title=title,
        text=text,
        start=5,
        end=5 + len(text),
        places=(
            Placed(5, Place(page=2, headings=("One", "One/Two"), line=7, anchor="one-two")),
            Placed(9, Place(page=2, headings=("One", "One/Two"), line=8)),
            Placed(30, Place(slide=1)),
        ),
        labels=frozenset({EVERYONE, "hr", "with space"}),
        uri="https://example.org/r%C3%BC?x=1#y",
        language="fr",
    )
    second = Passage(
        id="rich-2",
        document_id=document_id,
        title=title,
        text=row,
        start=60,
        end=60 + len(row),
        places=(
            Placed(60, Place(sheet="Q1 2026", cell="A2", headings=("One",))),
            Placed(65, Place(sheet="Q1 2026", cell="B2", headings=("One",))),
        ),
        labels=frozenset({EVERYONE}),
        header="R\u00e9sum\u00e9 | Amount",
        language="",
    )
    return IndexedDocument(
        id=document_id,
        version="a7",
        title=title,
        passages=(first, second),
        uri=first.uri,
    )
