"""What it takes to turn an English sentence into a question: verbs, subjects, and their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from msgspec import Struct

BE = frozenset({"is", "are", "was", "were"})
_AUXILIARY = BE | frozenset("can could will would shall should may might must".split())
_HAVE = {"has": "does", "have": "do", "had": "did"}

# Base forms of verbs that take -s and -ed; behind a colon, the past of others.
_REGULAR = """accept account achieve acquire add adopt allow announce appoint approve
    argue arrive attack attend award begin:began believe bring:brought build:built
    buy:bought capture cause charge claim close come:came complete conquer consist
    construct contain contribute cost:cost cover create declare defeat define
    demonstrate describe design destroy determine develop die discover divide draw:drew
    earn elect employ enable end enter establish estimate exceed exist expand expect
    experience expire explain face fall:fell find:found finish form found gain generate
    get:got give:gave govern grant grow:grew happen hold:held host identify improve
    include increase inherit introduce invade invent invest issue join kill know:knew
    last launch lead:led leave:left let:let lie:lay live lose:lost lower maintain
    make:made manage mark marry measure meet:met move name need occupy occur outnumber
    offer open operate order own pay:paid perform permit pioneer play possess prepare
    present produce propose prove provide publish purchase raise ravage range reach
    receive recognize record reduce refuse release remain replace report represent
    repurchase require rest result retain return reveal rise:rose rule run:ran say:said
    see:saw sell:sold send:sent separate serve set:set settle show:showed sign
    spend:spent spread:spread start state store study suffer suggest support surrender
    take:took teach:taught tell:told think:thought travel treat turn use visit win:won
    work write:wrote""".split()

ANAPHORA = frozenset(
    """it its they their them he his she her hers him we our us i my you your this that these those
    such there here one ones another other others both each either neither some several many
    most all none same former latter few further additional following above below""".split()
)
_OPENING = frozenset(
    """and but however also although though while when whenever if as after before since because
    for despite thus therefore then so or nor in on at by with without from to under over during
    through until upon within among between of about like unlike not only even instead meanwhile
    today finally first second third currently recently usually generally often sometimes where
    what who how why which whether once according due given based see note""".split()
)
_CLAUSE = frozenset(
    """that which who whom whose where when while if because although than but so said says whether
    as to not then""".split()
)
_DETERMINERS = frozenset(["the", "a", "an", "every", "no", "any"])
_SEPARATORS = re.compile(r"[,;:()\[\]\"“”—–?!]")
_LONGEST_SUBJECT = 9
_ADVERB = re.compile(
    r"(?:However|For example|For instance|In addition|Moreover|Furthermore|Additionally|Also|Today"
    r"|Therefore|Thus|Historically|Traditionally|In particular|As a result), "
)
_APPOSITION = re.compile(
    r"^([^,;:]{2,60}), (?:an?|the|which|who|also|then|now)\s[^,;:]{3,90}, (?=[a-z]+(?:s|ed|re)\b)"
)
_MEN = frozenset(["people", "men", "women", "children"])


class Clause(Struct, frozen=True):
    """A main clause, ready to be put into another order.

    Attributes:
        subject: as it stands within a sentence.
        helper: the auxiliary, or the form of "do" that stands in its place.
        verb: the base form that "do" takes; empty behind an auxiliary.
        rest: everything behind the verb.
        form: the verb as it stands there.
    """

    subject: str
    helper: str
    verb: str
    rest: str
    form: str = ""

    @property
    def is_be(self) -> bool:
        """Whether its verb is a form of "be"."""
        return self.helper in BE and not self.verb

    def ask(self, word: str, rest: str) -> str:
        """Return the question that begins with `word`."""
        parts = (word, self.helper, self.subject, self.verb, rest)
        return " ".join(" ".join(parts).split()) + "?"


def clause(sentence: str, names: frozenset[str]) -> Clause | None:
    """Return the main clause that `sentence`, without its full stop, begins with; None if unclear.

    Args:
        sentence: in one line.
        names: words that its document writes with a capital letter also within sentences.
    """
    tokens = _APPOSITION.sub(r"\1 ", _ADVERB.sub("", sentence)).split()
    for index in range(1, min(_LONGEST_SUBJECT + 1, len(tokens))):
        found = _verb(tokens, index)
        # Behind an article stands a noun, also where a verb has its form: "the visits".
        if found is None or tokens[index - 1].lower() in _DETERMINERS:
            continue
        subject = tokens[:index]
        if not is_subject(subject):
            return None
        rest = " ".join(tokens[index + 1 :])
        return Clause(_within(subject, names), *found, rest, tokens[index])
    return None


def is_subject(tokens: Sequence[str]) -> bool:
    """Tell whether words that begin a sentence may be its whole subject, and say who is meant."""
    lower = [token.lower() for token in tokens]
    return not (
        not tokens
        or lower[0] in ANAPHORA | _OPENING
        or lower[0].endswith("ly")
        or lower[-1] in _DETERMINERS | {"and", "or", "of", "in", "also", "often", "still"}
        or _CLAUSE.intersection(lower)
        or ANAPHORA.intersection(lower)
        or _SEPARATORS.search(" ".join(tokens))
        or any(word.endswith("ly") for word in lower[-1:])
    )


def names_in(text: str) -> frozenset[str]:
    """Return the words that `text` writes with a capital letter within sentences."""
    return frozenset(re.findall(r"(?<=[a-z,] )[A-Z][\w'’-]*", text))


def _within(subject: Sequence[str], names: frozenset[str]) -> str:
    """Return a subject as it is written within a sentence."""
    first = subject[0]
    is_name = first.lower() not in _DETERMINERS and (
        first in names
        or (not first[1:].islower() and len(first) > 1)
        or (len(subject) > 1 and subject[1][:1].isupper())
    )
    return " ".join([first if is_name else first.lower(), *subject[1:]])


def _verb(tokens: Sequence[str], index: int) -> tuple[str, str] | None:
    """Return helper and base form where the word at `index` is a finite verb."""
    word = tokens[index].lower()
    following = tokens[index + 1].lower() if index + 1 < len(tokens) else ""
    if word in _AUXILIARY:
        return tokens[index], ""
    if word in _HAVE:
        is_perfect = following in {"been", "become"} or following.endswith("ed")
        return (tokens[index], "") if is_perfect else (_HAVE[word], "have")
    forms = _forms()
    if word not in forms:
        return None
    helper, verb = forms[word]
    if helper == "do" and not (tokens[index - 1].endswith("s") or tokens[index - 1] in _MEN):
        return None
    # A noun of the same form: "the use of", "its first reports".
    return None if following == "of" and helper != "did" else (helper, verb)


@cache
def _forms() -> dict[str, tuple[str, str]]:
    """Return helper and base form for each form of the verbs above."""
    return {form: (helper, verb) for verb, helper, form in _conjugated()}


def _conjugated() -> Iterator[tuple[str, str, str]]:
    for entry in _REGULAR:
        verb, _, past = entry.partition(":")
        softened = verb[:-1] + "i" if re.search(r"[^aeiou]y$", verb) else verb
        third = "es" if re.search(r"(?:s|sh|ch|x|[^aeiou]y)$", verb) else "s"
        yield verb, "do", verb
        yield verb, "does", softened + third
        yield verb, "did", past or (verb + "d" if verb.endswith("e") else softened + "ed")
