import pytest

import ggufs
from citewell_llamacpp import grammar
from citewell_llamacpp.native import Native, NativeError
from citewell_llamacpp.sampling import Sampler

FENCED = "Call it so:\n```python\nx[0] = y[2023]  # [99]\n`` [7]\n```\nIt works [1]."


@pytest.fixture(scope="module")
def native():
    opened = Native(str(ggufs.model()), context=256, slots=1, chunk=64, threads=1, gpu_layers=0)
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
    ],
)
def test_what_could_carry_another_number_cannot_be_written(native, text):
    assert not accepts(native, grammar.marks(3), text)


def test_choices_are_exact(native):
    rules = grammar.choices(["alpha", 'be"ta\n', "日本"])

    assert all(accepts(native, rules, text) for text in ("alpha", 'be"ta\n', "日本"))
    assert not any(accepts(native, rules, text) for text in ("alph", "alphaa", "beta", ""))


def test_a_grammar_that_is_none_is_an_error(native):
    with pytest.raises(NativeError, match="grammar"):
        Sampler(native, temperature=0, top_p=1, seed=0, grammar='root ::= "a')
