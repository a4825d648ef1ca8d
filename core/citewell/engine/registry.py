"""The plugins of one run: each loaded by itself, so that a bad one costs only itself."""

from __future__ import annotations

import inspect
import io
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, cast

import pluggy
from msgspec import Struct
from msgspec.structs import replace

from citewell import deprecations, hookspecs
from citewell.engine.candidates import Candidate, in_files, installed
from citewell.engine.nearest import did_you_mean, nearest
from citewell.engine.offers import KINDS, Kind, Offer, checked
from citewell.engine.trust import Trust
from citewell.errors import PluginError, UnknownComponent, UntrustedPlugin
from citewell.hookspecs import API, PROJECT
from citewell.observations import Observation
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
from citewell.types.questions import Question

log = logging.getLogger(__name__)

HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT}_spec"))


class PluginState(Struct, frozen=True, kw_only=True):
    """What became of a plugin.

    Attributes:
        distribution: the package that brought it, or the path of a plugin file.
        offers: what is in use of it, like `loader pdf`.
        state: "on", "off" (disabled), "failed", "needs newer", "untrusted" or "needs extra X".
        reason: one line with the fix, or empty.
        deprecated: what it uses that a later release removes, as clauses without a subject.
    """

    name: str
    distribution: str
    version: str
    api: int
    offers: tuple[str, ...] = ()
    state: str = "on"
    reason: str = ""
    deprecated: tuple[str, ...] = ()

    def __str__(self) -> str:
        package = f"{self.distribution} {self.version}".rstrip()
        return f'plugin "{self.name}" ({package})'


