"""Whether a text has the form that is asked for: a regular expression, a JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from citewell.engine.schemas import schema_problem, value_problem
from citewell.evaluation.scores.cases import Case
from citewell.types.evaluation import Score, Unscored

if TYPE_CHECKING:
    import regex

PATTERN_TIMEOUT_S = 0.5
"""An expression that needs longer for one text is given up."""

MAX_PATTERN_CHARS = 2_000
# The library writes out what is repeated: `a{999999999}` would fill the memory.
MAX_REPEATS = 10_000
_REPEATED = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_FENCED = re.compile(r"(?P<fence>`{3,})(?:json)?[ \t]*\n(?P<inside>.*)\n(?P=fence)", re.DOTALL)


def pattern(case: Case) -> Score:
    """Return whether the whole text matches the expression, blank space around it aside."""
    if case.item.pattern is None:
        return None
    try:
        found = _compiled(case.item.pattern).fullmatch(case.text.strip(), timeout=PATTERN_TIMEOUT_S)
    except TimeoutError:
        return Unscored(f"the pattern takes more than {PATTERN_TIMEOUT_S:g} s of this text")
    return float(found is not None)


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> regex.Pattern[str]:
    """Compile what a stranger may have written.

    Raises:
        ValueError: it is too long or repeats too much to be tried.
    """
    import regex

    if len(expression) > MAX_PATTERN_CHARS:
        raise ValueError(
            f"the pattern has {len(expression):,} characters; expected at most "
            f"{MAX_PATTERN_CHARS:,}"
        )
    repeats = 1
    for match in _REPEATED.finditer("".join(expression.split())):
        repeats *= max(int(match[1] or 0), int(match[2] or 0), 1)
        if repeats > MAX_REPEATS:
            raise ValueError(f"the pattern repeats more than {MAX_REPEATS:,} times")
    return regex.compile(expression)


def output_schema(case: Case) -> Score:
    """Return whether the text is JSON that satisfies the schema; a fence around it may be there."""
    if case.item.output_schema is None:
        return None
    schema = _checked_schema(json.dumps(case.item.output_schema, sort_keys=True))
    if isinstance(schema, Unscored):
        return schema
    text = case.text.strip()
    fenced = _FENCED.fullmatch(text)
    try:
        value: Any = json.loads(
            fenced["inside"] if fenced else text, strict=False, parse_constant=_no_json
        )
    except (ValueError, RecursionError):
        return 0.0
    bounded = _BoundedPatterns()
    problem = value_problem(value, schema, keywords={"pattern": bounded.check})
    return bounded.unscored or float(problem is None)


class _BoundedPatterns:
    """The keyword `pattern`: as a stranger's schema has it, it could search forever.

    Attributes:
        unscored: why the value could not be judged.
    """

    def __init__(self) -> None:
        self.unscored: Unscored | None = None

    def check(
        self, validator: Any, expression: str, instance: Any, schema: object
    ) -> Iterator[Exception]:
        """Yield what is wrong with `instance`."""
        from jsonschema import ValidationError

        del schema
        if not validator.is_type(instance, "string"):
            return
        try:
            found = _compiled(expression).search(instance, timeout=PATTERN_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - the library may raise anything of its own
            self.unscored = Unscored(f"output_schema: a pattern cannot be tried: {error}")
            found = None
        if found is None:
            yield ValidationError("does not match a pattern")


@lru_cache(maxsize=1024)
def _checked_schema(text: str) -> dict[str, Any] | Unscored:
    """Return a schema in which nothing leads around the bound of patterns, or what is wrong."""
    schema: dict[str, Any] = json.loads(text)
    problem = schema_problem(schema)
    if problem is not None:
        return Unscored(f"output_schema {problem}")
    if any("patternProperties" in one for one in _objects(schema)):
        return Unscored("output_schema: patternProperties is not tried, as it could search forever")
    if any("$schema" in one for one in _objects(schema) if one is not schema):
        return Unscored("output_schema: expected $schema at its beginning alone")
    return schema


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _objects(one)


def _no_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
