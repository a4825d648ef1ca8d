"""Questions of terms that a document explains: in a list, in bold, or behind a colon."""

from __future__ import annotations

import re
from collections.abc import Iterator

from citewell.evaluation.making.english import ANAPHORA
from citewell.evaluation.making.facts import Fact, Kind
from citewell.evaluation.making.prose import bare, lines
from citewell.types.documents import Passage

_BOLD = re.compile(
    r"\s*(?:[-*+]\s+)?(?:\*\*|__)(?P<term>[^*_:\n]{2,60}?):?(?:\*\*|__)"
    r"\s*(?::|[–—-]\s)?\s+(?P<text>\S.+)"
)
_LISTED = re.compile(r"\s*(?:[-*+]\s+)(?P<term>[A-Z][^:*|.\n]{1,50}):\s+(?P<text>\S.+)")
_PLAIN = re.compile(r"(?P<term>[A-Z][^:*|.,\n]{1,40}):\s+(?P<text>(?:An?|The|One|Any)\s.+)")
_NO_TERM = re.compile(
    r"(?:note|warning|tip|example|important|caution|see also|source|date|author|step \d+|todo"
    r"|answer|question|q|a)\b",
    re.IGNORECASE,
)
_LONGEST_LINE = 600
_LONGEST_TERM, _LEAST_WORDS, _LONGEST_ANSWER = 6, 4, 12


def of_definitions(passage: Passage) -> Iterator[Fact]:
    """Yield "What is X?" for each term that a line explains."""
    for start, end in lines(passage.text):
        line = passage.text[start:end]
        if len(line) > _LONGEST_LINE:
            continue
        match = _BOLD.fullmatch(line) or _LISTED.fullmatch(line) or _PLAIN.fullmatch(line)
        if match is None or _NO_TERM.match(match["term"]):
            continue
        term, text = bare(match["term"]).strip(), bare(match["text"])
        words = text.split()
        is_told = len(words) >= _LEAST_WORDS and text[0].isalpha() and not text.endswith("?")
        # Something to do, like "see it answer", rather than a term.
        is_told = is_told and not (term[:1].islower() and len(term.split()) > 2)
        is_term = len(term.split()) <= _LONGEST_TERM
        if not is_told or not is_term or not ANAPHORA.isdisjoint(term.lower().split()):
            continue
        yield Fact(
            kind=Kind.DEFINITION,
            question=_question(term),
            passage=passage,
            start=start + len(line) - len(line.lstrip()),
            end=end,
            at=passage.start + start + match.start("text"),
            answer=text.rstrip(".") if len(words) <= _LONGEST_ANSWER else "",
            merit=5 if match.re is not _PLAIN else 4,
        )


def _question(term: str) -> str:
    """Ask what a term is; of a word alone nobody knows whether it takes an article."""
    if " " not in term and term[1:].islower():
        return f"What does “{term}” mean?"
    return f"What {_verb(term)} {_inside(term)}?"


def _verb(term: str) -> str:
    last = term.rsplit(maxsplit=1)[-1]
    is_plural = (
        last.endswith("s") and not last.endswith(("ss", "us", "is", "ics")) and last.islower()
    )
    return "are" if is_plural else "is"


def _inside(term: str) -> str:
    """Return a term as it is written within a sentence: names keep their capital letters."""
    words = term.split()
    is_common = (
        words[0][1:].islower() and all(word.islower() for word in words[1:]) and len(words) > 1
    )
    return f"{words[0].lower()} {' '.join(words[1:])}" if is_common else term
