"""What a judge can be told, and what each measure looks at."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct
from pydantic import Field

from citewell import Config, LocalPath, ModelName


class Library(Struct, frozen=True):
    """A package that judges.

    Attributes:
        name: of the package, and of the metric.
        installed_by: what pip is told to install.
    """

    name: str
    installed_by: str


RAGAS = Library("ragas", 'ragas "langchain-community<0.4.2"')
"""Source: https://github.com/vibrantlabsai/ragas/issues/2995, an import that 0.4.2 took away."""

DEEPEVAL = Library("deepeval", "deepeval")


class Needs(Struct, frozen=True, kw_only=True):
    """What a measure looks at, beside the question."""

    answer: bool = False
    passages: bool = False
    expected: bool = False


class JudgeConfig(Config):
    """Settings of every judge."""

    library: ClassVar[Library]

    measure: str
    model: ModelName = Field(description="the model that judges: its section, as of any model")
    environment: LocalPath | None = Field(
        default=None,
        description="folder of a virtual environment in which the judge's package is installed, "
        "once you have run: citewell plugins trust FOLDER/pyvenv.cfg; default: what Citewell "
        "itself runs with",
    )
    timeout_s: float = Field(
        default=120.0, gt=0, le=540, description="seconds that one score may take"
    )


class RagasConfig(JudgeConfig):
    """Settings of the metric `ragas`."""

    library = RAGAS

    measure: Literal[
        "answer_accuracy",
        "context_precision",
        "context_recall",
        "factual_correctness",
        "faithfulness",
    ] = Field(description="what is judged, by the package's own name")


class DeepevalConfig(JudgeConfig):
    """Settings of the metric `deepeval`."""

    library = DEEPEVAL

    measure: Literal[
        "answer_relevancy", "contextual_precision", "contextual_recall", "faithfulness"
    ] = Field(description="what is judged, by the package's own name")


NEEDS = {
    "answer_accuracy": Needs(answer=True, expected=True),
    "answer_relevancy": Needs(answer=True),
    "context_precision": Needs(passages=True, expected=True),
    "context_recall": Needs(passages=True, expected=True),
    "contextual_precision": Needs(passages=True, expected=True),
    "contextual_recall": Needs(passages=True, expected=True),
    "factual_correctness": Needs(answer=True, expected=True),
    "faithfulness": Needs(answer=True, passages=True),
}
"""By the names of the measures, which mean the same in both packages."""
