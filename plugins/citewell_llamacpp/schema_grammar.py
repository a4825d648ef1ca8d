"""The grammar of a JSON Schema: llama.cpp's own converter, with its gaps closed."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from itertools import accumulate
from typing import Any

from llama_cpp.llama_grammar import BuiltinRule, SchemaConverter

from citewell_llamacpp.grammar import literal

# A grammar holds optional repetitions one inside the other. Measured: 2,000 can end the process.
_MOST_REPETITIONS = 500
_DEEPEST = 2 * _MOST_REPETITIONS
_MOST_NESTED = 1_000
_ENDLESS = 20
_TOKENS = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|(?P<count>[*+?]|\{\d+(?:,\d*)?\})|.", re.DOTALL)
_MOST_CHARACTERS = 500_000
_BOUNDS = frozenset(("minLength", "maxLength", "minItems", "maxItems"))
_VALUES = frozenset(("const", "enum", "default", "examples"))
# Of a string in JSON; the library's own lets the ends of lines stand there as they are.
_CHARACTER = BuiltinRule(r'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})', [])
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]')


class BadSchema(Exception):
    """The schema has no grammar; says why in one line."""


def schema_grammar(schema: str) -> str:
    """Return a grammar of the JSON that satisfies `schema`, as far as a grammar can tell.

    It cannot tell how large a number is, nor lengths of more than 500; who takes the output
    checks it all the same.

    Args:
        schema: JSON text.

    Raises:
        BadSchema: it has no grammar.
    """
    # The converter fails with whatever its own code fails with.
    try:
        converter = _make(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        known: dict[str, Any] = json.loads(schema)
        _check_patterns(known)
        converter.visit(converter.resolve_refs(_without_long_bounds(known), "schema"), "")
        found: str = converter.format_grammar()
    except BadSchema:
        raise
    except Exception as error:
        raise BadSchema(
            f"the output schema cannot be enforced: {type(error).__name__}: {error}"
        ) from error
    _check_size(found)
    return found


class _Converter(SchemaConverter):
    """Writes quotes, backslashes and letters of all scripts as JSON has them."""

    def _format_literal(self, text: str) -> str:
        with suppress(ValueError):
            text = json.dumps(json.loads(text), ensure_ascii=False)
        return literal(text)

    def _add_primitive(self, name: str, rule: Any) -> Any:
        if name == "char":
            rule = _CHARACTER
        return super()._add_primitive(name, rule)


_make: Any = _Converter


def _without_long_bounds(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_long_bounds(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in _VALUES else _without_long_bounds(value)
        for key, value in schema.items()
        if not (key in _BOUNDS and isinstance(value, int) and value > _MOST_REPETITIONS)
    }


def _check_patterns(schema: Any) -> None:
    """Refuse patterns whose repetitions inside repetitions can be read in too many ways."""
    if isinstance(schema, list):
        for one in schema:
            _check_patterns(one)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "pattern" and isinstance(value, str) and _repetitions(value) > _MOST_NESTED:
                raise BadSchema(
                    f"the output schema has the pattern {value!r}, which repeats what is repeated "
                    f"already more than {_MOST_NESTED:,} times"
                )
            if key not in _VALUES:
                _check_patterns(value)


def _repetitions(pattern: str) -> int:
    """Return the highest product of repetitions that stand inside each other."""
    highest, last = [1], 1
    for token in _TOKENS.finditer(pattern):
        if token[0] == "(":
            highest.append(1)
            last = 1
        elif token[0] == ")" and len(highest) > 1:
            last = highest.pop()
        elif token["count"]:
            bounds = [int(number) for number in re.findall(r"\d+", token["count"])]
            last *= max(bounds, default=_ENDLESS)
        else:
            last = 1
        highest[-1] = max(highest[-1], last)
    return max(highest)


def _check_size(found: str) -> None:
    open_now = accumulate({"(": 1, ")": -1}.get(one, 0) for one in _QUOTED.sub("", found))
    depth = max(open_now, default=0)
    if depth > _DEEPEST or len(found) > _MOST_CHARACTERS:
        raise BadSchema(
            f"the output schema is too large: its grammar has {len(found):,} characters and is "
            f"{depth:,} deep; at most {_MOST_CHARACTERS:,} and {_DEEPEST:,}"
        )
