"""Examples whose answers have a form are told what people's questions will be told with."""

import json

import pytest

import tunings
from citewell.engine.prompting import REFUSAL, chat_messages
from citewell.tuning.data.loading import load
from citewell.tuning.recipes.shaping import shape, system_message
from citewell.tuning.recipes.tables import Form
from citewell.types.questions import Choices, Prompt

SORTS = Form(instructions="Which team?", choices=["billing", "other"])
EXTRACTS = Form(
    output_schema={"type": "object", "required": ["item"], "additionalProperties": False,
                   "properties": {"item": {"type": "string"}}},
)  # fmt: skip


def loaded(folder, *answers, **more):
    rows = [{"prompt": f"Message {at}", "completion": one} for at, one in enumerate(answers)]
    return load(tunings.write(folder / "a.jsonl", [{**row, **more} for row in rows]))


def test_what_a_model_learns_to_be_told_is_what_it_is_told_when_people_ask(tmp_path):
    found = loaded(tmp_path, "billing")

    shape(found, SORTS)

    serving = Prompt(
        instructions="Which team?",
        question="Message 0",
        refusal=REFUSAL,
        constraint=Choices(("billing", "other")),
    )
    told = [{"role": one.role, "content": one.content} for one in found.examples[0].messages]
    assert told[:-1] == chat_messages(serving)
    assert (told[-1]["content"], found.errors) == ("billing", [])


@pytest.mark.parametrize(
    ("form", "answer", "said"),
    [
        (SORTS, "Billing", "'Billing'; expected one of: billing, other"),
        (SORTS, "billing, I think", "expected one of: billing, other"),
        (EXTRACTS, "lamp", "'lamp', which is no JSON"),
        (EXTRACTS, json.dumps({"item": 3}), "output breaks output_schema at $.item: 3 is not of"),
        (EXTRACTS, "{}", "output breaks output_schema at $: 'item' is a required property"),
    ],
)
def test_an_answer_of_another_form_is_told_with_its_line(tmp_path, form, answer, said):
    found = loaded(tmp_path, "other" if form is SORTS else '{"item": "a"}', answer)

    shape(found, form)

    (problem,) = found.errors
    assert (problem.line, problem.field) == (2, "messages[1].content")
    assert said in problem.said
    assert len(found.examples) == 1


def test_what_tells_the_model_something_else_is_refused(tmp_path):
    found = loaded(tmp_path, "billing", system="You sort mail.")

    shape(found, SORTS)

    assert 'tells the model "You sort mail."' in found.errors[0].text


def test_what_tells_it_the_same_already_stays(tmp_path):
    found = loaded(tmp_path, "billing", system=system_message(SORTS))

    shape(found, SORTS)

    assert [one.role for one in found.examples[0].messages] == ["system", "user", "assistant"]
