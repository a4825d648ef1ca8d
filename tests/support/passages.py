"""Passages and evidence, for tests of the citation checks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from citewell import Audience, Claim, Passage, Place, Placed
from citewell.engine.citing import Evidence, cite

READER = Audience.of("everyone")


def passage(text: str, name: str = "a", *, start: int = 100, **fields: object) -> Passage:
    values: dict[str, object] = {
        "document_id": f"docs:{name}.md",
        "title": "",
        "end": start + len(text),
        "places": (Placed(start, Place(line=7)),),
        "labels": frozenset({"everyone"}),
        "uri": f"https://example.org/{name}",
    }
    return Passage(id=name, text=text, start=start, **(values | fields))


def evidence(
    *passages: Passage, now: Iterable[Passage] | None = None, **fields: object
) -> Evidence:
    stored = {one.id: one for one in (passages if now is None else now)}

    async def fetch(ids: Sequence[str]) -> Sequence[Passage]:
        return [stored[name] for name in ids if name in stored]

    values: dict[str, object] = {"audience": READER, "fetch": fetch, "question": ""}
    return Evidence(passages=passages, **(values | fields))


async def parts(*texts: str) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def claims(output: str | Sequence[str], given: Evidence) -> list[Claim]:
    deltas = parts(output) if isinstance(output, str) else parts(*output)
    return [claim async for claim in cite(deltas, given)]
