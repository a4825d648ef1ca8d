"""The opened components of one generation of the settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from citewell.engine.settings import Section, Settings
from citewell.errors import CitewellError, ConfigError, PluginError
from citewell.protocols import Formatter, Model, Retriever, Source, Verifier
from citewell.specs import Context, LoaderSpec


class Runtime:
    """Opens each component when it is first asked for, and keeps it until the end."""

    def __init__(self, settings: Settings, stack: AsyncExitStack) -> None:
        self.settings = settings
        self._stack = stack
        self._opened: dict[tuple[str, str], object] = {}
        self._opening = asyncio.Lock()

    async def retriever(self, name: str) -> Retriever:
        """Return the retriever of section `name`."""
        sections = {key: value.section for key, value in self.settings.retrievers.items()}
        return cast("Retriever", await self._open("retriever", name, sections))

    async def model(self, name: str) -> Model:
        """Return the model of section `name`."""
        return cast("Model", await self._open("model", name, self.settings.models))

    async def verifier(self, name: str) -> Verifier:
        """Return the verifier of section `name`."""
        return cast("Verifier", await self._open("verifier", name, self.settings.verifiers))

    async def formatter(self, name: str) -> Formatter:
        """Return the formatter of section `name`."""
        return cast("Formatter", await self._open("formatter", name, self.settings.formatters))

    async def source(self, library: str) -> Source:
        """Return the source of the library `library`."""
        sections = {key: value.section for key, value in self.settings.libraries.items()}
        return cast("Source", await self._open("library", library, sections))

    async def _open(self, kind: str, name: str, sections: Mapping[str, Section]) -> object:
        async with self._opening:
            key = (kind, name)
            if key not in self._opened:
                if name not in sections:
                    raise ConfigError(f"[{kind}.{name}] is not in the settings")
                self._opened[key] = await self._enter(kind, sections[name])
            return self._opened[key]

    async def _enter(self, kind: str, section: Section) -> object:
        if section.missing:
            raise ConfigError(*section.missing)
        data_dir = self.settings.data_dir / kind / section.name
        data_dir.mkdir(parents=True, exist_ok=True)
        context = Context(
            name=section.name,
            log=logging.getLogger(f"citewell.{kind}.{section.name}"),
            data_dir=data_dir,
            base_dir=self.settings.base_dir,
            suffixes=self._suffixes() if kind == "library" else None,
        )
        spec = cast("Any", section.spec)
        try:
            return await self._stack.enter_async_context(spec.build(section.config, context))
        except CitewellError:
            raise
        except Exception as error:
            raise PluginError(
                f'{kind} "{section.name}" ({spec.name}) could not be opened: '
                f"{type(error).__name__}: {error}"
            ) from error

    def _suffixes(self) -> frozenset[str]:
        """Return what some loader reads."""
        loaders = [cast("LoaderSpec[Any]", known.spec) for known in self.settings.loaders.values()]
        return frozenset(suffix for loader in loaders for suffix in loader.suffixes)


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Yield a runtime; on leaving, close its components, the last opened first."""
    async with AsyncExitStack() as stack:
        yield Runtime(settings, stack)