class Registry:
    """What the plugins offer, by kind and name."""

    def __init__(
        self,
        manager: pluggy.PluginManager,
        plugins: tuple[PluginState, ...],
        offers: Mapping[str, Mapping[str, Offer]],
    ) -> None:
        self.plugins = plugins
        self._offers = {kind: MappingProxyType(dict(named)) for kind, named in offers.items()}
        self._routers = _callers(manager, "route")
        self._observers = _callers(manager, "observe")

    @classmethod
    def load(
        cls,
        *,
        disabled: Collection[str] = (),
        paths: Sequence[Path] = (),
        trust: Trust | None = None,
        strict: bool = False,
    ) -> Registry:
        """Load every installed plugin, and the plugin files at `paths` that are trusted.

        Args:
            disabled: names of plugins that are not loaded.
            paths: plugin files; relative ones start at the working folder.
            trust: by default the user's own.
            strict: raise on the first plugin that is bad, instead of leaving it out.

        Raises:
            PluginError: with `strict` only.
        """
        loading = _Loading(strict=strict)
        for candidate in [*installed(), *in_files(paths, trust or Trust())]:
            loading.take(candidate, disabled=candidate.name in disabled)
        return cls(loading.manager, tuple(loading.states), loading.offers)

    @property
    def sources(self) -> Mapping[str, SourceSpec[Any]]:
        """The sources by name."""
        return cast("Mapping[str, SourceSpec[Any]]", self._offers["source"])

    @property
    def loaders(self) -> Mapping[str, LoaderSpec[Any]]:
        """The loaders by name."""
        return cast("Mapping[str, LoaderSpec[Any]]", self._offers["loader"])

    @property
    def retrievers(self) -> Mapping[str, RetrieverSpec[Any]]:
        """The retrievers by name."""
        return cast("Mapping[str, RetrieverSpec[Any]]", self._offers["retriever"])

    @property
    def models(self) -> Mapping[str, ModelSpec[Any]]:
        """The models by name."""
        return cast("Mapping[str, ModelSpec[Any]]", self._offers["model"])

    @property
    def embedders(self) -> Mapping[str, EmbedderSpec[Any]]:
        """The embedders by name."""
        return cast("Mapping[str, EmbedderSpec[Any]]", self._offers["embedder"])

    @property
    def rerankers(self) -> Mapping[str, RerankerSpec[Any]]:
        """The rerankers by name."""
        return cast("Mapping[str, RerankerSpec[Any]]", self._offers["reranker"])

    @property
    def engines(self) -> Mapping[str, EngineSpec[Any]]:
        """The engines by name."""
        return cast("Mapping[str, EngineSpec[Any]]", self._offers["engine"])

    @property
    def verifiers(self) -> Mapping[str, VerifierSpec[Any]]:
        """The verifiers by name."""
        return cast("Mapping[str, VerifierSpec[Any]]", self._offers["verifier"])

    @property
    def metrics(self) -> Mapping[str, MetricSpec[Any]]:
        """The metrics by name."""
        return cast("Mapping[str, MetricSpec[Any]]", self._offers["metric"])

    @property
    def trainers(self) -> Mapping[str, TrainerSpec[Any]]:
        """The trainers by name."""
        return cast("Mapping[str, TrainerSpec[Any]]", self._offers["trainer"])

    @property
    def exporters(self) -> Mapping[str, ExporterSpec[Any]]:
        """The exporters by name."""
        return cast("Mapping[str, ExporterSpec[Any]]", self._offers["exporter"])

    @property
    def formatters(self) -> Mapping[str, FormatterSpec[Any]]:
        """The formatters by name."""
        return cast("Mapping[str, FormatterSpec[Any]]", self._offers["formatter"])

    @property
    def adapters(self) -> Mapping[str, AdapterSpec[Any]]:
        """The adapters for chat services by name."""
        return cast("Mapping[str, AdapterSpec[Any]]", self._offers["adapter"])

    @property
    def commands(self) -> Mapping[str, CommandSpec]:
        """The commands by name."""
        return cast("Mapping[str, CommandSpec]", self._offers["command"])

    @property
    def health_checks(self) -> tuple[HealthCheck, ...]:
        """The health checks, in the order of their plugins."""
        return tuple(cast("Mapping[str, HealthCheck]", self._offers["health check"]).values())

    def named(self, name: str) -> tuple[PluginState, ...]:
        """Return the plugins called `name`: more than one where packages quarrel about it.

        Raises:
            UnknownComponent: there is none; names the nearest.
        """
        found = tuple(state for state in self.plugins if state.name == name)
        if not found:
            known = [state.name for state in self.plugins]
            listed = f"plugins there are: {', '.join(known)}"
            hint = did_you_mean(name, known, listed)
            raise UnknownComponent(f'no plugin is called "{name}"{hint}')
        return found

    def components(self, kind: str) -> Mapping[str, ComponentSpec]:
        """Return the components of `kind`: "source", "loader", "model", ..., by name."""
        return cast("Mapping[str, ComponentSpec]", self._offers[kind])

    def offer(self, kind: str, name: str) -> Offer:
        """Return what is offered as `kind` and `name`; a command or a health check as well.

        Raises:
            KeyError: nothing is.
        """
        return self._offers[kind][name]

    def find(self, kind: str, name: str) -> ComponentSpec:
        """Return the component `name` of `kind`.

        Raises:
            UnknownComponent: no plugin that is on offers it; says which plugin may have, and why
                that one is off.
        """
        known = self.components(kind)
        if name in known:
            return known[name]
        listed = f"{kind}s there are: {', '.join(known) or 'none'}"
        message = f'no {kind} is called "{name}"{did_you_mean(name, known, listed)}'
        raise UnknownComponent("; ".join([message, *self.suspicions(name, known)]))

    def suspicions(self, name: str, known: Collection[str]) -> list[str]:
        """Return why the plugins are off that may offer `name`, which is none of `known`."""
        absent = [state for state in self.plugins if state.state != "on"]
        named = [state.reason for state in absent if name in state.name or state.name in name]
        if named or nearest(name, known):
            return named
        return [state.reason for state in absent[:3]]

    def distribution_of(self, kind: str, name: str) -> str:
        """Return the package that brought the component, or the path of its plugin file."""
        offer = f"{kind} {name}"
        return next(state.distribution for state in self.plugins if offer in state.offers)

    def route(self, question: Question, profiles: tuple[str, ...]) -> str | None:
        """Return the profile that the first plugin with an opinion chooses, or None."""
        for plugin, call in self._routers:
            try:
                chosen = call(question=question, profiles=profiles)
            except (Exception, SystemExit):
                log.exception('plugin "%s": route failed', plugin)
                continue
            if isinstance(chosen, str) and chosen in profiles:
                return chosen
            if chosen is not None:
                log.error('plugin "%s": route chose %r, which is no profile', plugin, chosen)
        return None

    def observe(self, event: Observation) -> None:
        """Show `event` to every plugin that observes."""
        for plugin, call in self._observers:
            try:
                call(event=event)
            except (Exception, SystemExit):
                log.exception('plugin "%s": observe failed', plugin)


