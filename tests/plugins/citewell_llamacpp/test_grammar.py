import json
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ggufs
from citewell.engine.citing.sanitizing import _printable
from citewell_llamacpp import grammar
from citewell_llamacpp.native import Native, NativeError
from citewell_llamacpp.sampling import Sampler
from citewell_llamacpp.schema_grammar import BadSchema, schema_grammar
from citewell_llamacpp.wire import File
from markdown_marks import invented

FENCED = "Call it so:\n```python\nx[0] = y[2023]  # [99]\n`` [7]\n```\nIt works [1]."


_KEPT = []


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
    rest_of_a_character = [native.plain_tokens(chr(0x80 + at))[1] for at in range(0x40)]
    written = b""

    def write(token):
        nonlocal written
        if sampler.allows(token):
            sampler.accept(token)
            written += native.piece(token)
            return True
        return False

    try:
        for part in (text, "1]", "x`", "\n```"):
            for token in native.plain_tokens(part):
                if not write(token) and not _is_whole(written):
                    # The first bytes of a refused character begin others too.
                    while not _is_whole(written):
                        assert any(map(write, rest_of_a_character))
                    write(token)
            if sampler.allows(native.end_token):
                return written.decode()
        raise AssertionError(written)
    finally:
        sampler.close()


def _is_whole(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


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
        "5 € – “quotes”, § 5, 20 ° • £ → これは（カタカナ）です [1].",  # noqa: RUF001 - it must be writable
        "किताब می‌خواهم 👩‍👩‍👧 é [1].",
        'Bold **`x[0]`**, (`y`), "`z`", `a`/`b`, 10⁴ m² [1].',
        "See https://docs.example/a?b=c&d=e and www.a.example [1].",
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
        "&amp;lsqb;4&amp;rsqb;",
        "&\u200blsqb;4&\u200brsqb;",
        "```\n\u3000```\nx [4] y.\n```",
        "```\n\u00a0```\n[4]\n```",
        "```\n``\u200b`\n[4]\n```",
        "`a`\u200b`\u200b` `[4]`",
        "`a`\u00ad`\u00ad` `[4]`",
        "`\u200b` `[4]`",
        "\\\u200b`[4]`",
        "www.a.example/`[4]`",
        "http://a.example/`[4]`",
        "[1]: http://a.example",
        "[1]\u200b(http://a.example)",
        "Leave is 28 days ④.",
        "Leave is 28 days ⁴",
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
    *("\u200b", "\u00ad", "\u200d", "\u00a0", "\u3000", "\ufe0f", "\ue000", "\u0378", "④", "⁴"),
    *("lsqb;", "amp", "www.a.example/", "http://a.example/", "**", "( ", "é", "漢"),
    *("|---|---|\n", "| a | b |\n", "\r", "x", "`[4]`", "`x|y`", "\\`"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
@settings(max_examples=2_000, deadline=None)
def test_whatever_can_be_written_carries_given_numbers_only(native, text):
    # What the grammar refuses is left out on the way, as it would be of a model's tokens.
    written = longest_accepted(native, grammar.marks(3), text)

    assert invented([written], given=3) == []


def test_every_reader_sees_what_is_taken_for_visible():
    shown = re.compile(grammar._visible())
    hidden = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if shown.fullmatch(character) and (character.isspace() or _printable(character) == "")
    ]

    assert shown.fullmatch("漢")
    assert hidden == []


def test_a_token_that_is_no_part_of_a_text_is_never_written(tmp_path):
    """llama.cpp reads other characters in it than whoever decodes UTF-8."""
    path = tmp_path / "odd.gguf"
    odd = (b"\xc3[4]", b"a\0[4]", b"\x80\xc3[4]")
    ggufs.write_model(path, ggufs.Shape(whole=odd))
    opened = Native(File.at(path), context=256, slots=1, chunk=64, threads=1, gpu_layers=0)
    # The library calls the journal of the last one for all that are open.
    _KEPT.append(opened)
    try:
        pieces = {opened.piece(token): token for token in range(opened.vocabulary_size)}
        sampler = Sampler(opened, temperature=0, top_p=1, seed=0, grammar="root ::= [^x]*")
        allowed = [piece for piece in odd if sampler.allows(pieces[piece])]
        halves = [pieces[bytes([byte])] for byte in (0xC3, 0xA9)]
        sampler.close()
    finally:
        opened.close()

    assert allowed == []
    assert not opened.unwritten & {*halves}


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
    "schema",
    [
        '{"type": "string", "pattern": "^(ab){0,5000}$"}',
        '{"type": "string", "pattern": "^(((a{0,60}){0,60}){0,60})$"}',
        '{"items": {"type": "string", "pattern": "^((a*)*)*((b+|c)*)*((((x*)*)*)*)$"}}',
        "[]",
        "{",
        '{"$ref": "x"}',
    ],
)
def test_a_schema_without_a_grammar_is_an_error(schema):
    with pytest.raises(BadSchema, match="the output schema"):
        schema_grammar(schema)
