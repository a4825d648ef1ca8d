"""Twenty figures of four Apple 10-Q filings, and longer questions, most of them on several."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from citewell import Answer, Outcome
from proofs import harness
from proofs._asking import asking, shown_text

_QUESTIONS = Path(__file__).with_name("sec10q_questions.json")
_SMALL_LONG = 3
_PROMISED = 15
# Of the twenty, when they were first asked: before PDF headings, twelve passages, dates as one
# term, and amounts and row names in the order of the evidence.
_FIRST_RUN = 7
_FIGURE = re.compile(r"\$?\d[\d,.]*\d%?|\d%")


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    """Ask all questions; at small size few of the long ones."""
    del seed
    return asyncio.run(_run(size))


async def _run(size: harness.Size) -> dict[str, object]:
    folder = harness.data("sec10q_aapl")
    given = {row["id"]: row for row in harness.rows(folder / "questions.jsonl")}
    ours = json.loads(_QUESTIONS.read_text(encoding="utf-8"))["questions"]
    known = {row["id"] for row in ours}
    longer = [row for row in given.values() if row["id"] not in known]
    if size == "small":
        longer = longer[:_SMALL_LONG]
    async with asking(folder / "corpus") as library:
        rows = []
        for row in ours:
            text = row.get("question") or given[row["id"]]["question"]
            rows.append(_judged(row, await library.ask(text)))
        others = [_compared(row, await library.ask(row["question"])) for row in longer]
    return {
        "asked": len(rows),
        "right": sum(row["right"] for row in rows),
        "refused": sum(row["refused"] for row in rows),
        "rows": rows,
        "long": {
            "several filings": _summary([row for row in others if row["documents"] > 1]),
            "one filing": _summary([row for row in others if row["documents"] == 1]),
        },
        "long_rows": others,
    }


def _judged(row: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """Tell whether one statement shown holds the figure and cites a page where it stands."""
    right = any(
        citation.document_id == f"docs:{row['document']}.pdf"
        and citation.place.page in row["pages"]
        for claim in answer.shown
        if any(_holds(claim.text, figure) for figure in row["figures"])
        for citation in claim.citations
    )
    return {
        "id": row["id"],
        "right": right,
        "refused": answer.outcome is Outcome.REFUSED,
        "figure_shown": any(_holds(shown_text(answer), figure) for figure in row["figures"]),
        "cited": _cited(answer),
        "answer": shown_text(answer),
    }


def _holds(text: str, figure: str) -> bool:
    """Tell whether `figure` stands in `text`, and not inside a longer number."""
    spaced = re.escape(" ".join(figure.split())).replace(r"\ ", r"\s*")
    return re.search(rf"(?<![\d.,]){spaced}(?![\d]|[.,]\d)", text) is not None


def _cited(answer: Answer) -> list[str]:
    places = {(one.document_id.partition(":")[2], one.place.page) for one in answer.citations}
    return [f"{document} p. {page}" for document, page in sorted(places, key=str)]


def _compared(row: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """Compare the figures and filings of a long reference answer with what was shown."""
    reference = row["answers"][0].partition("SOURCE(S)")[0]
    figures = {match for match in _FIGURE.findall(reference) if not _is_year(match)}
    text = shown_text(answer)
    wanted = {f"docs:{document}.pdf" for document in row["doc_ids"]}
    cited = {citation.document_id for citation in answer.citations}
    return {
        "id": row["id"],
        "type": row["type"],
        "refused": answer.outcome is Outcome.REFUSED,
        "figures": len(figures),
        "figures_shown": sum(_holds(text, figure.lstrip("$")) for figure in figures),
        "documents": len(wanted),
        "documents_cited": len(wanted & cited),
    }


def _is_year(figure: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d", figure) is not None


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "asked": len(rows),
        "refused": sum(row["refused"] for row in rows),
        "figures": sum(row["figures"] for row in rows),
        "figures_shown": sum(row["figures_shown"] for row in rows),
        "documents": sum(row["documents"] for row in rows),
        "documents_cited": sum(row["documents_cited"] for row in rows),
    }


def table(result: dict[str, Any]) -> str:
    """Show how many figures were found, and how the long questions came out."""
    missed = ", ".join(row["id"] for row in result["rows"] if not row["right"]) or "none"
    right = f"{result['right']} of {result['asked']} (promised: {_PROMISED})"
    lines = [
        ("", "measured"),
        ("---", "---"),
        ("one figure in one filing: shown, with its page cited", right),
        ("the same when they were first asked", f"{_FIRST_RUN} of {result['asked']}"),
        ("of these refused", f"{result['refused']}"),
        ("missed", missed),
    ]
    for kind, summary in result["long"].items():
        answered = summary["asked"] - summary["refused"]
        lines += [
            (f"long questions, {kind}: answered", f"{answered} of {summary['asked']}"),
            (
                "figures of their reference answers shown",
                f"{summary['figures_shown']} of {summary['figures']}",
            ),
            (
                "filings of their reference answers cited",
                f"{summary['documents_cited']} of {summary['documents']}",
            ),
        ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def check(result: dict[str, Any]) -> list[str]:
    """Name the promise that the result breaks."""
    if result["right"] >= _PROMISED:
        return []
    return [f"at least {_PROMISED} of {result['asked']} figures on the right page"]
