"""What holds for every question and every passage."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from citewell import Prompt
from citewell.testing import make_passages
from citewell_extractive.model import ExtractiveModel
from citewell_extractive.units import units

MODEL = ExtractiveModel(max_sentences=10, bar=0)

any_text = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab cd. ?!\n|[]()0123456789`#-*:$%,\t\u3010\u3011\ud800"), st.characters()
    ),
    max_size=300,
)
VOCABULARY = "leave days portal The employee asks for 28 July 1, 2023. It is. Note sent! why? of"
vocabulary = st.sampled_from(VOCABULARY.split())
line = st.lists(vocabulary, min_size=1, max_size=12).map(" ".join)
prose = st.lists(st.tuples(line, st.sampled_from(["\n", "\n\n", " "])), max_size=8).map(
    lambda parts: "".join(text + gap for text, gap in parts)
)


def answer(question: str, texts: list[str]) -> str:
    prompt = Prompt(
        instructions="", question=question, refusal="REFUSED", passages=make_passages(*texts)
    )
    return MODEL.answer(prompt)


@settings(deadline=None)
@given(question=any_text, texts=st.lists(any_text, max_size=4))
def test_any_input_is_answered_or_refused(question, texts):
    assert isinstance(answer(question, texts), str)


@settings(deadline=None)
@given(question=prose, texts=st.lists(any_text, max_size=4))
def test_no_mark_but_of_a_passage_is_written_outside_code(question, texts):
    text = answer(question, texts)

    outside = re.sub(r"(?ms)^\s*(`{3,}|~{3,}).*?(?:^\s*\1[`~]*\s*$|\Z)|(`+)[^`].*?\2", "", text)
    marks = [int(number) for number in re.findall(r"\[(\d+)\]", outside)]
    assert all(1 <= number <= len(texts) for number in marks)


@settings(deadline=None)
@given(question=prose, texts=st.lists(prose, min_size=1, max_size=4))
def test_every_sentence_stands_in_the_passage_that_it_cites(question, texts):
    text = answer(question, texts)

    if text == "REFUSED":
        return
    folded = [" ".join(passage.split()) for passage in texts]
    for sentence, number in re.findall(r"(.+?) \[(\d+)\](?:\s|$)", text):
        assert sentence.strip() in folded[int(number) - 1]


@settings(deadline=None)
@given(question=prose, texts=st.lists(any_text, min_size=1, max_size=3))
def test_equal_input_gives_equal_output(question, texts):
    assert answer(question, texts) == answer(question, texts)


@settings(deadline=None)
@given(text=any_text)
def test_units_are_in_order_and_hold_something(text):
    position = 0
    for unit in units(make_passages(text)[0]):
        assert position <= unit.start < unit.end <= len(text)
        assert text[unit.start : unit.end].strip()
        position = unit.end
