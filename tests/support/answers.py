"""Claims, citations and answers, for tests of what is shown of them."""

from __future__ import annotations

from hypothesis import strategies as st

from citewell import Answer, Citation, Claim, ClaimKind, Nearest, Outcome, Place, Verdict
from citewell.types.answers import _SEAL

SUPPORTED = Verdict(supported=True, reason="all words are in [1]", check="containment", score=1.0)
UNSUPPORTED = Verdict(supported=False, reason="40 is not in [1]", check="numbers")
PLACE = Place(headings=("Leave", "Annual leave"), line=12)


def citation(
    number: int = 1, quote: str = "Everyone has 25 days.", *, start: int = 0, **fields: object
) -> Citation:
    values: dict[str, object] = {
        "passage_id": f"passage-{number}",
        "document_id": "handbook:leave.md",
        "content_hash": "0" * 32,
        "title": "Leave",
        "uri": "https://example.org/leave.html",
        "end": start + len(quote),
        "place": PLACE,
        "seal": _SEAL,
    }
    return Citation(number=number, quote=quote, start=start, **(values | fields))


def claim(text: str, *citations: Citation, **fields: object) -> Claim:
    values: dict[str, object] = {
        "kind": ClaimKind.SENTENCE,
        "lead": " ",
        "raw": text,
        "verdict": SUPPORTED,
        "shown": True,
    }
    return Claim(text=text, citations=citations, **(values | fields))


def answer(*claims: Claim, **fields: object) -> Answer:
    return Answer(id="7m2kq4x9ab", question_id="q1", claims=claims, **fields)


def refusal() -> Answer:
    nearest = Nearest(
        passage_id="passage-1",
        document_id="handbook:leave.md",
        title="Leave",
        uri="https://example.org/leave.html",
        place=PLACE,
    )
    return answer(outcome=Outcome.REFUSED, notice="The documents do not say.", nearest=(nearest,))


def growing(whole: Answer) -> list[Answer]:
    """Return what is seen of `whole` while it grows, and `whole`."""
    label = whole.notice if whole.outcome is Outcome.UNSOURCED else ""
    partial = [
        answer(*whole.claims[:count], outcome=whole.outcome, notice=label, complete=False)
        for count in range(len(whole.claims) + 1)
    ]
    return [*partial, whole]


# Letters and digits among everything that Markdown, a terminal or a table could trip over.
_TEXT = st.text(st.sampled_from("abz09 .*_`\\|#>-+<&[]()~ é日\u202e\x1b"), min_size=1, max_size=24)
texts = _TEXT.map(str.strip).filter(lambda text: any(letter.isalnum() for letter in text))
_LEADS = ["", " ", "\n", "\n\n", "\n- ", "\n  * ", "\n1. ", "\n> ", "\n\n    - "]
_RULE = "|---|---|"


def _row(cells: list[str]) -> str:
    escaped = [cell.replace("\\", "").replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


_rows = st.lists(texts, min_size=1, max_size=3).map(_row)
_heads = st.lists(texts, min_size=2, max_size=2).map(_row)
_texts_by_kind = {
    ClaimKind.SENTENCE: texts,
    ClaimKind.HEADING: st.builds("{} {}".format, st.sampled_from(["#", "##", "######"]), texts),
    ClaimKind.CODE: texts.filter(lambda text: "`" not in text).map("```sh\n{}\n```".format),
    ClaimKind.TABLE: st.one_of(
        _rows, st.builds("{}\n{}\n{}".format, _heads, st.just(_RULE), _rows)
    ),
}


@st.composite
def _claims(draw: st.DrawFn) -> Claim:
    kind = draw(st.sampled_from(ClaimKind))
    citations = st.builds(citation, st.integers(1, 9), texts, start=st.integers(0, 99))
    return claim(
        draw(_texts_by_kind[kind]),
        *draw(st.lists(citations, max_size=3)),
        kind=kind,
        lead=draw(st.sampled_from(_LEADS)) if kind is ClaimKind.SENTENCE else "\n\n",
        verdict=draw(st.sampled_from([SUPPORTED, UNSUPPORTED])),
        shown=draw(st.booleans()),
    )


answers = st.builds(
    lambda claims, outcome: answer(*claims, outcome=outcome, notice=_NOTICES[outcome]),
    st.lists(_claims(), max_size=6),
    st.sampled_from(Outcome),
)
_NOTICES = {
    Outcome.ANSWERED: "",
    Outcome.REFUSED: "The documents do not say.",
    Outcome.UNSOURCED: "answered without sources",
    Outcome.FAILED: "something went wrong (reference 7m2kq4x9ab)",
}
