"""Each component has a section to paste, and it is right."""

import re
import tomllib

import pytest
from pydantic import Field, SecretStr, model_validator

from citewell import Config, EmbedderName, ModelSpec
from citewell.engine.example_sections import example_problems, example_section
from citewell.engine.offers import KINDS
from citewell.engine.registry import Registry
from citewell.engine.settings import settings_of

REGISTRY = Registry.load(strict=True)
COMPONENTS = [
    pytest.param(kind.name, spec, id=f"{kind.name} {name}")
    for kind in KINDS
    if kind.name not in {"command", "health check"}
    for name, spec in REGISTRY.components(kind.name).items()
]


@pytest.mark.parametrize(("kind", "spec"), COMPONENTS)
def test_the_example_of_an_installed_component_is_right(kind, spec):
    section = tomllib.loads(example_section(kind, spec))

    assert f'use = "{spec.name}"' in example_section(kind, spec)
    assert example_problems(kind, spec) == []
    assert len(section) == 1


@pytest.mark.parametrize(("kind", "spec"), COMPONENTS)
def test_an_example_without_the_signs_of_its_comments_is_toml(kind, spec):
    text = re.sub("^# ", "", example_section(kind, spec), flags=re.MULTILINE)

    told = tomllib.loads(text)
    while "use" not in told:
        (told,) = told.values()
    names = {field.alias or name for name, field in spec.config.model_fields.items()}
    assert names == told.keys() - {"use"}


@pytest.mark.parametrize("name", ["files", "git", "web"])
def test_an_example_is_what_a_settings_file_may_hold(tmp_path, name):
    text = example_section("source", REGISTRY.sources[name])

    settings = settings_of(tmp_path / "citewell.toml", text)

    assert settings.libraries[name].section.use == name


class Guessed(Config):
    """Settings."""

    embedder: EmbedderName = Field(description="a section")
    url: str = Field(pattern="^https?://", description="where")
    letter: str = Field(max_length=1, description="one")
    word: str = Field(min_length=5, description="five")
    count: int = Field(gt=3, description="four")
    share: float = Field(gt=0, lt=1, description="half")
    rate: float = Field(gt=0, description="above")
    size: int = Field(ge=64, description="64")
    pairs: list[int] = Field(min_length=2, description="two")
    api_key: SecretStr = Field(description="secret")


def build(config, context):
    raise NotImplementedError


def spec(config):
    return ModelSpec(name="made-up", summary="made up", config=config, build=build)


def test_what_is_required_is_filled_in_with_what_fits():
    told = tomllib.loads(example_section("model", spec(Guessed)))

    assert example_problems("model", spec(Guessed)) == []
    assert told["model"]["made-up"] == {
        "use": "made-up",
        "embedder": "main",
        "url": "https://example.com/",
        "letter": ".",
        "word": ".....",
        "count": 4,
        "share": 0.5,
        "rate": 1.0,
        "size": 64,
        "pairs": [1, 1],
        "api_key": {"env": "MADE_UP_API_KEY"},
    }


class Paired(Config):
    """Settings that a field alone does not decide."""

    model_config = {"json_schema_extra": {"examples": [{"left": "a"}]}}

    left: str | None = None
    right: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self):
        if (self.left is None) == (self.right is None):
            raise ValueError("expected left or right")
        return self


def test_a_model_may_say_what_belongs_together():
    told = tomllib.loads(example_section("model", spec(Paired)))

    assert told["model"]["made-up"] == {"use": "made-up", "left": "a"}
    assert example_problems("model", spec(Paired)) == []


def test_what_cannot_be_guessed_is_a_problem_that_says_where():
    class Odd(Config):
        code: str = Field(pattern="^[A-Z]{9}$")

    (problem,) = example_problems("model", spec(Odd))

    assert problem.startswith("the example: code: ")
