"""Every hook that Citewell calls, and nothing else.

Hooks named `register_*` run at start-up and must be cheap: no I/O, no heavy import. The work is
done by what a spec's `build` opens.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from citewell.observations import Observation
from citewell.specs import (
    AdapterSpec,
    CommandSpec,
    EmbedderSpec,
    EngineSpec,
    ExporterSpec,
    FormatterSpec,
    HealthCheck,
    LoaderSpec,
    MetricSpec,
    ModelSpec,
    RerankerSpec,
    RetrieverSpec,
    SourceSpec,
    TrainerSpec,
    VerifierSpec,
)
from citewell.types.questions import Question

PROJECT = "citewell"
API = 1
"""Major number of the hooks; plugins are found in the entry points `citewell.v1`."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer places to read documents from."""
    return ()


@hookspec
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer file types turned into text in which each character knows its place."""
    return ()


@hookspec
def register_retrievers() -> Iterable[RetrieverSpec[Any]]:
    """Offer ways to find passages."""
    return ()


@hookspec
def register_models() -> Iterable[ModelSpec[Any]]:
    """Offer language models."""
    return ()


@hookspec
def register_embedders() -> Iterable[EmbedderSpec[Any]]:
    """Offer ways to turn texts into vectors."""
    return ()


@hookspec
def register_rerankers() -> Iterable[RerankerSpec[Any]]:
    """Offer ways to put passages into a better order."""
    return ()


@hookspec
def register_engines() -> Iterable[EngineSpec[Any]]:
    """Offer workers that read documents for `citewell sync --engine`."""
    return ()


@hookspec
def register_verifiers() -> Iterable[VerifierSpec[Any]]:
    """Offer further judges of whether a passage supports a claim."""
    return ()


@hookspec
def register_metrics() -> Iterable[MetricSpec[Any]]:
    """Offer further scores for `citewell eval`."""
    return ()


@hookspec
def register_trainers() -> Iterable[TrainerSpec[Any]]:
    """Offer ways to fit a model to examples, for `citewell tune`."""
    return ()


@hookspec
def register_exporters() -> Iterable[ExporterSpec[Any]]:
    """Offer ways to make of what was trained what a model loads, and to prove it equal."""
    return ()


@hookspec
def register_formatters() -> Iterable[FormatterSpec[Any]]:
    """Offer ways to show an answer and its citations."""
    return ()


@hookspec
def register_adapters() -> Iterable[AdapterSpec[Any]]:
    """Offer chat services."""
    return ()


@hookspec
def register_commands() -> Iterable[CommandSpec]:
    """Offer commands for the command line."""
    return ()


@hookspec
def register_health_checks() -> Iterable[HealthCheck]:
    """Offer checks for `citewell doctor`."""
    return ()


@hookspec(firstresult=True)
def route(question: Question, profiles: tuple[str, ...]) -> str | None:
    """Name the profile that answers `question`, or None to let the next plugin decide.

    Called on the event loop: no I/O.
    """


@hookspec
def observe(event: Observation) -> None:
    """See what happened. Must not block; exceptions are logged and go no further."""
