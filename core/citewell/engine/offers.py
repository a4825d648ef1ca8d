"""What plugins may offer, and whether an offer is fit to be used."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct
from pydantic import BaseModel

from citewell.configs import ChatConfig
from citewell.errors import PluginError
from citewell.specs import (
    AdapterSpec,
    CommandSpec,
    ComponentSpec,
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

Offer: TypeAlias = ComponentSpec | CommandSpec | HealthCheck

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


class Kind(Struct, frozen=True):
    """A kind of offer: what people call it, the hook that collects it, the spec that it takes."""

    name: str
    hook: str
    spec: type[Offer]


KINDS = (
    Kind("source", "register_sources", SourceSpec),
    Kind("loader", "register_loaders", LoaderSpec),
    Kind("retriever", "register_retrievers", RetrieverSpec),
    Kind("model", "register_models", ModelSpec),
    Kind("embedder", "register_embedders", EmbedderSpec),
    Kind("reranker", "register_rerankers", RerankerSpec),
    Kind("engine", "register_engines", EngineSpec),
    Kind("verifier", "register_verifiers", VerifierSpec),
    Kind("metric", "register_metrics", MetricSpec),
    Kind("trainer", "register_trainers", TrainerSpec),
    Kind("exporter", "register_exporters", ExporterSpec),
    Kind("formatter", "register_formatters", FormatterSpec),
    Kind("adapter", "register_adapters", AdapterSpec),
    Kind("command", "register_commands", CommandSpec),
    Kind("health check", "register_health_checks", HealthCheck),
)


def checked(kind: Kind, result: object) -> tuple[Offer, ...]:
    """Return what a plugin's hook gave, if each part of it can be used.

    Raises:
        PluginError: says what is wrong and what was expected.
    """
    if not isinstance(result, Iterable) or isinstance(result, str | bytes | dict):
        raise PluginError(
            f"its {kind.hook} returned {_shown(result)}; expected a tuple of {kind.spec.__name__}"
        )
    offers = tuple(_fit(kind, offer) for offer in result)
    names = [offer.name for offer in offers]
    for name in names:
        if names.count(name) > 1:
            raise PluginError(f'it offers {kind.name} "{name}" twice; give each its own name')
    return offers


def _fit(kind: Kind, offer: object) -> Offer:
    if not isinstance(offer, kind.spec):
        raise PluginError(f"its {kind.hook} offers {_shown(offer)}; expected {kind.spec.__name__}")
    if not isinstance(offer.name, str) or NAME.fullmatch(offer.name) is None:
        raise PluginError(
            f"it offers a {kind.name} with the name {_shown(offer.name)}; "
            'expected lower-case letters and digits, like "my-name2"'
        )
    problem = _problem(offer)
    if problem:
        raise PluginError(f'it offers {kind.name} "{offer.name}" with {problem}')
    return offer


def _problem(offer: Offer) -> str:
    if not isinstance(offer.summary, str) or not offer.summary.strip() or "\n" in offer.summary:
        return f"the summary {_shown(offer.summary)}; expected one line of text"
    if isinstance(offer, CommandSpec):
        return "" if callable(offer.load) else f"load={_shown(offer.load)}; expected a function"
    if isinstance(offer, HealthCheck):
        return "" if callable(offer.run) else f"run={_shown(offer.run)}; expected a function"
    return (
        _config_problem(offer.config)
        or _adapter_problem(offer)
        or _build_problem(offer.build)
        or _loader_problem(offer)
    )


def _config_problem(config: object) -> str:
    if not isinstance(config, type) or not issubclass(config, BaseModel):
        return f"config={_shown(config)}; expected a subclass of citewell.Config"
    if config.model_config.get("extra") != "forbid":
        return (
            f"the config model {config.__name__}, which accepts unknown settings; "
            "derive it from citewell.Config"
        )
    return ""


def _adapter_problem(offer: Offer) -> str:
    if not isinstance(offer, AdapterSpec) or issubclass(offer.config, ChatConfig):
        return ""
    return (
        f"the config model {offer.config.__name__}, which lacks what every chat service has; "
        "derive it from citewell.chat.ChatConfig"
    )


def _build_problem(build: object) -> str:
    """Check that a child process could import `build` by its module and name."""
    module = sys.modules.get(getattr(build, "__module__", None) or "")
    name = getattr(build, "__qualname__", "")
    if callable(build) and module is not None and getattr(module, name, None) is build:
        return ""
    return f"build={_shown(build)}; expected a function at the top level of its module"


def _loader_problem(offer: Offer) -> str:
    if not isinstance(offer, LoaderSpec):
        return ""
    suffixes = offer.suffixes
    fit = isinstance(suffixes, tuple) and all(
        isinstance(one, str) and one.startswith(".") and one == one.lower() for one in suffixes
    )
    if fit and suffixes:
        return ""
    return f'suffixes={_shown(suffixes)}; expected a tuple of lower-case suffixes like (".md",)'


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
