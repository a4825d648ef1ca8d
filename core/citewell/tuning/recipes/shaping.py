"""Examples whose answers have a form, told what people's questions will be told with."""

from __future__ import annotations

from msgspec.structs import replace

from citewell.engine.prompting import REFUSAL, chat_messages
from citewell.engine.structure import checked
from citewell.errors import PromptRefused
from citewell.tuning.data.examples import Example, Kind, Message
from citewell.tuning.data.loading import Loaded
from citewell.tuning.data.problems import Concern, Problem, shown
from citewell.tuning.recipes.tables import Form
from citewell.types.questions import Choices, OutputSchema, Prompt


def shape(loaded: Loaded, form: Form) -> None:
    """Let the examples of a file begin with what a model is told when it is asked.

    Those whose answers have another form, or that tell the model something else, become problems.
    """
    told = system_message(form)
    sound: list[Example] = []
    for example in loaded.examples:
        found = None if example.kind is not Kind.CHAT else _problem(loaded, example, form, told)
        if found is None:
            sound.append(_beginning_with(example, told))
        else:
            loaded.problems.append(found)
    loaded.examples = sound


def system_message(form: Form) -> str:
    """Return what a model is told before each question."""
    prompt = Prompt(
        instructions=form.instructions, question="", refusal=REFUSAL, constraint=_wanted(form)
    )
    return chat_messages(prompt)[0]["content"]


def _wanted(form: Form) -> Choices | OutputSchema:
    if form.output_schema is not None:
        return OutputSchema(form.output_schema)
    return Choices(tuple(form.choices))


def _problem(loaded: Loaded, example: Example, form: Form, told: str) -> Problem | None:
    first, last = example.messages[0], len(example.messages) - 1
    if first.role == "system" and first.content != told:
        return _at(
            loaded,
            example,
            "messages[0]",
            (
                f'tells the model "{shown(first.content)}"',
                "what it is told when people ask, which [form] adds",
                "delete the message, or change [form]",
            ),
        )
    try:
        checked(example.messages[last].content.strip(), _wanted(form))
    except PromptRefused as error:
        said = shown(str(error).removeprefix("it wrote ").removeprefix("its "), most=200)
        return _at(
            loaded,
            example,
            f"messages[{last}].content",
            (f"is not of the [form]: {said}", "an answer of that form", "mend the answer"),
        )
    return None


def _beginning_with(example: Example, told: str) -> Example:
    if example.kind is not Kind.CHAT or example.messages[0].role == "system":
        return example
    return replace(example, messages=(Message("system", told), *example.messages))


def _at(loaded: Loaded, example: Example, field: str, told: tuple[str, str, str]) -> Problem:
    said, expected, fix = told
    return Problem(
        file=loaded.path,
        line=example.line,
        field=field,
        concern=Concern.FIELD,
        said=said,
        expected=expected,
        fix=fix,
    )
