"""Questions of English sentences that state one fact, by the rules of the language alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from citewell.evaluation.making.english import ANAPHORA, Clause, clause

_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_YEAR = r"(?:1\d{3}|20\d\d)"
_DATE = rf"(?:\d{{1,2}} {_MONTH} {_YEAR}|{_MONTH} \d{{1,2}}, {_YEAR}|{_MONTH} {_YEAR}|{_YEAR})"
_WORDS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"
_SCALE = r"(?:\s(?:thousand|million|billion|trillion))?"
_NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|{_WORDS}){_SCALE}"
_MONEY = rf"[$€£]\s?\d[\d,]*(?:\.\d+)?{_SCALE}"
_PERCENT = r"\d+(?:\.\d+)?\s?(?:%|percent\b|per cent\b)"
_ABOUT = (
    r"(?:(?:about|approximately|around|nearly|almost|over|more than|at least|at most|up to"
    r"|roughly|only|just|exactly|some|a total of|an estimated)\s)?"
)
_NO_NOUN = r"(?!%|percent|per cent|(?:of|to|more|other|further|such)\b)"
_UNIT = r"(?:(?:working|business|calendar)\s)?(?:second|minute|hour|day|week|month|quarter|year)s"
_LONG_UNITS = "seconds minutes hours days weeks months years decades centuries".split()
_MEASURES = r"(?:long|high|wide|deep|tall|old|large|thick|heavy)"
_QUANTITIES = frozenset(
    """population price cost costs fee limit deadline length number height area rate salary minimum
    maximum revenue income total percentage temperature distance speed size age weight value
    period duration elevation budget capacity score attendance density depth width notice term
    share allowance""".split()
)
_PLACED = "(?:located|situated|based|born|headquartered|held|buried|stored|kept)"
_NAME = r"(?:the\s)?[A-Z][\w.'’-]*(?:\s(?:of\s|de\s|von\s|the\s|and\s)?[A-Z][\w.'’-]*){0,5}"
_BOUNDARY = re.compile(
    r"\s(?:in|on|at|by|for|from|to|with|as|when|until|during|after|before|since|and|but|which|that"
    r"|who|through|across|within|between|over|under|among|about|around|into|while|if|because|who"
    r"|available|located)\s"
)
_ASIDE = re.compile(r"\s\([^()]*\)")
_LEADING = re.compile(
    r"(?:In|On|At|By|As of|During|Under|Since|Between|After|Before|Until|For)\s[^,]{3,60}"
    r"(?:, \d{4})?,"
)
_LEAD = re.compile(rf"(?P<lead>{_LEADING.pattern[:-1]}), (?P<main>.+)")
_POINTING = re.compile(r"\b(?:that|this|these|those|his|her|their|its|example|addition|and)\b")
_WEEKDAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_CLOCK = r"\d{1,2}(?::\d\d)?\s?(?:a\.?m\.?|p\.?m\.?|o'clock)|\d{1,2}:\d\d|noon|midnight"
_AGENT = re.compile(
    r"(?:the|your|their|an?)\s(?:[\w-]+\s){0,3}(?:\w+(?:er|or|ist)|team|department|board|office"
    r"|committee|council|court|company|desk|staff|government|agency)"
)
_BREAK = re.compile(r"[,;:(—–]|\s(?:which|who|where|while|although|but|because|when)\s")
_UNCLEAR = re.compile(
    r"\b(?:respectively|as follows|following|see|above|below|former|latter)\b"
    r"|\b(?:Figure|Table|Section|Note|Chapter|Item)\s\d|https?://|\.\.\.|…",
)
_DANGLING = frozenset("in on at by for from to with of as and or about into through".split())
_MAX_WORDS = 34
_MIN_WORDS = 4
_MAX_ASKED_WORDS = 20
_AT_LEAST = 3


class Asked(Struct, frozen=True):
    """A question of a sentence, and its answer as the sentence writes it."""

    question: str
    answer: str
    merit: int = 0


def asked(sentence: str, names: frozenset[str]) -> Iterator[Asked]:
    """Yield the questions that can be asked of a sentence without a doubt about their grammar.

    Args:
        sentence: English, in one line.
        names: words that its document writes with a capital letter also within sentences.
    """
    text = sentence.rstrip(" .")
    is_fit = _MIN_WORDS <= len(text.split()) <= _MAX_WORDS and sentence.endswith(".")
    if not is_fit or _UNCLEAR.search(text) or text.count('"') % 2:
        return
    text = _ASIDE.sub("", text)
    known: set[str] = set()
    for part in dict.fromkeys((text, _main(text))):
        for one in (*_of_subject(part), *_of_clauses(part, names)):
            count = len(one.question.split())
            is_short = _AT_LEAST <= count <= _MAX_ASKED_WORDS
            # What an aside stood in is not written so.
            is_written = one.answer in sentence and one.question not in known
            if is_short and is_written and _is_clear(one.question):
                known.add(one.question)
                yield one


def _main(text: str) -> str:
    """Return the main clause that a sentence begins with, or all of it where that is unclear."""
    begin = _LEADING.match(text)
    found = _BREAK.search(text, begin.end() if begin else 0)
    if found is None:
        return text
    behind = text[found.end() :]
    is_list = re.match(r"\s*(?:and|or|\d)\b|(?:\s*[\w’'-]+){1,4}(?:,|\s(?:and|or)\s)", behind)
    head = text[: found.start()]
    is_half = _DANGLING.intersection(head.split()[-1:]) or len(head.split()) < _MIN_WORDS
    return text if is_half or (found[0] == "," and is_list) else head


def _is_clear(question: str) -> bool:
    """Tell whether a question names what it is about, and holds nothing that is half open."""
    pronouns = set("it they them he she him this these those his her we our us i".split())
    pieces = re.findall(r"[\w’']+", question.lower())
    is_nested = {"what", "which", "who", "where", "why"}.intersection(pieces[2:])
    return (
        not is_nested and pronouns.isdisjoint(pieces) and question.count("(") == question.count(")")
    )


def _of_subject(text: str) -> Iterator[Asked]:
    """Ask how many or what share, where a number begins the sentence."""
    many = re.fullmatch(
        rf"{_ABOUT}({_NUMBER})\s(?!of\b|to\b|and\b)([a-z][^,;:()]+)", text, re.IGNORECASE
    )
    if (
        many
        and not re.fullmatch(_YEAR, many[1])
        and re.match(r"(?:[a-z-]+\s){0,2}[a-z-]+s\b", many[2])
    ):
        yield Asked(f"How many {many[2]}?", many[1], 5)
    share = re.fullmatch(rf"{_ABOUT}({_PERCENT})\s(of\s[^,;:()]+)", text, re.IGNORECASE)
    if share:
        yield Asked(f"What percentage {share[2]}?", share[1], 5)


def _of_clauses(text: str, names: frozenset[str]) -> Iterator[Asked]:
    dated = re.match(rf"(?:In|On|By)\s({_DATE}),?\s(.+)", text)
    if dated:
        found = clause(dated[2], names)
        head = _head(found.rest) if found is not None else ""
        if found is not None and head and not re.search(_DATE, dated[2]):
            yield Asked(found.ask("When", head), dated[1], 4)
        for one in _of_subject(_head(dated[2])):
            yield Asked(f"{one.question[:-1]} in {dated[1]}?", one.answer, one.merit)
        return
    there = re.fullmatch(rf"There (are|were) {_ABOUT}({_NUMBER}) ([a-z][^,;:()]+)", text)
    if there:
        counted, behind = _split(there[3])
        yield Asked(f"How many {counted} {there[1]} there{behind}?", there[2], 5)
        return
    lead = _LEAD.fullmatch(text)
    found = clause(lead["main"] if lead else text, names)
    if found is None or (lead and _POINTING.search(lead["lead"])):
        return
    for rule in _RULES:
        for one in rule(found):
            if lead is None:
                yield one
            elif one.question.startswith(("How", "What percentage", "Of how", "By whom")):
                behind = f"{lead['lead'][0].lower()}{lead['lead'][1:]}"
                yield Asked(f"{one.question[:-1]} {behind}?", one.answer, one.merit)


def _head(text: str) -> str:
    """Return what stands before the first break; nothing where that leaves something half said."""
    head = _BREAK.split(text, maxsplit=1)[0].strip()
    is_cut = len(head) < len(text.strip())
    last = head.split()[-1:]
    return "" if is_cut and (" that " in f" {head} " or _DANGLING.intersection(last)) else head


def _split(text: str) -> tuple[str, str]:
    """Split what is counted from what is said of it, which begins with a blank."""
    match = _BOUNDARY.search(text)
    cut = match.start() if match else len(text)
    return text[:cut], text[cut:]


def _when(found: Clause) -> Iterator[Asked]:
    matches = [*re.finditer(rf"(?:^|\s)(?:in|on)\s({_DATE})(?=$|[\s,;])", found.rest)]
    if len(matches) != 1 or len(re.findall(_DATE, found.rest)) != 1:
        return
    match = matches[0]
    before, behind = found.rest[: match.start()], found.rest[match.end() :]
    if (before or found.verb) and not _BREAK.search(before):
        tail = "" if re.match(r"\s?(?:,|;|and\b|or\b|to\b|when\b|-)", behind) else _head(behind)
        yield Asked(found.ask("When", f"{before} {tail}"), match[1], 5)


def _at_what_time(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(
        rf"(?:(.*?)\s)?(?:(?:on|every|by)\s({_WEEKDAY}s?)|(?:at|by|until)\s({_CLOCK}))", found.rest
    )
    before = (match[1] or "") if match else ""
    if match and (before or found.verb) and not _BREAK.search(before):
        yield Asked(found.ask("When", before), match[2] or match[3], 5)


def _what_for(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(
        r"((?:\w+ly\s)?(?:used|designed|intended|meant))\s(?:to|for)\s(.+)", found.rest
    )
    if match and found.is_be and not _BREAK.search(found.rest) and len(match[2].split()) >= 2:
        yield Asked(found.ask("What", f"{match[1]} for"), match[2], 4)


def _where(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(rf"(.*\b{_PLACED})\s(?:in|at|near)\s((?:the\s|a\s)?[A-Z].*)", found.rest)
    if match and found.is_be and not _BREAK.search(found.rest) and len(match[2].split()) <= 7:
        yield Asked(found.ask("Where", match[1]), match[2], 5)


def _by_whom(found: Clause) -> Iterator[Asked]:
    match = re.match(
        rf"((?:(?:also|later|been|\w+ly)\s)*\w+(?:ed|en|wn|ght|lt|de|nt)(?:\s.*)?)\sby\s({_NAME})"
        r"(?=$|,|\s(?:in|on|to)\s)",
        found.rest,
    )
    if match and found.is_be and not _BREAK.search(match[1]):
        yield Asked(found.ask("By whom", match[1]), match[2], 4)
    agent = re.fullmatch(
        rf"((?:be\s)?\w+(?:ed|en|wn|ght|lt|de|nt)(?:\s.*)?)\sby\s({_AGENT.pattern})", found.rest
    )
    if agent and not found.verb and not _BREAK.search(agent[1]):
        yield Asked(found.ask("By whom", agent[1]), agent[2], 4)


def _how_many(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(
        rf"((?:of|into)\s)?{_ABOUT}({_NUMBER})\s{_NO_NOUN}([a-z].+)",
        found.rest,
    )
    if not match or re.fullmatch(_YEAR, match[2]):
        return
    rest = _BREAK.split(match[3], maxsplit=1)
    if len(rest) > 1 and re.match(r"\s?(?:and|or|\d)", rest[1]):
        return
    counted, behind = _split(rest[0].strip())
    last = counted.partition(" of ")[0].partition(" a ")[0].partition(" per ")[0].split()[-1]
    if not last.endswith("s") and last not in {"people", "men", "women", "children"}:
        return
    if found.verb in {"last", "take"} and counted in _LONG_UNITS:
        yield Asked(found.ask("How long", behind), f"{match[2]} {counted}", 5)
    elif found.verb or match[1]:
        words = f"{match[1]}how many {counted}" if match[1] else f"how many {counted}"
        yield Asked(found.ask(words[0].upper() + words[1:], behind), match[2], 6)


def _within(found: Clause) -> Iterator[Asked]:
    words = r"within|for up to|for at least|for|after|at least|up to|every"
    matches = [*re.finditer(rf"\s({words})\s({_NUMBER})\s({_UNIT})\b", found.rest)]
    if len(matches) != 1 or _BREAK.search(found.rest):
        return
    match = matches[0]
    word = match[1].split()[0] if match[1].startswith("for") else match[1]
    before, behind = found.rest[: match.start()], found.rest[match.end() :]
    # What hangs on the number goes with it: "30 days of the expense".
    hanging = re.match(r"\s(?:of|before|after|from|in)\s\S.*", behind)
    head = f"{word.capitalize()} how many {match[3]}{hanging[0] if hanging else ''}"
    yield Asked(
        found.ask(head, f"{before} {'' if hanging else behind}"), f"{match[2]} {match[3]}", 6
    )


def _how_much(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(rf"{_ABOUT}({_MONEY})(\s.+)?", found.rest)
    if not match or _BREAK.search(found.rest):
        return
    behind = (match[2] or "").strip()
    if not behind or re.match(r"(?:in|on|for|from|to|per|a|each|at)\s", behind):
        yield Asked(found.ask("How much", behind), match[1], 6)
    elif behind.startswith("of "):
        yield Asked(found.ask(f"How much {behind}", ""), match[1], 4)


def _quantity(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(
        rf"{_ABOUT}({_PERCENT}|{_NUMBER}(?:\s[a-z]+s)?)((?:\s(?:as of|in|at|per|for|on)\s.+)?)",
        found.rest,
    )
    head = re.split(r"\s(?:of|in|for|at|on|per)\s", found.subject)[0].split()[-1]
    if match and found.is_be and head in _QUANTITIES and not re.fullmatch(_YEAR, match[1]):
        yield Asked(found.ask("What", _head(match[2])), match[1], 6)
    tall = re.fullmatch(rf"{_ABOUT}({_NUMBER}\s[a-z]+)(?:\s\([^)]*\))?\s({_MEASURES})", found.rest)
    if tall and found.is_be:
        yield Asked(found.ask(f"How {tall[2]}", ""), tall[1], 6)


def _percentage(found: Clause) -> Iterator[Asked]:
    match = re.fullmatch(rf"{_ABOUT}({_PERCENT})\s(of\s[^,;:()]+)", found.rest)
    if match:
        counted, behind = _split(f" {match[2]}")
        yield Asked(found.ask(f"What percentage{counted}", behind), match[1], 6)


def _called(found: Clause) -> Iterator[Asked]:
    match = re.match(r"((?:also\s|sometimes\s)?(?:called|known as))\s([^,;:()]{3,60})$", found.rest)
    if match and found.is_be and match[2].split()[0] not in _DANGLING:
        yield Asked(found.ask("What", match[1]), match[2].strip('"“” '), 5)


def _why(found: Clause) -> Iterator[Asked]:
    before, word, reason = found.rest.partition(" because ")
    if word and before and not _BREAK.search(before) and 3 <= len(reason.split()) <= 18:
        yield Asked(found.ask("Why", before), reason, 5)


def _who(found: Clause) -> Iterator[Asked]:
    """Ask who did or said it, where the subject is a name and the verb takes somebody."""
    name = re.fullmatch(_NAME, found.subject)
    rest = _head(found.rest)
    says = found.verb in _SAYING and rest.startswith("that ")
    does = found.verb in _DOING and found.helper == "did" and re.match(_PERSON, found.subject)
    if name and (says or does) and len(rest.split()) >= 2:
        yield Asked(f"Who {found.form} {rest}?", found.subject, 5)


def _whom(found: Clause) -> Iterator[Asked]:
    match = re.match(rf"({_NAME})(?=$|,|\s(?:in|on|as|at|to|with|for)\s)", found.rest)
    if match and found.verb in _MEETING:
        tail = found.rest[match.end() :]
        yield Asked(found.ask("Whom", _head(tail) if tail[:1] != "," else ""), match[1], 5)


def _what(found: Clause) -> Iterator[Asked]:
    """Ask what something is that a sentence defines."""
    match = re.fullmatch(r"(an?|one of the)\s(.{12,})", found.rest)
    subject = found.subject.split()
    if not match or found.helper not in {"is", "are", "was"} or len(subject) > 5:
        return
    if subject[0].lower() in ANAPHORA or re.search(r"\s(?:of|in|for)\s", found.subject):
        return
    is_person = re.fullmatch(_PERSON, found.subject)
    word = "Who" if is_person and found.helper == "was" and re.search(_PEOPLE, match[2]) else "What"
    yield Asked(f"{word} {found.helper} {found.subject}?", _head(found.rest), 3)


_PERSON = r"(?:[A-Z][a-zé.'’-]+\s){1,3}[A-Z][a-zé.'’-]+$"
_SAYING = frozenset(
    """argue report suggest estimate claim announce propose state show believe""".split()
)
_DOING = frozenset("invent discover write marry propose publish teach argue introduce".split())
_MEETING = frozenset("defeat replace marry appoint meet elect name attack surrender".split())
_PEOPLE = (
    r"\b(?:\w+ist|\w+ian|\w*(?:leader|king|queen|emperor|writer|author|professor|founder|general"
    r"|president|priest|monk|reformer|engineer|player|inventor|poet|painter|actor|singer))\b"
)

_RULES: tuple[Callable[[Clause], Iterator[Asked]], ...] = (
    _when,
    _at_what_time,
    _where,
    _what_for,
    _by_whom,
    _how_many,
    _within,
    _how_much,
    _quantity,
    _percentage,
    _called,
    _why,
    _who,
    _whom,
    _what,
)
