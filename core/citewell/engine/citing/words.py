"""Words as the checks compare them, and the small word lists that this takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import permutations

# Scripts that are written without blanks: each of their characters counts as a word.
UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_FIRST_UNSPACED = "\u3040"
_SPACED_WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)*")

# Cyrillic and Greek letters that look like Latin ones. Source: confusables.txt of Unicode UTS #39.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u03bf\u03c5\u03b9\u03ba",
    "aeopcyxijshdouik",
)
_LATIN = re.compile("[a-z]")

# Five letters stand for a word: of the stems tried on AttributionBench (none, Snowball, the first
# four, five and six letters) this one agreed best with people, and it needs no list per language.
_STEM_CHARS = 5

_STOP = {
    "en": """a about above after again against all also am an and any are as at be because been
        before being below between both but by can cannot could did do does doing done down during
        each few for from further had has have having he her here hers him his how i if in into is
        it its just m may me might more most must my no nor not now of off on once only or other our
        out over own p pm s same shall she should so some such t than that the their them then there
        these they this those through to too under up us very was we were what when where which
        while who whom whose why will with would you your""",
    "de": """aber alle als also am an auch auf aus bei bin bis bist da damit dann das dass dein dem
        den der des dessen die dies diese dieser dieses doch dort du durch ein eine einem einen
        einer eines er es euer für hat hatte ich ihr ihre im in ist ja jede jeder kann kein keine
        können man mehr mein mit muss nach nicht noch nun nur ob oder ohne sein seine sich sie sind
        so soll über um und uns unter vom von vor war waren was wenn wer werden wie wir wird wo
        wurde wurden zu zum zur""",
    "fr": """a à alors au aucun aussi autre aux avec avoir c ce cela ces cet cette comme d dans de
        des du elle elles en est et été être eu fait il ils j je l la le les leur leurs lui m ma
        mais me même mes moi mon n ne ni nos notre nous on ont ou où par pas pour plus qu que qui s
        sa sans se ses si son sont sur t ta te tes toi ton tu un une vos votre vous y""",
    "es": """a al algo ante antes aunque como con cual cuando de del desde donde durante e el él
        ella ellas ellos en entre era es esa ese eso esta está este esto están fue ha hasta hay la
        las le les lo los más me mi muy ni no nos o os otra otro para pero por porque que qué quien
        se ser si sí sin sobre son su sus también te tiene todo tu tus un una uno unos y ya yo""",
}

_OPPOSITES = (
    ("increase", "decrease"), ("increased", "decreased"), ("increases", "decreases"),
    ("increasing", "decreasing"), ("rise", "fall"), ("rose", "fell"), ("rises", "falls"),
    ("more", "less"), ("more", "fewer"), ("higher", "lower"), ("highest", "lowest"),
    ("larger", "smaller"), ("largest", "smallest"), ("most", "least"), ("maximum", "minimum"),
    ("before", "after"), ("above", "below"), ("allow", "forbid"), ("allowed", "forbidden"),
    ("allowed", "prohibited"), ("permitted", "prohibited"), ("include", "exclude"),
    ("includes", "excludes"), ("included", "excluded"), ("enable", "disable"),
    ("enables", "disables"), ("enabled", "disabled"), ("always", "never"),
    ("required", "optional"), ("mandatory", "optional"), ("first", "last"), ("won", "lost"),
    ("gain", "loss"), ("gains", "losses"), ("profit", "loss"), ("accepted", "rejected"),
    ("approved", "rejected"), ("north", "south"), ("east", "west"), ("northern", "southern"),
    ("eastern", "western"), ("paid", "unpaid"), ("public", "private"), ("old", "new"),
    ("older", "newer"), ("early", "late"), ("earlier", "later"), ("open", "closed"),
    ("start", "end"), ("started", "ended"), ("begin", "end"), ("began", "ended"),
    ("allow", "disallow"), ("allowed", "disallowed"), ("connect", "disconnect"),
    ("connected", "disconnected"), ("approves", "disapproves"), ("approved", "disapproved"),
)  # fmt: skip
_RATES = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month",
    "quarterly": "quarter", "yearly": "year", "annually": "year",
}  # fmt: skip
# "unlocked" and "locked".
_TURNING = "un"
_MIN_TURNED = 5
_NONE: frozenset[str] = frozenset()


def words(text: str) -> Iterator[str]:
    """Yield the words of `text` in order, folded, without possessive endings."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    for match in (_word() if may_be_unspaced(folded) else _SPACED_WORD).finditer(folded):
        yield _of_one_script(match[0]).removesuffix("'s")


def may_be_unspaced(text: str) -> bool:
    """Tell whether `text` may hold letters of a script without blanks: few texts do."""
    return not text.isascii() and max(text) >= _FIRST_UNSPACED


@cache
def _word() -> re.Pattern[str]:
    """Return what is a word in any script: it takes longer to compile than most texts to read."""
    return re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:'[^\W\d_]+)*")


def _of_one_script(word: str) -> str:
    """Read letters of another script as the Latin ones beside them that they look like."""
    return word if word.isascii() or not _LATIN.search(word) else word.translate(_LOOKALIKES)


def stem(word: str) -> str:
    """Return what stands for `word` in comparisons."""
    return word[:_STEM_CHARS]


def content_stems(text: str, language: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order; numbers have their own check."""
    stop = stopwords(language)
    telling = (word for word in words(text) if word not in stop and not word.endswith("n't"))
    return [stem(word) for word in telling if not word.isdecimal()]


def telling_words(text: str, language: str) -> frozenset[str]:
    """Return what tells one sentence from another: its content words and its numbers."""
    numbers = {word for word in words(text) if word.isdecimal()}
    return frozenset(numbers.union(content_stems(text, language)))


@cache
def stopwords(language: str) -> frozenset[str]:
    """Return words that carry no meaning of their own; empty for a language without a list."""
    return frozenset(_STOP.get(language, "").split())


def opposites(word: str) -> frozenset[str]:
    """Return the words that say the contrary of `word`, some that nobody uses among them."""
    plain = word.removeprefix(_TURNING)
    if len(plain) < _MIN_TURNED:
        return _opposites().get(word, _NONE)
    return _opposites().get(word, _NONE) | ({plain, f"{_TURNING}{word}"} - {word})


def nouns_of_rate(word: str) -> tuple[str, ...]:
    """Return the nouns in which a rate may be said: of "daily" these are "day" and "days"."""
    noun = _RATES.get(word)
    return (noun, f"{noun}s") if noun else ()


@cache
def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    rates = (pair for pair in permutations(_RATES, 2) if _RATES[pair[0]] != _RATES[pair[1]])
    for one, other in (*_OPPOSITES, *rates):
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}
