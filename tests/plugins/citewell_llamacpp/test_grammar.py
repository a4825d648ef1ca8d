import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ggufs
from citewell_llamacpp import grammar
from citewell_llamacpp.native import Native, NativeError
from citewell_llamacpp.sampling import Sampler
from citewell_llamacpp.schema_grammar import BadSchema, schema_grammar
from citewell_llamacpp.wire import File
from markdown_marks import invented

FENCED = "Call it so:\n```python\nx[0] = y[2023]  # [99]\n`` [7]\n```\nIt works [1]."


@pytest.fixture(scope="module")
def native():
    opened = Native(File.at(ggufs.model()), context=256, slots=1, chunk=64, threads=1, gpu_layers=0)
    yield opened
    opened.close()


def accepts(native, rules, text):
    """Tell whether the grammar lets a model write `text` and then end."""
    sampler = Sampler(native, temperature=0, top_p=1, seed=0, grammar=rules)
    try:
        for token in native.plain_tokens(text):
            if not sampler.allows(token):
                return False
            sampler.accept(token)
        return sampler.allows(native.end_token)
    finally:
        sampler.close()


def longest_accepted(native, rules, text):
    """Return `text` without the characters that the grammar refuses, closed where it has to be."""
    sampler = Sampler(native, temperature=0, top_p=1, seed=0, grammar=rules)
    written = b""
    try:
        for part in (text, "1]", "x`", "\n```"):
            for token in native.plain_tokens(part):
                if sampler.allows(token):
                    sampler.accept(token)
                    written += native.piece(token)
            if sampler.allows(native.end_token):
                return written.decode()
        raise AssertionError(written)
    finally:
        sampler.close()


@pytest.mark.parametrize(
    "text",
    [
        "Every employee has 28 days [1]. Ask in the portal [2, 3].\n\n- one [1][2]\n- two",
        FENCED,
        "Use `x[0]` and `[2023]` here [1].",
        "A \\* star and a \\_ line [3].",
        "",
        "`[99]`",
        "```\n[99]\n```",
        "Ünïcode, 漢字 and 🦊 [2].",
        "Pipe it: `ps | grep x` [1].",
        "| a | b |\n|---|---|\n| `x[0]` | one [1] |",
        "R&D at AT&T, a < b, <5 %, <= 10ms, <10ms and x -> y (~5 of them) [2].",
        "```py\n    [99]\n   ``\n\n```\n\nDone [1].",
    ],
)
def test_text_with_given_marks_and_code_can_be_written(native, text):
    assert accepts(native, grammar.marks(3), text)


@pytest.mark.parametrize(
    "text",
    [
        "Invented [4].",
        "Zero [0].",
        "A range [1-3].",
        "Words [see below].",
        "A link [1x](http://a.example).",
        "Wide 【4】.",
        "Full \uff3b1\uff3d.",
        "Two [1,4].",
        "Escaped \\[4\\].",
        "No end [1",
        "An escaped tick \\`[4]\\`.",
        "Two ticks ``[4]``.",
        "Spans `a``[4]`.",
        "A span over `a\n[4]` lines.",
        "Late fence ```\n[4]\n```",
        "```\n[4]",
        "```\na\n```[4]",
        "```\nx\n  ```\n[4]\n```",
        "```\nx\n````\n[4]\n```",
        "~~~\n`[4]`\n~~~",
        "~~~\n```\n~~~\n[4]\n```",
        '<b title="`">[4]<i title="`">',
        "<http://a/`>[4]`",
        "<1`@a.example> [4] `",
        "[1](a`) [4] `",
        "a `\r` [4]",
        "```\nx\r```\r[4]\n```",
        "a\u2028`[4]`",
        "&#91;4&#93;",
        "&lbrack;4&rbrack;",
        "&lsqb;4&rsqb;",
        "| `a|[4]` | b |",
        "`a | b` and `[4]`",
    ],
)
def test_what_could_carry_another_number_cannot_be_written(native, text):
    assert not accepts(native, grammar.marks(3), text)


# What has a meaning next to a backtick or a bracket, in Markdown or in this grammar.
FRAGMENTS = [
    *"`|\\<>()~&\n #*-_:!^\"'",
    *("``", "```", "\n```\n", "~~~", "    ", "\t", "- ", "> ", "1. ", "[1]", "[4]", "[1](", "]"),
    *(
        "[1]: ",
        "<b ",
        "</",
        "<!--",
        "-->",
        "<http://a",
        "@b.example>",
        "&#91;",
        "&lbrack;",
        "&amp;",
    ),
    *("|---|---|\n", "| a | b |\n", "\r", "x", "`[4]`", "`x|y`", "\\`"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
@settings(max_examples=2_000, deadline=None)
def test_whatever_can_be_written_carries_given_numbers_only(native, text):
    # What the grammar refuses is left out on the way, as it would be of a model's tokens.
    written = longest_accepted(native, grammar.marks(3), text)

    assert invented([written], given=3) == []


def test_choices_are_exact(native):
    rules = grammar.choices(["alpha", 'be"ta\n', "日本"])

    assert all(accepts(native, rules, text) for text in ("alpha", 'be"ta\n', "日本"))
    assert not any(accepts(native, rules, text) for text in ("alph", "alphaa", "beta", ""))


def test_a_grammar_that_is_none_is_an_error(native):
    with pytest.raises(NativeError, match="grammar"):
        Sampler(native, temperature=0, top_p=1, seed=0, grammar='root ::= "a')


def test_a_token_that_the_output_leaves_out_is_never_written(native):
    (steers,) = native.tokenize("<|im_start|>")
    sampler = Sampler(native, temperature=0, top_p=1, seed=0, grammar=grammar.choices(["<|im_s"]))
    unbound = Sampler(native, temperature=0, top_p=1, seed=0, grammar="root ::= [^x]*")
    try:
        assert native.piece(steers) == b""
        assert not sampler.allows(steers)
        assert not unbound.allows(steers)
        assert unbound.allows(native.end_token)
    finally:
        sampler.close()
        unbound.close()


@pytest.mark.parametrize(
    ("schema", "texts"),
    [
        ({"enum": ['a"b', "c\\d", "é\n"]}, ['"a\\"b"', '"c\\\\d"', '"é\\n"']),
        ({"type": "string", "maxLength": 100_000}, ['"ab"', '"' + "a" * 600 + '"']),
        (
            {"type": "object", "properties": {'q"é': {"type": "integer"}}, "required": ['q"é']},
            ['{"q\\"é": 12}'],
        ),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 400}, ["[true,false]"]),
    ],
)
def test_a_schema_lets_its_own_json_be_written(native, schema, texts):
    rules = schema_grammar(json.dumps(schema))

    assert all(accepts(native, rules, text) for text in texts)
    assert not any(accepts(native, rules, text[:-1]) for text in texts)


def test_a_string_of_a_schema_is_a_string_of_json(native):
    assert not accepts(native, schema_grammar('{"type": "string"}'), '"two\nlines"')


@pytest.mark.parametrize(
    "schema", ['{"type": "string", "pattern": "^(ab){0,5000}$"}', "[]", "{", '{"$ref": "x"}']
)
def test_a_schema_without_a_grammar_is_an_error(schema):
    with pytest.raises(BadSchema, match="the output schema"):
        schema_grammar(schema)
