"""The settings of a recipe that the core itself knows, as what a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from citewell.configs import Config, LocalPath
from citewell.engine.table_reader import NAME
from citewell.engine.tables import Component, Text, form_problem


def _section_name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise ValueError(
            f'"{text}" is no name; expected at most 64 lower-case letters, digits, - and _, like '
            '"support"'
        )
    return text


SectionName: TypeAlias = Annotated[str, AfterValidator(_section_name)]


class Head(Config):
    """What stands at the top of a recipe."""

    name: SectionName | None = Field(
        default=None, description="of its runs; default: the name of the file"
    )
    base: LocalPath = Field(
        description="folder of the model that learns, in the form of Hugging Face: config.json, "
        "the tokenizer, weights as safetensors"
    )
    license: Text | None = Field(default=None, description="of the base, for the model card")
    adapter: LocalPath | None = Field(
        default=None,
        description="folder in the form of PEFT that another trainer made; nothing is trained "
        "then, and there is no [trainer]",
    )
    price_per_hour: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="what an hour of the machine costs"
    )
    currency: Text | None = Field(default=None, description="of price_per_hour, like EUR")
    attempts: int = Field(
        default=3,
        ge=1,
        le=100,
        description="how often a training is tried whose process ends before its time; each goes "
        "on where the one before had saved",
    )


class Data(Config):
    """What is learnt, and what must not be."""

    train: LocalPath = Field(description="file of the examples that are learnt")
    validation: LocalPath | None = Field(
        default=None, description="file of examples that are never learnt, to see how far it is"
    )
    questions: list[LocalPath] = Field(
        default=[], description="files with questions of evaluations, none of which may be learnt"
    )
    by: Text | None = Field(
        default=None,
        description="field that names the document of an example; default: documents",
    )
    region: Text | None = Field(
        default=None, description="country of phone numbers that begin with none, like US or DE"
    )


class Form(Config):
    """The form that every answer has, as the profile has it that the model will answer for."""

    instructions: str = Field(
        default="", description="what the model is told about the answer, as in the profile"
    )
    choices: list[Text] = Field(
        default=[], description="each answer is exactly one of these texts, as in the profile"
    )
    output_schema: dict[str, Any] | None = Field(
        default=None,
        description="each answer is JSON that satisfies this JSON Schema, as in the profile",
    )

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if bool(self.choices) == (self.output_schema is not None):
            raise ValueError("expected choices or output_schema, and one of them alone")
        problem = form_problem(self.choices, self.output_schema)
        if problem is not None:
            raise ValueError(problem)
        return self


class Deploy(Config):
    """Where `citewell deploy` puts what came of it."""

    model: SectionName | None = Field(
        default=None, description="name of the model section; default: the name of the recipe"
    )
    profile: SectionName | None = Field(
        default=None, description="the profile that it answers for; default: the usual one"
    )
    file: Text | None = Field(
        default=None, description="which of the exported files, by its kind; default: the first"
    )


SECTIONS: Mapping[str, type[Config]] = {
    "data": Data,
    "form": Form,
    "trainer": Component,
    "export": Component,
    "deploy": Deploy,
}