class _Loading:
    """Takes candidates one at a time."""

    def __init__(self, *, strict: bool) -> None:
        self.manager = pluggy.PluginManager(PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.states: list[PluginState] = []
        self.offers: dict[str, dict[str, Offer]] = {kind.name: {} for kind in KINDS}
        self._owners: dict[tuple[str, str], PluginState] = {}
        self._strict = strict

    def take(self, candidate: Candidate, *, disabled: bool) -> None:
        """Load `candidate` and keep what it offers; whatever goes wrong is kept as its state."""
        state = PluginState(
            name=candidate.name,
            distribution=candidate.distribution,
            version=candidate.version,
            api=candidate.api,
        )
        if disabled:
            reason = f"{state} is off: the settings name it in plugins.disabled"
            self.states.append(replace(state, state="off", reason=reason))
            return
        try:
            self._refuse_early(state)
            found = self._load(candidate)
            state = replace(state, deprecated=tuple(self._deprecated(candidate.name)))
            self._keep(state, found)
        except KeyboardInterrupt:
            raise
        # A plugin that calls `sys.exit` while it is imported must not end the program.
        except BaseException as error:
            self._forget(candidate.name)
            if self._strict:
                raise PluginError(f"{state} is off: {_cause(error)}") from error
            log.debug("%s is off", state, exc_info=error)
            reason = f"{state} is off: {_cause(error)}"
            self.states.append(replace(state, state=_state_after(error), reason=reason))
            return
        for use in state.deprecated:
            deprecations.warn(state, use)

    def _refuse_early(self, state: PluginState) -> None:
        if state.api > API:
            raise _NeedsNewer(
                f"it needs a newer citewell: it was written for plugin interface {state.api}, "
                f"citewell {_version()} has {API}; run: pip install --upgrade citewell"
            )
        for other in self.states:
            if other.name == state.name and other.state != "off":
                raise PluginError(
                    f"the name is taken by {other}; to use this one, switch the other off: "
                    f'plugins.disabled = ["{other.name}"] or uninstall it'
                )

    def _load(self, candidate: Candidate) -> dict[str, tuple[Offer, ...]]:
        """Return what `candidate` offers, by kind."""
        said = io.StringIO()
        # What a plugin prints while it is loaded would end up in `citewell ask --format json`.
        with redirect_stdout(said):
            module = candidate.load()
            self._register(candidate.name, module)
            found = {kind.name: self._collect(kind, module) for kind in KINDS}
        if said.getvalue():
            log.info('plugin "%s" printed: %s', candidate.name, said.getvalue().rstrip())
        return found

    def _register(self, name: str, module: ModuleType) -> None:
        try:
            self.manager.register(module, name=name)
        except pluggy.PluginValidationError as error:
            raise PluginError(" ".join(str(error).split())) from error
        callers = self.manager.get_hookcallers(module) or []
        if not callers:
            raise PluginError("it implements no hook; mark its functions with @citewell.hookimpl")
        for caller in callers:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is module:
                    _check_implementation(caller, implementation)

    def _deprecated(self, name: str) -> Iterator[str]:
        """Yield what the plugin `name` uses that is going to be removed."""
        module = self.manager.get_plugin(name)
        for caller in self.manager.get_hookcallers(module) or []:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is module and caller.spec is not None:
                    yield from deprecations.used(caller.spec.function, implementation.argnames)

    def _collect(self, kind: Kind, module: ModuleType) -> tuple[Offer, ...]:
        caller = _caller(self.manager, kind.hook, module)
        try:
            results = caller() if caller is not None else []
            return tuple(offer for result in results for offer in checked(kind, result))
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(f"its {kind.hook} {_cause(error)[3:]}") from error

    def _keep(self, state: PluginState, found: Mapping[str, tuple[Offer, ...]]) -> None:
        """Add what is new; a name that is taken stays with the plugin that had it first."""
        kept: list[str] = []
        taken: list[str] = []
        for kind, offers in found.items():
            for offer in offers:
                owner = self._owners.setdefault((kind, offer.name), state)
                if owner is state:
                    self.offers[kind][offer.name] = offer
                    kept.append(f"{kind} {offer.name}")
                else:
                    taken.append(_refusal(state, kind, offer.name, owner))
        if taken and self._strict:
            raise PluginError("; ".join(taken))
        self.states.append(replace(state, offers=tuple(kept), reason="; ".join(taken)))

    def _forget(self, name: str) -> None:
        module = self.manager.get_plugin(name)
        if module is not None and all(state.name != name for state in self.states):
            self.manager.unregister(module)


class _NeedsNewer(PluginError):
    """The plugin was written for a later major number of the hooks."""


def _refusal(state: PluginState, kind: str, name: str, owner: PluginState) -> str:
    return (
        f'{kind} "{name}" of {state} is left out: {owner} offers that name already; '
        f'to use this one, switch the other off: plugins.disabled = ["{owner.name}"]'
    )


def _check_implementation(caller: pluggy.HookCaller, implementation: pluggy.HookImpl) -> None:
    """Raise `PluginError` if the hook is unknown or the function cannot serve it."""
    if not caller.has_spec() and not implementation.optionalhook:
        raise PluginError(
            f'it implements hook "{caller.name}", which citewell {_version()} does not have'
            f"{did_you_mean(caller.name, HOOKS, 'update it or citewell')}"
        )
    function = implementation.function
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(
            f'its hook "{caller.name}" is async; hooks are plain functions, '
            "asynchronous work belongs into what `build` opens"
        )
    if implementation.hookwrapper or implementation.wrapper:
        raise PluginError(f'its hook "{caller.name}" is a wrapper; citewell has no hook wrappers')


def _caller(manager: pluggy.PluginManager, hook: str, plugin: object) -> pluggy.HookCaller | None:
    """Return a caller of `hook` in `plugin` alone, or None when it does not implement it."""
    implementing = {caller.name for caller in manager.get_hookcallers(plugin) or []}
    if hook not in implementing:
        return None
    others = [other for other in manager.get_plugins() if other is not plugin]
    return manager.subset_hook_caller(hook, others)


def _callers(manager: pluggy.PluginManager, hook: str) -> tuple[tuple[str, pluggy.HookCaller], ...]:
    named = [(name, _caller(manager, hook, plugin)) for name, plugin in manager.list_name_plugin()]
    return tuple((name, caller) for name, caller in named if caller is not None)


def _state_after(error: BaseException) -> str:
    if isinstance(error, UntrustedPlugin):
        return "untrusted"
    return "needs newer" if isinstance(error, _NeedsNewer) else "failed"


def _cause(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return str(error)
    text = " ".join(str(error).split())
    return f"it raised {type(error).__name__}: {text}".rstrip(": ")


def _version() -> str:
    return metadata.version(PROJECT)
