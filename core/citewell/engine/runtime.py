"""The opened components of one generation of the settings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

from citewell.engine.nearest import did_you_mean
from citewell.engine.settings import Section, Settings
from citewell.errors import CitewellError, ConfigError, PluginError
from citewell.protocols import Formatter, Model, Retriever, Source, Verifier
from citewell.specs import Context, LoaderSpec

log = logging.getLogger(__name__)

# Their files are what a command is run for, and must stay.
_LASTING = {"retriever", "library"}


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
                    hint = did_you_mean(name, sections, f"there are: {', '.join(sections)}")
                    raise ConfigError(f"[{kind}.{name}] is not in the settings{hint}")
                self._opened[key] = await self._enter(kind, sections[name])
            return self._opened[key]

    async def _enter(self, kind: str, section: Section) -> object:
        if section.missing:
            raise ConfigError(*section.missing)
        context = _context(self.settings, kind, section.name, self._folder(kind, section.name))
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

    def _folder(self, kind: str, name: str) -> Path:
        """Return the folder of a component; one that passes, where that is enough for an answer."""
        folder = _data_dir(self.settings, kind, name)
        try:
            make_folder(folder)
        except ConfigError as error:
            if kind in _LASTING:
                raise
            log.info("%s", error)
            from tempfile import TemporaryDirectory

            return Path(self._stack.enter_context(TemporaryDirectory(prefix="citewell-")))
        return folder


def watched(settings: Settings, library: str) -> tuple[Path, ...]:
    """Return the local folders whose changes mean that a sync of `library` is due."""
    section = settings.libraries[library].section
    spec = settings.registry.sources[section.use]
    if spec.watched is None:
        return ()
    folder = _data_dir(settings, "library", library)
    return spec.watched(section.config, _context(settings, "library", library, folder))


def _context(settings: Settings, kind: str, name: str, data_dir: Path) -> Context:
    return Context(
        name=name,
        log=logging.getLogger(f"citewell.{kind}.{name}"),
        data_dir=data_dir,
        base_dir=settings.base_dir,
        suffixes=_suffixes(settings) if kind == "library" else None,
    )


def _data_dir(settings: Settings, kind: str, name: str) -> Path:
    return settings.data_dir / kind / name


def _suffixes(settings: Settings) -> frozenset[str]:
    """Return what some loader reads."""
    loaders = [cast("LoaderSpec[Any]", known.spec) for known in settings.loaders.values()]
    return frozenset(suffix for loader in loaders for suffix in loader.suffixes)


def make_folder(folder: Path) -> None:
    """Make `folder`, which is in the data folder or is it, where it is not there yet.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def check_folder(folder: Path) -> None:
    """Make the data folder, and write to it.

    Raises:
        ConfigError: it cannot be made or written.
    """
    from tempfile import TemporaryFile

    make_folder(folder)
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(b"citewell")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"data_dir {folder} cannot be written: {error.strerror}; set data_dir to another folder"
    )


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Yield a runtime; on leaving, close its components, the last opened first."""
    async with AsyncExitStack() as stack:
        yield Runtime(settings, stack)
