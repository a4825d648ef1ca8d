"""The soft checks: is what a sentence says found in what it cites?

They compare words and figures and understand nothing; "supported" means "stands there", not
"true". A sentence must pass every one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from citewell.engine.citing.clauses import (
    Clause,
    clause_texts,
    readings,
    values,
    without_values,
)
from citewell.engine.citing.negations import denied_words, denies_the_contrary, negators
from citewell.engine.citing.quantities import Figures, missing_figure
from citewell.engine.citing.sanitizing import links_in
from citewell.engine.citing.source import REACH, Source, pairs_of
from citewell.engine.citing.units import unit_in
from citewell.engine.citing.words import (
    content_stems,
    nouns_of_rate,
    opposites,
    stem,
    stopwords,
    words,
)
from citewell.types.answers import Verdict

# Source: proofs/verdicts.py, ten-fold cross-validation on attribution_dev of AttributionBench
# (Li et al. 2024) over bars from .5 up: less than half would not be called contained.
CONTAINMENT_BAR = 0.55
# Of the pairs of neighbouring content words, the share that must stand together in the source: in
# either order, with at most one content word between them. Chosen on the same data.
PHRASE_BAR = 0.2
# The share of a clause's words that makes another clause say the same or the contrary.
_SAME_CLAUSE = 0.75
_FEW_WORDS = 3
_FEWEST_DENIED = 2
# What one alone does, what many do, and what is no name.
_SINGULAR = frozenset({"is", "was", "has", "had", "does", "did"})
_ANYONE = frozenset("anyone anybody everyone everybody someone somebody nobody nothing".split())
_OF_DEEDS = ("ing", "tion", "sion", "ment", "ity", "ness")

# They begin every noun with a capital.
_NOUNS_ARE_CAPITAL = frozenset({"de", "lb"})
_TOKEN = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")
# A sentence that begins with one word and another behind it.
_SUBJECT = re.compile(rf"\W*({_TOKEN.pattern})\s+({_TOKEN.pattern})")
_SENTENCE_START = re.compile(r"(?:^|[.!?:…•|(\[\"“„«*_])\s*[\"“„«(\[*_`]*$")
# How much is looked at to tell whether a sentence starts.
_BEFORE_CHARS = 20


class Statement(Struct, frozen=True):
    """A sentence to be judged, with what it may lean on.

    Attributes:
        text: one line without marks.
        sources: everything that it cites.
        question: names may come from it as well.
        language: of the sentence.
        titular: whether it is a heading, which may name the years of the question.
    """

    text: str
    sources: Sequence[Source]
    question: str = ""
    language: str = "en"
    titular: bool = False


def judge(statement: Statement, *, bar: float = CONTAINMENT_BAR) -> Verdict:
    """Return the verdict of the first check that fails, or of containment when none does."""
    for check, find_problem in _CHECKS.items():
        problem = find_problem(statement)
        if problem:
            return Verdict(supported=False, reason=problem, check=check)
    return _contained(statement, bar)


def stands_as_title(statement: Statement) -> bool:
    """Tell whether no check fails and every content word stands in a source or the question."""
    language = statement.language
    known = frozenset(content_stems(statement.question, language)).union(
        *(source.stems for source in statement.sources)
    )
    return known.issuperset(content_stems(statement.text, language)) and not any(
        find_problem(statement) for find_problem in _CHECKS.values()
    )


def _contained(statement: Statement, bar: float) -> Verdict:
    turned = {stem(word): stem(other) for word, other, agree in _opposed(statement) if agree}
    stems = [turned.get(one, one) for one in content_stems(statement.text, statement.language)]
    if not stems:
        figures = any(character.isdecimal() for character in statement.text)
        reason = "only figures, all found" if figures else "nothing in it can be looked up"
        return Verdict(supported=figures, reason=reason, check="containment")
    known: frozenset[str] = frozenset().union(*(source.stems for source in statement.sources))
    held = sum(word in known for word in stems)
    score = held / len(stems)
    reason = f"{held} of {len(stems)} content words stand in what it cites"
    if score < bar:
        return Verdict(supported=False, reason=reason, check="containment", score=score)
    pairs = pairs_of(stems, reach=1)
    together = sum(any(pair in source.pairs for source in statement.sources) for pair in pairs)
    if len(stems) >= _FEW_WORDS and together < PHRASE_BAR * len(pairs):
        reason = "its words stand in what it cites, but hardly any two of them together"
        return Verdict(supported=False, reason=reason, check="phrases", score=score)
    return Verdict(supported=True, reason=reason, check="containment", score=score)


def _unknown_link(statement: Statement) -> str | None:
    known = frozenset[str]().union(*(source.addresses for source in statement.sources))
    unknown = links_in(statement.text) - known
    return f"a link that is not in what it cites: {min(unknown)}" if unknown else None


def _missing_figure(statement: Statement) -> str | None:
    text, language, sources = statement.text, statement.language, statement.sources
    asked = [Figures(statement.question, language)] if statement.titular else []
    stated = [source.figures for source in sources]
    missing = missing_figure(text, stated, language, anywhere=asked)
    if missing:
        return f'"{missing}" is not in what it cites'
    near = [source.figures_beside(text) for source in sources]
    missing = missing_figure(text, near, language, anywhere=[*stated, *asked])
    if missing:
        return f'"{missing}" stands elsewhere in what it cites'
    missing = _figure_apart(statement) if len(sources) > 1 else None
    return f'what it cites says "{missing}" of something else' if missing else None


def _figure_apart(statement: Statement) -> str | None:
    """Find a figure that no source states beside a name, or most of the words, of its clause."""
    language, sources = statement.language, statement.sources
    stated = [source.figures for source in sources]
    common = frozenset.intersection(*(frozenset(source.around) for source in sources))
    for clause in clause_texts(statement.text, language, fewest=1):
        own = {
            "\n".join((
                *(line for line in source.around if line not in common),
                source.text_near(clause, reach=REACH),
            )): source.passage.language
            for source in sources
        }
        beside = [
            Figures("\n".join((*common, text)), own[text])
            for text in _telling(clause, list(own), common, language)
        ]
        missing = missing_figure(clause, beside, language, anywhere=stated)
        if missing:
            return missing
    return None


def _telling(clause: str, texts: Sequence[str], common: Iterable[str], language: str) -> list[str]:
    """Return the texts that hold a name of `clause` or, where no name parts them, most of it."""
    parting = _parting_names(clause, texts, language)
    if parting:
        return [text for text in texts if not parting.isdisjoint(words(text))]
    wanted = content_stems(clause, language)
    return [text for text in texts if 2 * _shared(wanted, text, *common) > len(wanted)]


def _parting_names(clause: str, texts: Sequence[str], language: str) -> frozenset[str]:
    """Return the words of names in `clause` that stand in some of `texts`, but not in all."""
    held = [frozenset(words(text)) for text in texts]
    plain = {word for text in texts for word in _TOKEN.findall(text) if word.islower()}
    names = {
        word
        for name in _TOKEN.findall(clause)
        if name[0].isupper() and not {name.casefold()} & (plain | stopwords(language))
        for word in words(name)
    }
    some = frozenset[str]().union(*held)
    return frozenset(word for word in names & some if not all(word in text for text in held))


def _shared(stems: Sequence[str], *texts: str) -> int:
    known = {stem(word) for text in texts for word in words(text)}
    return sum(one in known for one in stems)


def _missing_name(statement: Statement) -> str | None:
    if statement.language in _NOUNS_ARE_CAPITAL:
        return None
    known = frozenset(words(statement.question)).union(
        *(source.words for source in statement.sources)
    )
    for name in _names(statement.text, statement.language):
        for word in words(name):
            if not _is_known(word, known):
                return f'the name "{name}" is neither in what it cites nor in the question'
    return _replaced_name(statement, known)


def _is_known(word: str, known: frozenset[str]) -> bool:
    return not known.isdisjoint({word, word.removesuffix("s"), f"{word}s"})


def _replaced_name(statement: Statement, known: frozenset[str]) -> str | None:
    """Find a first word that is new where a source has a name: "Bob signs" for "Alice signs".

    At the start of a sentence nobody can tell a name by its capital. Here the verb tells, where
    all the other words stand close by.
    """
    language = statement.language
    subject = _SUBJECT.match(statement.text)
    if not subject or not _may_be_name(subject[1], subject[2]):
        return None
    if any(_is_known(word, known | stopwords(language)) for word in words(subject[1])):
        return None
    others = frozenset(content_stems(statement.text[subject.end(1) :], language))
    for source in statement.sources:
        near = source.text_near(statement.text, reach=REACH)
        if others and others <= frozenset(map(stem, words(near))):
            tokens = _TOKEN.findall(source.text)
            plain = stopwords(language).union(token for token in tokens if token.islower())
            for name, verb in pairwise(_TOKEN.findall(near)):
                is_name = _may_be_name(name, verb) and name.casefold() not in plain
                if is_name and verb == subject[2]:
                    return f'it says "{subject[1]}" where the source says "{name}"'
    return None


def _may_be_name(word: str, verb: str) -> bool:
    """Tell whether one who is called `word` may do what `verb` says: many and deeds may not."""
    is_verb = verb in _SINGULAR or (verb.islower() and verb.endswith(("s", "ed")))
    is_many = word.endswith("s") and verb.endswith("ed")
    is_other = is_many or word.casefold() in _ANYONE or word.endswith(_OF_DEEDS)
    return is_verb and word[0].isupper() and not is_other


def _names(text: str, language: str) -> Iterator[str]:
    """Yield capitalised words, but units, and one alone at the start of a sentence.

    That one may be any word.
    """
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens):
        name = token[0]
        if len(name) < 2 or not name[0].isupper() or name.casefold() in stopwords(language):
            continue
        if index and tokens[index - 1][0][-1].isdecimal() and unit_in([name.lower()], language):
            continue
        following = tokens[index + 1][0] if index + 1 < len(tokens) else ""
        starts = _SENTENCE_START.search(text, max(token.start() - _BEFORE_CHARS, 0), token.start())
        if not starts or following[:1].isupper():
            yield name


def _wrong_negation(statement: Statement) -> str | None:
    """Compare each clause with the clauses of the sources that say most of the same words."""
    if not negators(statement.language):
        return None
    known = [clause for source in statement.sources for clause in source.clauses]
    said = frozenset[str]().union(*(source.words for source in statement.sources))
    for clause, turned in _stated(statement, said):
        stems = clause.stems
        overlaps = [
            (len(stems & other.stems) / len(stems), other)
            for other in known
            if stems and not (other.about and stems.isdisjoint(other.about))
        ]
        nearest = max([0.0, *(overlap for overlap, _ in overlaps)])
        if nearest >= _SAME_CLAUSE:
            agrees = any(share == nearest and clause.agrees(other) for share, other in overlaps)
        elif clause.is_negated:
            agrees = turned or any(other.is_negated for other in known)
        else:
            agrees = not _is_denied(stems, known)
        if not agrees:
            is_denial = clause.is_negated
            return "it denies what it cites affirms" if is_denial else "what it cites denies it"
    return None


def _stated(statement: Statement, said: frozenset[str]) -> Iterator[tuple[Clause, bool]]:
    """Yield what each clause says, and whether it denies the contrary of what sources say."""
    language = statement.language
    for value in values(statement.text, language):
        yield value, False
    for text in clause_texts(without_values(statement.text), language, fewest=2):
        turned = denies_the_contrary(text, said, language)
        for clause in readings(text, language):
            yield clause, turned


def _is_denied(stems: frozenset[str], known: Sequence[Clause]) -> bool:
    """Tell whether all that a source denies of a pronoun is said: "It is not open on Sunday"."""
    denied = {one.stems for one in known if one.goes_on and one.is_negated and one.stems <= stems}
    affirmed = [other.stems for other in known if not other.is_negated]
    return any(
        len(one) >= _FEWEST_DENIED and not any(other >= one for other in affirmed) for one in denied
    )


def _contrary_word(statement: Statement) -> str | None:
    """Find a word whose opposite the nearest sentence states, while it stands nowhere itself."""
    for word, other, agree in _opposed(statement):
        if not agree:
            return f'it says "{word}" where the source says "{other}"'
    return None


def _opposed(statement: Statement) -> Iterator[tuple[str, str, bool]]:
    """Yield words that stand in no source, with an opposite that stands in the nearest sentence.

    The last value tells whether one of the two is denied: "not allowed" agrees with "prohibited".
    """
    known = frozenset[str]().union(*(source.words for source in statement.sources))
    strange = [word for word in dict.fromkeys(words(statement.text)) if word not in known]
    if not strange:
        return
    denied = denied_words(statement.text, statement.language)
    for source in statement.sources:
        (start, end), _ = source.quote(statement.text)
        stored = source.passage.text[start:end]
        denied_there = denied_words(stored, source.passage.language)
        others = frozenset(words(stored))
        for word in strange:
            if any(noun in others for noun in nouns_of_rate(word)):
                continue
            for other in sorted(opposites(word) & others):
                yield word, other, (word in denied) != (other in denied_there)


_CHECKS: dict[str, Callable[[Statement], str | None]] = {
    "links": _unknown_link,
    "figures": _missing_figure,
    "names": _missing_name,
    "negation": _wrong_negation,
    "opposites": _contrary_word,
}
