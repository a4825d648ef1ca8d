"""Units and currencies: which words mean the same, and which of them a number has behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, pairwise

CURRENCY = r"(?:[$€£¥₹]|\b(?:USD|EUR|GBP|JPY|INR|CHF|CNY|CAD|AUD|SEK|NOK|DKK|PLN|CZK|BRL|KRW)\b)"
WORD = r"[%‰]|[AaPp]\.[Mm]\b|°?[^\W\d_]+"

_SAME = """
    % percent per_cent prozent pct pour_cent por_ciento | ‰ permille promille
    | bp bps basis_point basis_points | pp percentage_point percentage_points point points

    | $ usd dollar dollars dólares | € eur euro euros | £ gbp sterling | ¥ jpy yen
    | pound pounds | ₹ inr rupee rupees | chf franc francs franken | cny yuan renminbi | cents
    | krone kroner kronor | cad | aud | sek | nok | dkk | pln | czk | brl | krw

    | day days d tag tage tagen jour jours día días | week weeks wk wks woche wochen semaine
    semaines semana semanas | fortnight fortnights | month months mo mos monat monate monaten mois
    meses | quarter quarters | year years yr yrs jahr jahre jahren ans année années año años
    | decade decades | century centuries | hour hours hr hrs h stunde stunden heure heures hora
    horas | minute minutes min mins minuten minuto minutos | second seconds sec secs s sekunde
    sekunden seconde secondes segundo segundos | ms millisecond milliseconds
    | μs microsecond microseconds | ns nanosecond nanoseconds

    | km kilometer kilometers kilometre kilometres | metre m metres meter meters
    | cm centimetre centimetres centimeter centimeters
    | mm millimetre millimetres millimeter millimeters | mile miles mph | yard yards yd
    | foot feet ft | inch inches | acre acres | hectare hectares ha

    | kg kilogram kilograms kilo kilos | gram g grams gramme grammes | mg milligram milligrams
    | tonne t tonnes ton tons | lb lbs | oz ounce ounces | litre l litres liter liters
    | ml millilitre millilitres milliliter milliliters | gallon gallons

    | bit bits | byte bytes | kb kilobyte kilobytes | mb megabyte megabytes
    | gb gigabyte gigabytes | tb terabyte terabytes | pb petabyte petabytes | kib | mib | gib | tib
    | kbit kbps | mbit mbps | gbit gbps | pixel pixels px

    | hz hertz | khz kilohertz | mhz megahertz | ghz gigahertz | watt w watts
    | kw kilowatt kilowatts | mw megawatt megawatts | gw gigawatt gigawatts | kwh | mwh
    | volt v volts | kv kilovolt kilovolts | mv millivolt millivolts
    | ampere amperes amp amps | ma milliampere milliamperes milliamps

    | am a.m | pm p.m

    | °c celsius degrees_celsius degrees_c | °f fahrenheit degrees_fahrenheit degrees_f
    | kelvin kelvins
"""
_UNITS = {
    word.replace("_", " "): words.split()[0] for words in _SAME.split("|") for word in words.split()
}
# Money or a weight.
_AMBIGUOUS = {"pound": frozenset({"£", "lb"})}
_TIMES = frozenset({"am", "pm"})
# What parts a quantity from what it is counted by: "3 days per week", "20 km/h".
_PER = re.compile(rf"(?:\b(?:per|an?|each|every|pro|par|por)\s+|/\s?)(?P<unit>{WORD})")
_ENGLISH = "en"
# A letter alone is a unit where a title says so: "Time (s)".
_MENTION = re.compile(r"[$€£¥₹%‰]|\b[AaPp]\.[Mm]\b|°?[^\W\d_]{2,}|(?<=\s[(\[])[^\W\d_](?=[)\]])")


def unit_in(words: Sequence[str], language: str) -> str:
    """Return the first unit among the words behind a number; empty when there is none.

    A letter alone is one only when it comes first: "5 h", but not "5 plus h". So is "am", which
    in other languages than English is a word like others.
    """
    for index, word in enumerate(words):
        found = _UNITS.get(" ".join(words[index : index + 2])) or _UNITS.get(word)
        if found in _TIMES and (index or language != _ENGLISH):
            continue
        if found and (index == 0 or len(word) > 1 or not word.isalpha()):
            return found
    return ""


def rate_in(words: str) -> str:
    """Return the unit that the words behind a number count it by; empty when there is none."""
    found = (_UNITS.get(match["unit"]) for match in _PER.finditer(words))
    return next(filter(None, found), "")


def is_same(one: str, other: str) -> bool:
    """Tell whether two units may be the same: "pound" is a currency and a weight."""
    return one == other or one in _AMBIGUOUS.get(other, ()) or other in _AMBIGUOUS.get(one, ())


def units_in(text: str) -> frozenset[str]:
    """Return every unit that stands in `text`, be it beside a number or not."""
    words = [word.lower() for word in _MENTION.findall(text)]
    pairs = map(" ".join, pairwise(words))
    return frozenset(_UNITS[one] for one in chain(words, pairs) if one in _UNITS)
