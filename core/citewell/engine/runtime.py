"""The components of one generation of the settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

from citewell.configs import references
from citewell.engine.breaker import Breaker
from citewell.engine.nearest import did_you_mean
from citewell.engine.pool import Named, Pool, Wanted
from citewell.engine.settings import Section, Settings
from citewell.engine.trials import Trials
from citewell.errors import ConfigError
from citewell.protocols import (
    Embedder,
    Engine,
    Formatter,
    Metric,
    Model,
    Reranker,
    Retriever,
    Source,
    Verifier,
)
from citewell.specs import (
    Context,
    EmbedderSpec,
    LoaderSpec,
    ModelSpec,
    RerankerSpec,
    is_local,
)
from citewell.types.documents import Labels


class Runtime:
    """Opens each component when it is first asked for, and keeps it until it is closed.

    Args:
        settings: the generation.
        pool: where components are opened, and shared with other generations.
        trials: of models on trial; None where no model is to be tried.
    """

    def __init__(self, settings: Settings, pool: Pool, trials: Trials | None = None) -> None:
        self.settings = settings
        self.trials = trials
        self._pool = pool
        self._opened: dict[tuple[str, str], tuple[object, Wanted]] = {}
        self._opening: dict[tuple[str, str], asyncio.Task[object]] = {}
        self._breakers: dict[str, Breaker] = {}
        self._has_room = asyncio.Event()
        self._has_room.set()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Runtime]:
        """Yield this runtime, whose settings stay in force until the end."""
        yield self

    def is_local(self, name: str) -> bool:
        """Tell whether what the model of section `name` is given stays on this machine."""
        section = self.settings.models[name]
        return cast("ModelSpec[Any]", section.spec).claims(section.config).local

    def breaker(self, name: str) -> Breaker:
        """Return the circuit breaker of the model of section `name`."""
        return self._breakers.setdefault(name, Breaker())

    async def retriever(self, name: str) -> Retriever:
        """Return the retriever of section `name`."""
        sections = {key: value.section for key, value in self.settings.retrievers.items()}
        return cast("Retriever", await self._open("retriever", name, sections))

    async def model(self, name: str, *, makes_room: bool = False) -> Model:
        """Return the model of section `name`.

        Args:
            name: of the section.
            makes_room: the caller makes room for models and need not wait for it.
        """
        if not makes_room and not self.is_ready(name):
            await self._has_room.wait()
        return cast("Model", await self._open("model", name, self.settings.models))

    def is_ready(self, name: str) -> bool:
        """Tell whether a model can be asked without waiting until there is room for it."""
        section = self.settings.models.get(name)
        if section is None or self._has_room.is_set():
            return True
        takes_room = cast("ModelSpec[Any]", section.spec).memory is not None
        return not takes_room or self._pool.has_open(self.wanted("model", section))

    @contextmanager
    def making_room(self) -> Iterator[None]:
        """Let no further model be opened while others are closed to make room."""
        self._has_room.clear()
        try:
            yield
        finally:
            self._has_room.set()

    async def embedder(self, name: str) -> Embedder:
        """Return the embedder of section `name`."""
        return cast("Embedder", await self._open("embedder", name, self.settings.embedders))

    async def reranker(self, name: str) -> Reranker:
        """Return the reranker of section `name`."""
        return cast("Reranker", await self._open("reranker", name, self.settings.rerankers))

    def held_back(self, name: str) -> Labels:
        """Return labels of passages that the reranker `name` must not be given."""
        section = self.settings.rerankers[name]
        stays = is_local(cast("RerankerSpec[Any]", section.spec), section.config)
        return frozenset() if stays else self.settings.local_only

    async def engine(self, name: str) -> Engine:
        """Return the engine of section `name`."""
        return cast("Engine", await self._open("engine", name, self.settings.engines))

    async def verifier(self, name: str) -> Verifier:
        """Return the verifier of section `name`."""
        return cast("Verifier", await self._open("verifier", name, self.settings.verifiers))

    async def metric(self, name: str) -> Metric:
        """Return the metric of section `name`."""
        return cast("Metric", await self._open("metric", name, self.settings.metrics))

    async def formatter(self, name: str) -> Formatter:
        """Return the formatter of section `name`."""
        return cast("Formatter", await self._open("formatter", name, self.settings.formatters))

    async def source(self, library: str) -> Source:
        """Return the source of the library `library`."""
        sections = {key: value.section for key, value in self.settings.libraries.items()}
        return cast("Source", await self._open("library", library, sections))

    async def close(self) -> None:
        """Let go of every component, the last opened first.

        Raises:
            CitewellError: one could not be closed.
            ExceptionGroup: several could not; all were let go of.
        """
        errors: list[Exception] = []
        opening = tuple(self._opening.values())
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        while self._opened:
            _, (_, wanted) = self._opened.popitem()
            try:
                await self._pool.release(wanted)
            except Exception as error:  # noqa: BLE001 - the others have to be closed as well
                errors.append(error)
        if errors:
            raise errors[0] if len(errors) == 1 else ExceptionGroup("closing", errors)

    def wanted(self, kind: str, section: Section) -> Wanted:
        """Return what the pool has to open for a section."""
        return Wanted(
            kind=kind,
            spec=section.spec,
            config=section.config,
            context=context_of(self.settings, kind, section.name),
            files=section.files,
            named={key: self._named(*key) for key in references(section.config).values()},
        )

    def _named(self, kind: str, name: str) -> Named:
        """Return what the settings of a component name."""
        if kind == "model":
            section, stays = self.settings.models[name], self.is_local(name)
        else:
            section = self.settings.embedders[name]
            stays = is_local(cast("EmbedderSpec[Any]", section.spec), section.config)
        return Named(
            wanted=self.wanted(kind, section),
            missing=section.missing,
            held_back=frozenset() if stays else self.settings.local_only,
        )

    async def _open(self, kind: str, name: str, sections: Mapping[str, Section]) -> object:
        """Return a component, opened if it was not; whoever no longer waits stops nobody else."""
        key = kind, name
        if key in self._opened:
            return self._opened[key][0]
        if key not in self._opening:
            task = asyncio.create_task(self._acquire(key, self._section(key, sections)))
            self._opening[key] = task
            task.add_done_callback(lambda done: self._opened_or_failed(key, done))
        return await asyncio.shield(self._opening[key])

    async def _acquire(self, key: tuple[str, str], section: Section) -> object:
        wanted = self.wanted(key[0], section)
        component = await self._pool.acquire(wanted)
        self._opened[key] = component, wanted
        return component

    def _opened_or_failed(self, key: tuple[str, str], done: asyncio.Task[object]) -> None:
        del self._opening[key]
        if not done.cancelled():
            # All who waited may have gone.
            done.exception()

    @staticmethod
    def _section(key: tuple[str, str], sections: Mapping[str, Section]) -> Section:
        kind, name = key
        if name not in sections:
            hint = did_you_mean(name, sections, f"there are: {', '.join(sections)}")
            raise ConfigError(f"[{kind}.{name}] is not in the settings{hint}")
        section = sections[name]
        if section.missing:
            raise ConfigError(*section.missing)
        return section


def watched(settings: Settings, library: str) -> tuple[Path, ...]:
    """Return the local folders whose changes mean that a sync of `library` is due."""
    section = settings.libraries[library].section
    spec = settings.registry.sources[section.use]
    if spec.watched is None:
        return ()
    return spec.watched(section.config, context_of(settings, "library", library))


def context_of(settings: Settings, kind: str, name: str) -> Context:
    """Return what the component of a section is built with."""
    return Context(
        name=name,
        log=logging.getLogger(f"citewell.{kind}.{name}"),
        data_dir=settings.data_dir / kind / name,
        base_dir=settings.base_dir,
        suffixes=_suffixes(settings) if kind == "library" else None,
    )


def _suffixes(settings: Settings) -> frozenset[str]:
    """Return what some loader reads."""
    return frozenset(
        suffix
        for known in settings.loaders.values()
        for suffix in cast("LoaderSpec[Any]", known.spec).reads(known.config)
    )


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Yield a runtime; on leaving, close its components, the last opened first."""
    runtime = Runtime(settings, Pool())
    try:
        yield runtime
    finally:
        await runtime.close()
