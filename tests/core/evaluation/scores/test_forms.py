"""A form is checked without being at the mercy of whoever wrote it."""

import json

import pytest

from citewell import Unscored
from citewell.evaluation.scores import scored
from citewell.evaluation.scores.forms import output_schema, pattern
from scored_cases import case, item, said

HOSTILE = "(?:(?:(?:a{1,20}){1,20}){1,20})b"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
NUMBER = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


@pytest.mark.parametrize(
    ("text", "expression", "expected"),
    [
        ("28 days", r"\d+ days", 1),
        (" 28 days\n", r"\d+ days", 1),
        ("It is 28 days", r"\d+ days", 0),
        ("a\nb", "a.b", 0),
        ("a\nb", "(?s)a.b", 1),
        ("", "", 1),
    ],
)
def test_the_whole_text_matches_a_pattern(text, expression, expected):
    assert pattern(case(text, pattern=expression)) == expected


def test_an_expression_that_takes_too_long_is_given_up():
    score = pattern(case("a" * 20_000, pattern=HOSTILE))

    assert score == Unscored("the pattern takes more than 0.5 s of this text")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("a{999999999}", "the pattern repeats more than 10,000 times"),
        ("(?:a{200}){200}", "the pattern repeats more than 10,000 times"),
        ("(?x)a{ 99 999 }", "the pattern repeats more than 10,000 times"),
        ("a" * 2001, "the pattern has 2,001 characters; expected at most 2,000"),
        ("(", "missing )"),
    ],
)
def test_an_expression_that_cannot_be_tried_is_unscored(expression, reason):
    score = scored(item(pattern=expression), said("aaa"))["pattern"]

    assert isinstance(score, Unscored)
    assert reason in score.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"days": 28}', 1),
        ('```json\n{"days": 28}\n```\n', 1),
        ('````\n{"days": 28}\n````', 1),
        ('{"days": "28"}', 0),
        ('Here it is: {"days": 28}', 0),
        ('{"days": NaN}', 0),
        ("[" * 100_000, 0),
        ("", 0),
    ],
)
def test_json_satisfies_its_schema(text, expected):
    assert output_schema(case(text, output_schema=NUMBER)) == expected


def test_a_schema_that_is_wrong_is_unscored():
    score = output_schema(case("{}", output_schema={"type": "objekt"}))

    assert isinstance(score, Unscored)
    assert score.reason.startswith("output_schema at ")


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": HOSTILE},
        {"$schema": DRAFT_7, "pattern": HOSTILE, "properties": {"days": {"$ref": "#"}}},
        {"propertyNames": {"pattern": HOSTILE}},
        {"items": {"pattern": HOSTILE}},
    ],
)
def test_a_pattern_within_a_schema_is_given_up_as_well(schema):
    text = "a" * 20_000
    value = {"propertyNames": {text: 1}, "items": [text], "properties": {"days": text}}
    chosen = next((value[name] for name in value if name in schema), text)

    score = output_schema(case(json.dumps(chosen), output_schema=schema))

    assert score == Unscored("output_schema: a pattern cannot be tried: regex timed out")


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {HOSTILE: {}}},
        {"properties": {"days": {"$schema": DRAFT_7, "pattern": HOSTILE}}},
    ],
)
def test_what_leads_around_the_bound_is_not_tried(schema):
    assert isinstance(output_schema(case("{}", output_schema=schema)), Unscored)


@pytest.mark.parametrize(("text", "expected"), [('"28 days"', 1), ('"28"', 0), ("28", 1)])
def test_a_pattern_within_a_schema_is_searched_for(text, expected):
    assert output_schema(case(text, output_schema={"pattern": r"^\d+ days"})) == expected


def test_a_list_of_the_models_own_is_no_mark():
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 2}

    scores = scored(item(output_schema=schema), said(json.dumps([1, 2])))

    assert scores["output_schema.raw"] == 1
    assert scores["correct.raw"] == 1
