"""What a plugin author tests with.

A contract is a class of tests. Subclass it, say which component it is about, and pytest runs them:

    from citewell.testing import RetrieverContract

    class TestMine(RetrieverContract):
        name = "mine"

Contracts need pytest; the scripted model, which is here as well, does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citewell.testing.adapters.contract import (
        AdapterContract,
        adapter_scenarios,
        adapter_table,
    )
    from citewell.testing.answers import growing, make_answer, make_claim
    from citewell.testing.assistants import AssistantUnderTest
    from citewell.testing.clocks import Clock
    from citewell.testing.embedders import EmbedderContract
    from citewell.testing.engines import EngineContract
    from citewell.testing.filled import Entry, FilledRetrieverContract
    from citewell.testing.formatters import FormatterContract
    from citewell.testing.loaders import LoaderContract
    from citewell.testing.metrics import MetricContract
    from citewell.testing.models import ModelContract
    from citewell.testing.new_checks import NewCheckWarning
    from citewell.testing.packages import Plugins
    from citewell.testing.passages import make_passages
    from citewell.testing.rerankers import RerankerContract
    from citewell.testing.retrievers import RetrieverContract
    from citewell.testing.sources import SourceContract
    from citewell.testing.trainers import TrainerContract
    from citewell.testing.verifiers import VerifierContract

__all__ = [
    "AdapterContract",
    "AssistantUnderTest",
    "Clock",
    "EmbedderContract",
    "EngineContract",
    "Entry",
    "FilledRetrieverContract",
    "FormatterContract",
    "LoaderContract",
    "MetricContract",
    "ModelContract",
    "NewCheckWarning",
    "Plugins",
    "RerankerContract",
    "RetrieverContract",
    "SourceContract",
    "TrainerContract",
    "VerifierContract",
    "adapter_scenarios",
    "adapter_table",
    "growing",
    "make_answer",
    "make_claim",
    "make_passages",
]

_MODULES = {
    "AdapterContract": "adapters.contract",
    "AssistantUnderTest": "assistants",
    "Clock": "clocks",
    "EmbedderContract": "embedders",
    "EngineContract": "engines",
    "Entry": "filled",
    "FilledRetrieverContract": "filled",
    "FormatterContract": "formatters",
    "LoaderContract": "loaders",
    "MetricContract": "metrics",
    "ModelContract": "models",
    "NewCheckWarning": "new_checks",
    "Plugins": "packages",
    "RerankerContract": "rerankers",
    "RetrieverContract": "retrievers",
    "SourceContract": "sources",
    "TrainerContract": "trainers",
    "VerifierContract": "verifiers",
    "adapter_scenarios": "adapters.contract",
    "adapter_table": "adapters.contract",
    "growing": "answers",
    "make_answer": "answers",
    "make_claim": "answers",
    "make_passages": "passages",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: the program itself loads this package for the scripted model."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
