"""Known quotes, each looked up in its document and in its passage: is the place exact?

Places of the text formats were written by hand beside the files in `tests/data/places`; those of
the binary formats are what `_places_files` put there.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from citewell import EVERYONE, Document, Passage, Place, RawDocument
from citewell.engine.registry import Registry
from citewell.library.reading import Reader
from citewell.library.splitting import split
from proofs import _places_files
from proofs.harness import ROOT, Size

SHIPPED = ROOT / "tests" / "data" / "places"
FORMATS = {
    ".md": "Markdown",
    ".rst": "reStructuredText",
    ".html": "HTML",
    ".csv": "CSV",
    ".pdf": "PDF",
    ".docx": "DOCX",
    ".pptx": "PPTX",
    ".xlsx": "XLSX",
}
WHAT = {
    ".md": "line, heading path, anchor",
    ".rst": "line, heading path, anchor",
    ".html": "line, heading path, anchor",
    ".csv": "line, cell",
    ".pdf": "page, heading path",
    ".docx": "heading path, bookmark",
    ".pptx": "slide, title",
    ".xlsx": "sheet, cell",
}
PROMISED = 20


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Look up every quote; the work is small at either size and nothing is random."""
    del size, seed
    with tempfile.TemporaryDirectory() as folder:
        expected = {SHIPPED / name: quotes for name, quotes in _by_hand().items()}
        expected |= _places_files.write(Path(folder))
        documents = asyncio.run(_read(list(expected)))
        results = {}
        for path, quotes in expected.items():
            document = documents[path]
            passages = split(document, library="proof", labels=frozenset({EVERYONE}), max_chars=400)
            wrong = [
                problem
                for quote, place in quotes.items()
                if (problem := _problem(document, passages, quote, place))
            ]
            results[FORMATS[path.suffix]] = {
                "compared": WHAT[path.suffix],
                "quotes": len(quotes),
                "exact": len(quotes) - len(wrong),
                "wrong": wrong,
                "passages": len(passages),
            }
    return {"formats": results}


def table(result: dict[str, object]) -> str:
    """Show the counts, one line a format."""
    lines = ["| Format | Compared | Quotes | Exact |", "|---|---|--:|--:|"]
    for name, counts in _formats(result).items():
        lines.append(f"| {name} | {counts['compared']} | {counts['quotes']} | {counts['exact']} |")
    return "\n".join(lines)


def check(result: dict[str, object]) -> list[str]:
    """Each format resolves all of its quotes, and has at least 20."""
    broken = []
    for name, counts in _formats(result).items():
        if counts["exact"] != counts["quotes"]:
            broken.append(f"{name}: {counts['wrong']}")
        if int(str(counts["quotes"])) < PROMISED:
            broken.append(f"{name}: {counts['quotes']} quotes, promised {PROMISED}")
    missing = set(FORMATS.values()) - set(_formats(result))
    return [*broken, *(f"{name}: no quotes" for name in sorted(missing))]


def _formats(result: dict[str, object]) -> Mapping[str, Mapping[str, object]]:
    formats = result["formats"]
    if not isinstance(formats, dict):
        raise TypeError("a result has a table of formats")
    return formats


def _by_hand() -> dict[str, dict[str, Place]]:
    listed = json.loads((SHIPPED / "expected.json").read_text(encoding="utf-8"))
    return {
        name: {
            row["quote"]: Place(
                line=row["line"],
                headings=tuple(row.get("headings", ())),
                anchor=row.get("anchor"),
                cell=row.get("cell"),
            )
            for row in rows
        }
        for name, rows in listed.items()
    }


async def _read(paths: Sequence[Path]) -> dict[Path, Document]:
    loaders = {
        suffix: spec for spec in Registry.load().loaders.values() for suffix in spec.suffixes
    }
    async with Reader() as reader:
        documents = await asyncio.gather(
            *(
                reader.read(
                    RawDocument(id=path.name, path=path),
                    loaders[path.suffix],
                    loaders[path.suffix].config(),
                )
                for path in paths
            )
        )
    return dict(zip(paths, documents, strict=True))


def _problem(
    document: Document, passages: Sequence[Passage], quote: str, expected: Place
) -> str | None:
    """Say what is wrong with where `quote` is found, in the document and in its passage."""
    pattern = re.compile(r"\s+".join(map(re.escape, quote.split())))
    found = [match.start() for match in pattern.finditer(document.text)]
    if len(found) != 1:
        return f"{quote!r} is found {len(found)} times"
    offset = found[0]
    holders = [passage for passage in passages if passage.start <= offset < passage.end]
    if len(holders) != 1:
        return f"{quote!r} begins in {len(holders)} passages"
    for place in (document.place_at(offset), holders[0].place_at(offset)):
        # Lines of a page depend on what counts as a line of it; the page itself does not.
        compared = place if place.page is None else replace(place, line=None)
        if compared != expected:
            return f"{quote!r} is at {compared}, expected {expected}"
    return None
