"""What an author got wrong in a plugin that loads: costs, settings, claims, and what is missing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, ValidationError

from citewell.engine.example_sections import example_config
from citewell.engine.plugin_probe import IMPORT, Probed, probe
from citewell.engine.problems import Problems
from citewell.engine.registry import PluginState, Registry
from citewell.engine.setting_reference import settings_of
from citewell.errors import PluginError
from citewell.specs import (
    CommandSpec,
    ComponentSpec,
    EmbedderSpec,
    HealthCheck,
    LoaderSpec,
    ModelCapabilities,
    ModelSpec,
    RerankerSpec,
    RetrieverSpec,
    SourceSpec,
    TrainerSpec,
    is_local,
)

# In seconds of computing; a busy machine does not change these.
_LONGEST_IMPORT_S = 0.5
_LONGEST_HOOK_S = 0.1
# In seconds in which nothing is computed: somebody else is waited for.
_LONGEST_WAIT_S = 2.0
_HEAVY = frozenset(
    ("accelerate", "boto3", "cv2", "datasets", "faiss", "google", "haystack", "jax", "langchain",
     "litellm", "llama_cpp", "llama_index", "matplotlib", "nltk", "numpy", "onnxruntime", "openai",
     "pandas", "polars", "pyarrow", "ray", "scipy", "sentence_transformers", "sklearn", "spacy",
     "tensorflow", "torch", "transformers", "trl")
)  # fmt: skip
_SECRET = re.compile(
    r"(?:^|[._])(?:token|secret|password|passphrase|api_?key|secret_?key|private_?key)$"
)
_MAX_SHOWN = 60


class Fault(Struct, frozen=True, kw_only=True):
    """Something that is wrong with a plugin.

    Attributes:
        where: the hook, the component or the setting.
        found: what is wrong there.
        expected: instead; empty where `found` says it.
        fix: likewise.
    """

    plugin: str
    where: str
    found: str
    expected: str = ""
    fix: str = ""

    def __str__(self) -> str:
        expected = f"expected {self.expected}" if self.expected else ""
        return "; ".join(
            filter(None, [f"{self.plugin}: {self.where}: {self.found}", expected, self.fix])
        )


def faults(registry: Registry, state: PluginState) -> list[Fault]:
    """Return what is wrong with a plugin, once it was loaded; nothing if it is switched off."""
    if state.state == "off":
        return []
    if state.state != "on":
        return [Fault(plugin=state.name, where="loading", found=state.reason)]
    found = [Fault(plugin=state.name, where="names", found=state.reason)] if state.reason else []
    found += [Fault(plugin=state.name, where="hooks", found=use) for use in state.deprecated]
    try:
        found += _loading_faults(state.name, probe(state))
    except PluginError as error:
        found.append(Fault(plugin=state.name, where="loading", found=str(error)))
    for offer in state.offers:
        kind, _, name = offer.rpartition(" ")
        spec = registry.offer(kind, name)
        if isinstance(spec, CommandSpec | HealthCheck):
            continue
        try:
            found += _Component(state, kind, spec).faults()
        except PluginError as error:
            found.append(Fault(plugin=state.name, where=offer, found=str(error)))
    return found


def _loading_faults(plugin: str, probed: Probed) -> Iterator[Fault]:
    def fault(where: str, found: str, expected: str, fix: str) -> Fault:
        return Fault(plugin=plugin, where=where, found=found, expected=expected, fix=fix)

    later = "do it in what `build` opens"
    for name, (computing, waiting) in probed.seconds.items():
        longest = _LONGEST_IMPORT_S if name == IMPORT else _LONGEST_HOOK_S
        if computing > longest:
            others = f" (with it come: {', '.join(probed.packages)})" if probed.packages else ""
            took = f"computes for {computing:.2f} s{others}"
            yield fault(name, took, f"at most {longest} s, at every start", later)
        elif waiting > _LONGEST_WAIT_S:
            took = f"waits for {waiting:.1f} s"
            yield fault(name, took, "no waiting: every command waits for it", later)
    heavy = sorted(_HEAVY.intersection(probed.packages))
    if heavy:
        fix = "import it inside `build`, and name the extra that brings it in the spec"
        yield fault(IMPORT, f"imports {', '.join(heavy)}", "no heavy import before use", fix)
    for name, act in probed.acts:
        yield fault(name, act, "no input and output while a plugin is loaded", later)
    if probed.printed:
        said = " ".join(probed.printed.split())[:_MAX_SHOWN]
        fix = "delete the print, or use `context.log`"
        yield fault(IMPORT, f'prints "{said}"', "silence: programs read what we print", fix)
    for name in probed.unmarked:
        yield fault(name, "is named like a hook and is none", "a hook", "add @citewell.hookimpl")
    if not probed.has_docstring:
        yield fault("module", "has no docstring", "one line that says what it offers", "write it")


class _Component:
    """A component, and what is wrong with it."""

    def __init__(self, state: PluginState, kind: str, spec: ComponentSpec) -> None:
        self._state = state
        self._kind = kind
        self._spec = spec
        self._config: type[BaseModel] = spec.config

    def faults(self) -> Iterator[Fault]:
        """Yield them."""
        yield from self._settings()
        problems = Problems("its example")
        example = example_config(self._kind, self._spec, problems)
        for problem in problems.found:
            yield self._fault(
                problem,
                "settings that `citewell plugins show` can give as an example",
                "add Field(examples=[...]) to the setting, or examples to `json_schema_extra`",
            )
        if example is not None:
            yield from self._defaults(example)
            yield from self._claims(example)
        yield from self._build()
        yield from self._extra()

    def _fault(self, found: str, expected: str, fix: str, setting: str = "") -> Fault:
        where = f"{self._kind} {self._spec.name}"
        return Fault(
            plugin=self._state.name,
            where=f"{where}, setting {setting}" if setting else where,
            found=found,
            expected=expected,
            fix=fix,
        )

    def _settings(self) -> Iterator[Fault]:
        # That of a class above would be found, too.
        if not (self._config.__doc__ or "").strip():
            name = self._config.__name__
            yield self._fault(
                f"its config model {name} has no docstring", "one line", "say whose settings"
            )
        for setting in settings_of(self._config):
            if not setting.description:
                fix = 'add Field(description="...")'
                yield self._fault("is not described", "a description", fix, setting.name)
            is_text = "string" in setting.type and not setting.is_secret
            if is_text and _SECRET.search(setting.name.lower()):
                found = (
                    "is a secret and a plain text, which would stand in the settings and in logs"
                )
                yield self._fault(
                    found, "a secret", "annotate it with pydantic.SecretStr", setting.name
                )

    def _defaults(self, example: BaseModel) -> Iterator[Fault]:
        """Hold the defaults against their own types and validators."""
        given = {
            self._config.model_fields[name].alias or name: getattr(example, name)
            for name in example.model_fields_set
        }
        strict: type[BaseModel] = type(
            self._config.__name__,
            (self._config,),
            {
                "__module__": self._config.__module__,
                "model_config": ConfigDict(validate_default=True),
            },
        )
        try:
            strict.model_validate(given)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                setting = ".".join(map(str, one["loc"]))
                found = f"its default is refused: {one['msg']}"
                fix = "change the default or the type"
                yield self._fault(found, "a default that the setting itself takes", fix, setting)
        except Exception as error:  # noqa: BLE001 - a plugin's validator may raise anything
            found = f"its config model cannot be checked: {type(error).__name__}: {error}"
            yield self._fault(found, "a ValueError from a validator", "raise ValueError in it")

    def _claims(self, example: BaseModel) -> Iterator[Fault]:
        for name, expected, claim, fits in _claims_of(self._spec):
            try:
                value = claim(example)
            except Exception as error:  # noqa: BLE001 - a plugin's function may raise anything
                found = f"{name} raised {type(error).__name__}: {error}"
            else:
                if fits(value):
                    continue
                found = f"{name} is {value!r:.{_MAX_SHOWN}}"
            yield self._fault(found, expected, f"see `{type(self._spec).__name__}.{name}`")

    def _build(self) -> Iterator[Fault]:
        build = self._spec.build
        fix = "write: @asynccontextmanager async def build(config, context): ... yield it"
        if inspect.iscoroutinefunction(build) or inspect.isasyncgenfunction(build):
            expected = "a function that returns an async context manager"
            yield self._fault("its build is a bare async function", expected, fix)
        try:
            inspect.signature(build).bind(None, None)
        except TypeError:
            found = f"its build takes {inspect.signature(build)}"
            yield self._fault(found, "two arguments, the settings and the context", fix)

    def _extra(self) -> Iterator[Fault]:
        extra = getattr(self._spec, "extra", None)
        if extra is None or not self._state.version:
            return
        known = metadata.metadata(self._state.distribution).get_all("Provides-Extra") or []
        if extra not in known:
            yield self._fault(
                f'it needs the extra "{extra}", which {self._state.distribution} does not have',
                f"one of: {', '.join(known) or 'none'}",
                "add it to [project.optional-dependencies], or correct `extra`",
            )


def _claims_of(
    spec: ComponentSpec,
) -> Iterator[tuple[str, str, Callable[[Any], object], Callable[[object], bool]]]:
    """Yield what a spec says that depends on settings: name, what is expected, how to get it."""
    if isinstance(spec, ModelSpec):
        yield "capabilities", "ModelCapabilities", spec.claims, _is(ModelCapabilities)
    if isinstance(spec, EmbedderSpec | RerankerSpec):
        yield "local", "True or False", lambda config: is_local(spec, config), _is(bool)
    if isinstance(spec, RetrieverSpec):
        yield "filled", "True or False", spec.is_filled, _is(bool)
    if isinstance(spec, LoaderSpec):
        yield "chosen", "a tuple of suffixes, lower case, with the dot", spec.reads, _are_suffixes
    if isinstance(spec, SourceSpec) and spec.memberships is not None:
        yield "memberships", "a tuple of Membership", spec.memberships, _is(tuple)
    if isinstance(spec, TrainerSpec):
        yield "learns", "a frozenset of ExampleKind", spec.learns, _is(frozenset)


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _are_suffixes(value: object) -> bool:
    return isinstance(value, tuple | list) and all(
        isinstance(one, str) and one.startswith(".") and one == one.lower() for one in value
    )
